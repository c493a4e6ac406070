import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import type { EventStream, HttpCall, HttpReply } from "../../kernel/http.ts";
import { silentLogger } from "../../kernel/log.ts";
import { Once, onceLimits } from "./once.ts";

const nothing: EventStream = { open: true, send: () => {}, end: () => {} };

function call(key: string, body = "{}", signal = new AbortController().signal): HttpCall {
  return {
    id: "req",
    method: "POST",
    path: "/v1/x",
    query: new URLSearchParams(),
    headers: { "idempotency-key": key },
    caller: { ip: "127.0.0.1", localDirect: true, authenticated: true },
    signal,
    log: silentLogger,
    bytes: async () => Buffer.from(body),
    json: async () => JSON.parse(body) as unknown,
    events: () => nothing,
  };
}

function setting() {
  const world = fakeWorld();
  const once = new Once(world);
  let runs = 0;
  const answer =
    (chars = 10) =>
    async (): Promise<HttpReply> => ({ json: { run: ++runs, text: "x".repeat(chars) } });
  const runOf = async (key: string, chars?: number) =>
    ((await once.answer(call(key), answer(chars))) as { json: { run: number } }).json.run;
  return { world, once, runOf, runs: () => runs };
}

test("a key that is still being answered is refused however long that takes, and kept for five minutes after", async () => {
  const { world, once, runOf } = setting();
  const slow = Promise.withResolvers<HttpReply>();
  const first = once.answer(call("k"), () => slow.promise);
  await Promise.resolve();
  await world.clock.advance(2 * onceLimits.keptMs);
  await expect(runOf("k")).rejects.toMatchObject({ status: 409 });
  slow.resolve({ json: { run: 7 } });
  await first;
  await world.clock.advance(onceLimits.keptMs - 1);
  expect(await runOf("k")).toBe(7);
  await world.clock.advance(1);
  expect(await runOf("k")).toBe(1);
});

test("what is kept is bounded in number and in size, the oldest answers go first", async () => {
  const { once, runOf } = setting();
  for (let n = 0; n < onceLimits.entries + 5; n++) await runOf(`k${n}`);
  expect([once.size, await runOf("k5"), await runOf("k4")]).toEqual([onceLimits.entries, 6, onceLimits.entries + 6]);
  const large = onceLimits.answerChars - 100;
  for (let n = 0; n < 40; n++) await runOf(`large${n}`, large);
  expect(once.size).toBeLessThanOrEqual(onceLimits.charsInAll / large + 1);
  await expect(runOf("too large", onceLimits.answerChars).then(() => runOf("too large"))).rejects.toMatchObject({
    status: 409,
  });
});

test("a request whose client left, or that failed, leaves nothing behind", async () => {
  const { once, runOf } = setting();
  const gone = new AbortController();
  await once.answer(call("left", "{}", gone.signal), async () => {
    gone.abort();
    return { json: {} };
  });
  await expect(once.answer(call("failed"), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect([once.size, await runOf("left"), await runOf("failed")]).toEqual([0, 1, 2]);
});

test("a key used for another body is refused", async () => {
  const { once, runOf } = setting();
  await runOf("k");
  await expect(once.answer(call("k", '{"a":1}'), async () => undefined)).rejects.toMatchObject({ status: 422 });
});
