import { expect, test } from "vitest";
import { liveText, newRun, withText, withTool } from "./live-run.ts";

const run = () => newRun("r1", 1_000);

test("a growing text stays one part", () => {
  const grown = ["He", "Hell", "Hello"].reduce(withText, run());
  expect(grown.parts).toEqual([{ kind: "text", text: "Hello" }]);
});

test("a shorter text that comes late takes nothing back", () => {
  const grown = withText(withText(run(), "Hello"), "Hel");
  expect(liveText(grown)).toBe("Hello");
});

test("text after a tool call begins a new part, the old one repeated does not", () => {
  let live = withText(run(), "I look.");
  live = withTool(live, { phase: "start", toolCallId: "c", name: "exec", args: { command: "ls" } }, 2_000);
  expect(withText(live, "I look.")).toBe(live);
  live = withText(live, "Two files.");
  expect(live.parts.map(({ kind }) => kind)).toEqual(["text", "tool", "text"]);
});

test("a tool runs, shows what it has so far, and ends with its duration", () => {
  let live = withTool(run(), { phase: "start", toolCallId: "c", name: "exec", args: {} }, 2_000);
  live = withTool(
    live,
    { phase: "update", toolCallId: "c", partialResult: { content: [{ type: "text", text: "half" }] } },
    2_100,
  );
  expect(live.parts[0]).toMatchObject({ call: { state: "running", output: "half" } });
  live = withTool(
    live,
    { phase: "result", toolCallId: "c", isError: true, result: { content: [{ type: "text", text: "no" }] } },
    2_500,
  );
  expect(live.parts[0]).toMatchObject({ call: { state: "failed", output: "no", durationMs: 500 } });
  expect(withTool(live, { phase: "update", toolCallId: "c", partialResult: "late" }, 2_600).parts[0]).toEqual(
    live.parts[0],
  );
});

test("a run of very many calls keeps the last fifty", () => {
  let live = run();
  for (let index = 0; index < 60; index++)
    live = withTool(live, { phase: "start", toolCallId: `c${index}`, name: "x" }, index);
  expect(live.parts).toHaveLength(50);
  expect(live.parts[0]).toMatchObject({ call: { id: "c10" } });
});
