import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import type { GatewayLink } from "../../gateway/index.ts";
import { vitalsOf } from "./vitals.ts";

function harness() {
  const asked: string[] = [];
  let listener: (health: unknown) => void = () => {};
  const link = {
    connected: signal(true),
    on: (_event: string, on: typeof listener) => {
      listener = on;
      return () => {};
    },
    call: (method: string) => {
      asked.push(method);
      return Promise.resolve({ ts: 7, problems: [] });
    },
  } as unknown as GatewayLink;
  const health = (delayP99Ms: number) =>
    listener({ ts: 8, eventLoop: { delayP99Ms, utilization: 0.5, cpuCoreRatio: 0.1 } });
  return { link, vitals: vitalsOf(link), asked, health };
}

test("the line grows with what the gateway tells; nothing is asked for that", async () => {
  const { link, vitals, asked, health } = harness();
  health(12);
  health(15);
  expect(vitals.series.value.delay.map(({ value }) => value)).toEqual([12, 15]);
  expect(vitals.series.value.busy.map(({ value }) => value)).toEqual([50, 50]);
  await vitals.ask();
  expect(asked).toEqual([]);
  expect(vitalsOf(link)).toBe(vitals);
});

test("where nothing was heard yet health is asked for once, and has the age the gateway says", async () => {
  const { vitals, asked } = harness();
  await vitals.ask();
  expect(asked).toEqual(["health"]);
  expect(vitals.health.value).toMatchObject({ at: 7 });
});

test("how long an answer takes is measured on calls that are made anyhow", async () => {
  const { vitals } = harness();
  expect(await vitals.timed(() => Promise.resolve("status"))).toBe("status");
  await expect(vitals.timed(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(vitals.series.value.answer).toHaveLength(1);
});
