import { expect, test } from "vitest";
import { derivePorts } from "./ports.ts";

test.each([
  [18_789, 18_790, 18_791, 18_792, 18_793, 18_800, 18_899],
  [19_001, 19_002, 19_003, 19_004, 19_005, 19_012, 19_111],
  [1, 2, 3, 4, 5, 12, 111],
  [65_425, 65_426, 65_427, 65_428, 65_429, 65_436, 65_535],
  [65_426, 65_427, 65_428, 65_429, 65_430, 18_800, 18_899],
  [65_532, 65_533, 65_534, 65_535, 18_793, 18_800, 18_899],
  [65_535, 18_790, 18_791, 18_792, 18_793, 18_800, 18_899],
  [0, 18_790, 18_791, 18_792, 18_793, 18_800, 18_899],
])(
  "beside %i: bridge %i, browser %i and %i, canvas %i, browsers %i to %i",
  (base, bridge, control, relay, canvas, first, last) => {
    expect(derivePorts(base)).toEqual({
      bridge,
      browserControl: control,
      browserRelay: relay,
      canvas,
      cdp: [first, last],
    });
  },
);

test("a canvas port that is set wins, unless it is none", () => {
  expect(derivePorts(18_789, 9_000).canvas).toBe(9_000);
  expect(derivePorts(18_789, 70_000).canvas).toBe(18_793);
});

test("two gateways twenty ports apart share none but those of driven browsers", () => {
  const taken = (base: number) => {
    const { bridge, browserControl, browserRelay, canvas } = derivePorts(base);
    return [base, bridge, browserControl, browserRelay, canvas];
  };
  const first = taken(18_789);
  expect(taken(18_809).filter((port) => first.includes(port))).toEqual([]);
});
