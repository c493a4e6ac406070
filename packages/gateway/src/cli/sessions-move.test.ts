import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cli, home, withHome, writeConfig } from "./fake-terminal.ts";

withHome();

const state = () => join(home, ".openclaw");
const transcript = [
  '{"type":"session","version":3,"id":"s1","timestamp":"2026-01-01T00:00:00.000Z","cwd":"/"}',
  '{"type":"message","id":"1","parentId":null,"timestamp":"2026-01-01T00:00:00.000Z","message":{"role":"user","content":"hello","timestamp":1767225600000}}',
];

function oldState(): void {
  writeConfig(`{"gateway":{"mode":"local"}}`);
  const folder = join(state(), "agents", "main", "sessions");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "sessions.json"), '{"main":{"sessionId":"s1","updatedAt":1767225600000}}');
  writeFileSync(join(folder, "s1.jsonl"), `${transcript.join("\n")}\n`);
}

test.each([
  ["sessions export", "Name the sessions to export, or give --all\n"],
  ["sessions export --all main", "Name the sessions to export, or give --all\n"],
  ["sessions export --all", "--out is needed for more than one session\n"],
  ["sessions export a b", "--out is needed for more than one session\n"],
  ["sessions import a b", "error: too many arguments for 'sessions import': expected 1, got 2\n"],
])("%j is refused with exit 1", async (words, text) => {
  expect(await cli(words)).toMatchObject({ code: 1, out: "", err: text });
});

test("status names the command while an older state waits, and no longer after it ran", async () => {
  oldState();
  expect((await cli("status")).out).toContain("openclaw sessions import");
  expect(JSON.parse((await cli("status --json")).out)).toMatchObject({
    olderState: { next: "openclaw sessions import" },
  });
  const { code, out } = await cli("sessions import");
  expect(code).toBe(0);
  expect(out).toMatch(/^Took from ~\/\.openclaw: 1 session, 0 earlier conversations, 1 entry, 0 devices/u);
  expect((await cli("status")).out).not.toContain("sessions import");
  expect((await cli("sessions import")).out).toContain("Taken before: 1\n");
});

test("what was imported is exported line by line", async () => {
  oldState();
  await cli("sessions import --json");
  const lines = (await cli("sessions export main")).out.trimEnd().split("\n");
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[1] ?? "")).toEqual(JSON.parse(transcript[1] ?? ""));
  const out = join(home, "out");
  expect(JSON.parse((await cli(`sessions export s1 --out ${out} --json`)).out)).toMatchObject({
    sessions: 1,
    entries: 1,
  });
  expect(existsSync(join(out, "agents", "main", "sessions", "s1.jsonl"))).toBe(true);
});

test("one session as JSON lines is not one JSON document", async () => {
  expect(await cli("sessions export a --json")).toMatchObject({
    code: 1,
    err: "--json needs --out: one session alone is printed as JSON lines\n",
  });
});

test("a folder that holds no state is refused in words, and with --json in one document", async () => {
  writeConfig(`{"gateway":{"mode":"local"}}`);
  const { code, out, err } = await cli(`sessions import ${home}/nowhere --json`);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({ ok: false, error: `${home}/nowhere does not exist or cannot be read.` });
  expect(err).toBe(`${home}/nowhere does not exist or cannot be read.\n`);
});
