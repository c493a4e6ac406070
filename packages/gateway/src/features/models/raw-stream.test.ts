import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLogger, silentLogger } from "../../kernel/log.ts";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { collect, quickWorld, run, setup, textOf } from "./models.test-support.ts";
import type { ModelEvent } from "./provider.ts";
import { RawStream, rawStreamPath } from "./raw-stream.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "openclaw-test-raw-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lines = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { agentId: string; model: string; event: ModelEvent; leftOut?: number });

async function* events(count: number): AsyncGenerator<ModelEvent> {
  yield { type: "start", ref: "one/m", provider: "one", model: "m", attempt: 1 };
  for (let i = 0; i < count; i++) yield { type: "text", delta: `word ${i} ` };
}

test("it is off unless it was asked for, and is a file of the state directory unless a path was given", () => {
  const path = (env: Record<string, string>) => rawStreamPath(fakeWorld({ env }));
  expect(path({})).toBeUndefined();
  expect(path({ OPENCLAW_RAW_STREAM: "0", OPENCLAW_RAW_STREAM_PATH: "/tmp/x" })).toBeUndefined();
  expect(path({ OPENCLAW_RAW_STREAM: "1" })).toBe("/home/user/.openclaw/logs/raw-stream.jsonl");
  expect(path({ OPENCLAW_RAW_STREAM: "1", OPENCLAW_RAW_STREAM_PATH: "/tmp/x" })).toBe("/tmp/x");
});

test("every event of a real answer is a line, only the owner can read them, and a second start appends", async () => {
  const path = join(folder, "logs", "raw.jsonl");
  const one = await setup("openai-completions", [["hello ", "there"]], {
    world: quickWorld({ OPENCLAW_RAW_STREAM: "1", OPENCLAW_RAW_STREAM_PATH: path }),
  });
  try {
    const passed = await run(one.models);
    expect(textOf(passed)).toBe("hello there");
    await vi.waitFor(() => expect(lines(path).map(({ event }) => event)).toEqual(passed));
    expect(lines(path)[1]).toMatchObject({ agentId: "main", model: "one/m" });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const second = new RawStream({ world: fakeWorld(), log: silentLogger, path });
    await collect(second.tee("main", events(1)));
    await vi.waitFor(() => expect(lines(path)).toHaveLength(passed.length + 2));
  } finally {
    await one.close();
  }
});

test("a file that is full, a link, or no place for a file is one warning, and the answer passes whole", async () => {
  writeFileSync(join(folder, "elsewhere"), "");
  symlinkSync(join(folder, "elsewhere"), join(folder, "link"));
  writeFileSync(join(folder, "file"), "");
  const said: string[] = [];
  const log = createLogger({ subsystem: "models", sinks: [(line) => void said.push(line.message)], now: () => 0 });
  for (const [name, limit] of [
    ["full", 300],
    ["link", undefined],
    ["file/below", undefined],
  ] as const) {
    const path = join(folder, name);
    const raw = new RawStream({
      world: fakeWorld(),
      log,
      path,
      ...(limit === undefined ? {} : { maxFileBytes: limit }),
    });
    expect(await collect(raw.tee("main", events(40)))).toHaveLength(41);
    expect(said.splice(0)).toEqual([expect.stringContaining(path)]);
  }
  expect(statSync(join(folder, "full")).size).toBeLessThanOrEqual(300);
  expect(readFileSync(join(folder, "elsewhere"), "utf8")).toBe("");
});
