import { expect, test } from "vitest";
import { at, cli, gateway, withHome } from "./fake-terminal.ts";

withHome();

const logLine = (level: string, message: string) =>
  JSON.stringify({
    0: '{"subsystem":"gateway"}',
    1: message,
    _meta: { logLevelName: level },
    time: "2026-01-02T03:04:05.000Z",
  });
const tail = { file: "/tmp/a.log", cursor: 10, size: 10, lines: [], truncated: false, reset: false };

test("--level shows that level and above, and leaves out what has none", async () => {
  const lines = [logLine("DEBUG", "a"), logLine("WARN", "b"), "raw", logLine("FATAL", "c")];
  const fake = await gateway((request, peer) => {
    if (request.method === "logs.tail") peer.answer(request, { ...tail, lines });
  });
  const { out } = await cli("logs --level warn --plain", { env: at(fake) });
  expect(out.trim().split("\n").slice(1)).toEqual([
    "2026-01-02T03:04:05.000Z warn gateway b",
    "2026-01-02T03:04:05.000Z fatal gateway c",
  ]);
  expect((await cli("logs --level loud", { env: at(fake) })).code).toBe(1);
});

test("at midnight the new file is read from its beginning, and named", async () => {
  let interrupt = () => {};
  const cursors: unknown[] = [];
  const fake = await gateway((request, peer) => {
    if (request.method !== "logs.tail") return;
    const { cursor } = request.params as { cursor?: number };
    cursors.push(cursor);
    if (cursors.length === 1) return peer.answer(request, { ...tail, lines: ["old"] });
    const fresh = { ...tail, file: "/tmp/b.log", cursor: 30, size: 30 };
    if (cursor === 30) interrupt();
    peer.answer(request, { ...fresh, lines: cursor === 0 ? ["first", "second"] : cursor === 30 ? [] : ["second"] });
  });
  const { out } = await cli("logs --follow --json --interval 100", {
    env: at(fake),
    speed: 20,
    onReady: (run) => (interrupt = run),
  });
  expect(cursors).toEqual([undefined, 10, 0, 30]);
  const seen = out
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  expect(seen.filter(({ type }) => type === "raw").map(({ raw }) => raw)).toEqual(["old", "first", "second"]);
  expect(seen.filter(({ type }) => type === "meta").map(({ file }) => file)).toEqual(["/tmp/a.log", "/tmp/b.log"]);
});

test("a gateway that is restarting and says so is asked again", async () => {
  let interrupt = () => {};
  let looks = 0;
  const fake = await gateway((request, peer) => {
    if (request.method !== "logs.tail") return;
    looks += 1;
    if (looks === 2) return peer.refuse(request, { code: "UNAVAILABLE", message: "gateway restarting" });
    peer.answer(request, { ...tail, lines: [`line ${looks}`] });
    if (looks === 4) interrupt();
  });
  const { code, err } = await cli("logs --follow --interval 100", {
    env: at(fake),
    speed: 20,
    onReady: (run) => (interrupt = run),
  });
  expect([code, looks >= 3]).toEqual([130, true]);
  expect(err).toContain("Connection lost; trying again.");
});
