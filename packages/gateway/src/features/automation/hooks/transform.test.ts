import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { Transforms, transformMs } from "./transform.ts";

const folder = mkdtempSync(join(tmpdir(), "transforms-"));
const input = (payload: unknown) => ({ payload, headers: {}, url: "/hooks/x", path: "x" });
writeFileSync(
  join(folder, "hang.mjs"),
  "export default async ({ payload }) => (payload === 'hang' ? new Promise(() => {}) : { message: payload });",
);
let transforms: Transforms;
afterEach(() => transforms.stop());
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

test("a thread that was ended has no say in the one that came after it", async () => {
  const world = fakeWorld();
  const { clock } = world;
  let timers = 0;
  const after = (ms: number, run: () => void) => {
    timers++;
    return world.after(ms, run);
  };
  transforms = new Transforms({ world: { after } });
  /** Resolves once the call waits for its answer. */
  const hang = async () => {
    const before = timers;
    const answer = transforms.run(folder, "hang.mjs", undefined, input("hang"));
    const ended = answer.then(String, String);
    while (timers === before) await new Promise((resolve) => setImmediate(resolve));
    return { ended };
  };
  const first = await hang();
  await clock.advance(transformMs);
  expect(await first.ended).toContain("longer than 10 s");
  expect(await transforms.run(folder, "hang.mjs", undefined, input("next"))).toEqual({ message: "next" });

  // A minute after its last call the first thread would have been idle for long enough to be ended.
  await clock.advance(55_000);
  const second = await hang();
  await clock.advance(transformMs - 1);
  const told = await Promise.race([second.ended, Promise.resolve("waits")]);
  await clock.advance(1);
  expect([told, await second.ended]).toEqual(["waits", expect.stringContaining("longer than 10 s")]);
  expect(clock.pending()).toBe(0);
});
