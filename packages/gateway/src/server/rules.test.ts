import { expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { createLogger } from "../kernel/log.ts";
import { AuthLimiter } from "./auth-limiter.ts";
import { FrameWatch } from "./frame-watch.ts";
import { Idempotency } from "./idempotency.ts";
import { jsonLimits, poisonKey, scanJson, topLevelId } from "./json-scan.ts";
import { locate } from "./locality.ts";
import { judgeHost, originAllowed } from "./origin.ts";
import { RateLimiter } from "./rate.ts";
import { RefusalLog, refusalLogLimits } from "./refusal-log.ts";
import { closeReason } from "./refusals.ts";
import { rawPath } from "./target.ts";
import { validationText } from "./validation-text.ts";

const proxies = ["10.0.0.2", "192.168.0.0/24"];

test.each([
  ["127.0.0.1", { host: "localhost:18789" }, "127.0.0.1", true],
  ["127.5.5.5", { host: "127.0.0.1" }, "127.5.5.5", true],
  ["::1", { host: "[::1]:18789" }, "::1", true],
  ["::ffff:127.0.0.1", { host: "localhost" }, "127.0.0.1", true],
  ["127.0.0.1", { host: "box.tail1.ts.net" }, "127.0.0.1", true],
  ["127.0.0.1", { host: "example.com" }, "127.0.0.1", false],
  ["127.0.0.1", { host: "localhost.example.com" }, "127.0.0.1", false],
  ["127.0.0.1", {}, "127.0.0.1", false],
  ["127.0.0.1", { host: "localhost", "x-forwarded-for": "1.2.3.4" }, "127.0.0.1", false],
  ["127.0.0.1", { host: "localhost", "x-real-ip": "1.2.3.4" }, "127.0.0.1", false],
  ["127.0.0.1", { host: "localhost", "x-forwarded-host": "a" }, "127.0.0.1", false],
  ["192.168.1.9", { host: "localhost" }, "192.168.1.9", false],
  ["10.0.0.2", { host: "localhost", "x-forwarded-for": "127.0.0.1" }, "127.0.0.1", true],
  ["10.0.0.2", { host: "localhost", "x-forwarded-for": "5.6.7.8" }, "5.6.7.8", false],
  ["10.0.0.2", { host: "x", "x-forwarded-for": "127.0.0.1, 5.6.7.8" }, "5.6.7.8", false],
  ["10.0.0.2", { host: "x", "x-forwarded-for": "5.6.7.8, 192.168.0.77" }, "5.6.7.8", false],
  ["10.0.0.2", { host: "x", "x-real-ip": "5.6.7.8" }, "5.6.7.8", false],
  ["10.0.0.2", { host: "x", "x-forwarded-for": "rubbish", "x-real-ip": "5.6.7.8" }, "5.6.7.8", false],
  ["10.0.0.2", { host: "x" }, "10.0.0.2", false],
] as const)("peer %s with %j is %s, local %s", (address, headers, clientIp, local) => {
  expect(locate({ address, headers: { ...headers } }, proxies)).toMatchObject({ clientIp, local });
});

const rules = {
  allowedOrigins: ["https://ui.example", "http://BOX.lan:8080"],
  dangerouslyAllowHostHeaderOriginFallback: false,
};

test.each([
  [undefined, "localhost", false],
  ["null", "localhost", false],
  ["not a url", "localhost", false],
  ["file://", "localhost", false],
  ["https://ui.example", "anything", true],
  ["HTTPS://UI.EXAMPLE", "anything", true],
  ["https://ui.example:444", "anything", false],
  ["http://box.lan:8080", "x", true],
  ["http://192.168.1.5:18789", "192.168.1.5:18789", true],
  ["http://192.168.1.5:18789", "192.168.1.5:1", false],
  ["http://192.168.1.5", "192.168.1.5:80", true],
  ["http://[::1]:3000", "localhost:18789", true],
  ["http://localhost:5173", "127.0.0.1:18789", true],
  ["http://localhost.evil.example", "localhost:18789", false],
  ["https://box.tail.ts.net", "box.tail.ts.net", true],
  ["http://evil.example:18789", "evil.example:18789", false],
])("origin %s at host %s: %s", (origin, host, allowed) => {
  expect(originAllowed(origin, host, rules)).toBe(allowed);
});

test("the host fallback and the wildcard must be asked for", () => {
  expect(
    originAllowed("http://evil.example:18789", "evil.example:18789", {
      ...rules,
      dangerouslyAllowHostHeaderOriginFallback: true,
    }),
  ).toBe(true);
  expect(originAllowed("http://anybody.example", "x", { ...rules, allowedOrigins: ["*"] })).toBe(true);
});

test.each([
  ["localhost:1", true, true, "ok"],
  ["a.localhost", true, true, "ok"],
  ["ui.example", true, true, "ok"],
  ["192.168.1.5", true, false, "foreign"],
  ["192.168.1.5", false, true, "ok"],
  ["evil.example", false, true, "foreign"],
  ["evil.example", false, false, "ok"],
  ["", true, true, "missing"],
  [undefined, true, true, "missing"],
  ["local host", true, true, "foreign"],
  ["user@localhost", true, true, "foreign"],
] as const)("Host %s on a loopback bind %s, browser %s: %s", (host, loopbackBind, browser, verdict) => {
  expect(judgeHost(host, { loopbackBind, browser }, rules)).toBe(verdict);
});

test("depth and tokens are counted outside of strings, tokens only in large frames", () => {
  const scan = (text: string) => scanJson(Buffer.from(text));
  expect(scan("[".repeat(100) + "]".repeat(100))).toBe("ok");
  expect(scan("[".repeat(101) + "]".repeat(101))).toBe("too deep");
  expect(scan(JSON.stringify({ a: '[[["\\"['.repeat(100) }))).toBe("ok");
  expect(scan(`[${"1,".repeat(30_000)}1]`)).toBe("ok");
  expect(scan(`[${"1,".repeat(jsonLimits.maxTokens)}1]`)).toBe("too many values");
  expect(topLevelId(Buffer.from('{"params":{"id":"inner"},"id":"outer"}'))).toBe("outer");
  expect(topLevelId(Buffer.from('[{"id":"x"}]'))).toBeUndefined();
  expect(poisonKey('{"constructor":1}', { constructor: 1 })).toBe("constructor");
  expect(poisonKey('{"a":"constructor"}', { a: "constructor" })).toBeUndefined();
});

test("declared lengths are summed over fragments and control frames do not count", () => {
  const header = (first: number, length: number) =>
    Buffer.from([first, 0x80 | 126, length >> 8, length & 255, 1, 2, 3, 4]);
  const watch = new FrameWatch(1_000);
  expect(watch.feed(Buffer.concat([header(0x01, 600), Buffer.alloc(600)]))).toBe(true);
  expect(watch.feed(Buffer.from([0x89, 0x80, 1, 2, 3, 4]))).toBe(true);
  const second = header(0x80, 500);
  for (const byte of second.subarray(0, 7)) expect(watch.feed(Buffer.from([byte]))).toBe(true);
  expect(watch.feed(second.subarray(7))).toBe(false);
  expect(new FrameWatch(1_000).feed(Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]))).toBe(false);
});

test("a close reason is cut to 120 bytes without breaking a character", () => {
  expect(closeReason("a".repeat(200))).toHaveLength(120);
  const cut = closeReason(`${"a".repeat(119)}é${"b".repeat(50)}`);
  expect(cut).toBe("a".repeat(119));
});

test.each([
  ["/a?b=1", "/a"],
  ["/", "/"],
  ["//a", undefined],
  ["http://x/y", undefined],
  ["*", undefined],
  ["/a\\b", undefined],
  [undefined, undefined],
])("target %s has path %s", (target, path) => expect(rawPath(target)).toBe(path));

test("errors of a union of constants become one part", () => {
  const error = (keyword: string, instancePath: string, params = {}, message = "m") => ({
    keyword,
    instancePath,
    params,
    message,
  });
  expect(
    validationText([
      error("const", "/mode"),
      error("const", "/mode"),
      error("anyOf", "/mode"),
      error("type", "/limit", {}, "must be integer"),
      error("additionalProperties", "", { additionalProperty: "z" }),
      error("additionalProperties", "/a", { additionalProperty: "y" }),
      error("required", "/client", {}, "must have required property 'mode'"),
    ]),
  ).toBe(
    "at /mode: must be equal to one of the allowed values; at /limit: must be integer; at root: unexpected property 'z'; " +
      "at /a: unexpected property 'y'; at /client: must have required property 'mode'",
  );
});

test("the rate of a method is kept per key and opens again", async () => {
  const world = fakeWorld();
  const limiter = new RateLimiter(world);
  const rate = { calls: 3, perMs: 60_000 };
  expect([1, 2, 3].map(() => limiter.take("a", rate))).toEqual([0, 0, 0]);
  expect(limiter.take("a", rate)).toBe(60_000);
  expect(limiter.take("b", rate)).toBe(0);
  await world.clock.advance(60_000);
  expect(limiter.take("a", rate)).toBe(0);
});

test("a hundred failures a second stop guessing from everywhere but the owner's machine", () => {
  const limiter = new AuthLimiter(fakeWorld());
  for (let i = 0; i < 100; i++) limiter.failed({ key: `ip:${i}`, lockable: true });
  expect(limiter.lockedForMs({ key: "ip:new", lockable: true })).toBeGreaterThan(0);
  expect(limiter.lockedForMs({ key: "loopback", lockable: false })).toBe(0);
});

test("one key has one outcome: in progress, afterwards, and never for another principal", async () => {
  const idempotency = new Idempotency(fakeWorld());
  let runs = 0;
  const work = async () => ({ ok: true as const, payload: ++runs });
  const [first, second] = await Promise.all([
    idempotency.once("send", "k", "a", work),
    idempotency.once("send", "k", "a", work),
  ]);
  const third = await idempotency.once("send", "k", "a", work);
  for (const outcome of [first, second, third]) expect(outcome).toEqual({ ok: true, payload: 1 });
  expect(await idempotency.once("poll", "k", "a", work)).toEqual({ ok: true, payload: 2 });
  expect(() => idempotency.once("send", "k", "b", work)).toThrow("'k' was used by another client");
});

test("lines that strangers cause are bounded, and what was left out is counted", async () => {
  const world = fakeWorld();
  const lines: string[] = [];
  const log = createLogger({ subsystem: "server", sinks: [(line) => void lines.push(line.message)], now: () => 0 });
  const refusals = new RefusalLog(world, log);
  for (let i = 0; i < 1_000; i++) refusals.warn("refused");
  expect(lines).toHaveLength(refusalLogLimits.burst);
  await world.clock.advance(1_000);
  refusals.info("again");
  expect(lines.slice(-2)).toEqual(["950 lines about refused or failed requests were left out", "again"]);
});
