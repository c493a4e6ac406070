import { expect, test } from "vitest";
import { systemWorld } from "../kernel/world.ts";
import { complaint, runTool } from "./tool.ts";

test("a tool that cannot be started is an answer, however the system says so", async () => {
  const world = systemWorld({ PATH: "/nowhere" });
  for (const [command, args] of [
    ["no-such-tool", []],
    ["/bin/sh", ["a\u0000b"]],
    ["/bin/sh", ["-c", "x".repeat(4_000_000)]],
  ] as const) {
    const ran = await runTool(world, command, args);
    expect([ran.code, ran.missing]).toEqual([null, true]);
    expect(complaint(ran)).not.toBe("");
  }
});
