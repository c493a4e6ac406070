/** HELL (reliability.md §4.10) for the Bot API: what a network and a platform can do to a call, and what must follow. Every script
 *  that hits the poll is followed by a healthy attempt that receives what waited; every script that hits a send is judged by what
 *  reached the platform. */
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test, vi } from "vitest";
import type { Fault } from "../../../../../../test/fakes/telegram/index.ts";
import type { ConnectionEnd } from "../channel.ts";
import type { SendOutcome } from "../outbound.ts";
import { type Rig, textPart, withAccount } from "./account.fixture.ts";

const signal = new AbortController().signal;
const html = "<html><body>Bad gateway</body></html>";
const error = (code: number, more: object = {}): Fault => ({ kind: "error", code, ...more });
const http = (status: number, body = html): Fault => ({ kind: "http", status, body });
/** For what hangs; the rest may take its time on a busy machine. */
const short = { pollWaitMs: 200, pollMarginMs: 300, startMs: 500, sendMs: 500, uploadMs: 500 };
const limitsFor = (fault: Fault) => (fault.kind === "hang" ? short : {});

function noToken(rig: Rig, more: unknown): void {
  const said = `${rig.said()} ${JSON.stringify(more)}`;
  expect(said).not.toContain(rig.fake.bot.token);
  expect(said).not.toContain(rig.fake.bot.token.split(":")[1]);
}

const polls: [string, string, Fault, Partial<ConnectionEnd> & { afterMs?: number }][] = [
  [
    "getMe: 401",
    "getMe",
    error(401, { description: "Unauthorized" }),
    { kind: "terminal", reason: "bad-token", status: 401 },
  ],
  [
    "getMe: 404",
    "getMe",
    error(404, { description: "Not Found" }),
    { kind: "terminal", reason: "bad-token", status: 404 },
  ],
  ["getMe: 404 of something else", "getMe", http(404), { kind: "retry", status: 404 }],
  ["getMe: 500", "getMe", error(500), { kind: "retry", status: 500 }],
  ["getMe: 502 page", "getMe", http(502), { kind: "retry", status: 502 }],
  ["getMe: 200 with HTML", "getMe", http(200), { kind: "retry", status: 200 }],
  [
    "getMe: a captive portal's redirect",
    "getMe",
    { kind: "http", status: 302, headers: { location: "http://127.0.0.1:1/" } },
    { kind: "retry", status: 302 },
  ],
  ["getMe: somebody without a name", "getMe", http(200, '{"ok":true,"result":{"id":"x"}}'), { kind: "retry" }],
  ["getMe: hangs", "getMe", { kind: "hang" }, { kind: "retry" }],
  ["getMe: hangs after the headers", "getMe", { kind: "hang", headers: true }, { kind: "retry" }],
  ["getMe: reset before", "getMe", { kind: "reset", when: "before" }, { kind: "retry" }],
  [
    "deleteWebhook: 429",
    "deleteWebhook",
    error(429, { parameters: { retry_after: 9 } }),
    { kind: "retry", status: 429, afterMs: 9_000 },
  ],
  ["deleteWebhook: reset after", "deleteWebhook", { kind: "reset", when: "after" }, { kind: "retry" }],
  ["getUpdates: 401", "getUpdates", error(401), { kind: "terminal", reason: "bad-token" }],
  ["getUpdates: 404", "getUpdates", error(404), { kind: "terminal", reason: "bad-token" }],
  ["getUpdates: 409", "getUpdates", error(409), { kind: "retry", status: 409, afterMs: 2_000 }],
  ["getUpdates: 429", "getUpdates", error(429, { parameters: { retry_after: 3 } }), { kind: "retry", afterMs: 3_000 }],
  ["getUpdates: 400", "getUpdates", error(400), { kind: "retry", status: 400 }],
  ["getUpdates: 502", "getUpdates", error(502), { kind: "retry", status: 502 }],
  ["getUpdates: 502 page", "getUpdates", http(502), { kind: "retry", status: 502 }],
  ["getUpdates: 401 page of a proxy", "getUpdates", http(401), { kind: "retry", status: 401 }],
  ["getUpdates: empty 200", "getUpdates", http(200, ""), { kind: "retry", status: 200 }],
  ["getUpdates: half an answer", "getUpdates", { kind: "reset", when: "middle" }, { kind: "retry" }],
  ["getUpdates: truncated JSON", "getUpdates", http(200, '{"ok":true,"result":[{'), { kind: "retry" }],
  ["getUpdates: not a list", "getUpdates", http(200, '{"ok":true,"result":{}}'), { kind: "retry" }],
  ["getUpdates: updates without ids", "getUpdates", http(200, '{"ok":true,"result":[{},null]}'), { kind: "retry" }],
  ["getUpdates: an error without a code", "getUpdates", http(200, '{"ok":false}'), { kind: "retry" }],
  ["getUpdates: null", "getUpdates", http(200, "null"), { kind: "retry" }],
  ["getUpdates: hangs", "getUpdates", { kind: "hang" }, { kind: "retry" }],
  ["getUpdates: hangs after the headers", "getUpdates", { kind: "hang", headers: true }, { kind: "retry" }],
  ["getUpdates: reset after", "getUpdates", { kind: "reset", when: "after" }, { kind: "retry" }],
  ["getUpdates: never ends", "getUpdates", { kind: "endless" }, { kind: "retry" }],
];

test.each(polls)("poll, %s", (_name, method, fault, expected) =>
  withAccount(
    async (rig) => {
      const { fake } = rig;
      const { updateId } = fake.chats.message(fake.bot, 42, { text: "waiting" });
      fake.fault(method, fault);
      const end = await rig.connect().end;
      expect(end).toMatchObject(expected);
      if (!("afterMs" in expected)) expect(end).not.toHaveProperty("afterMs");
      expect(fake.bot.confirmedOffset).toBe(0);
      noToken(rig, end);
      fake.heal();
      rig.patient();
      rig.connect();
      await fake.until(() => fake.bot.confirmedOffset > updateId);
      expect(rig.messages.map(({ text }) => text)).toEqual(["waiting"]);
    },
    { limits: limitsFor(fault) },
  ),
);

const sends: [string, Fault, Partial<SendOutcome> & { afterMs?: number }, number][] = [
  [
    "429",
    error(429, { parameters: { retry_after: 7 } }),
    { state: "retry", reason: "rate-limited", afterMs: 7_000 },
    0,
  ],
  ["429 without a wait", error(429), { state: "retry", reason: "rate-limited" }, 0],
  ["500 in an envelope", error(500), { state: "retry", reason: "platform" }, 0],
  ["502 as a page", http(502), { state: "unknown", reason: "no-answer" }, 0],
  ["504 as a page, after it was done", { ...http(504), apply: true }, { state: "unknown", reason: "no-answer" }, 1],
  ["413 as a page", http(413), { state: "failed", reason: "too-large" }, 0],
  ["400", error(400, { description: "Bad Request: strange" }), { state: "failed", reason: "rejected" }, 0],
  ["401", error(401), { state: "retry", reason: "bad-token", account: true }, 0],
  ["403", error(403), { state: "failed", reason: "blocked" }, 0],
  ["404", error(404), { state: "failed", reason: "rejected" }, 0],
  ["200 with HTML", http(200), { state: "unknown" }, 0],
  ["200 with half a message", http(200, '{"ok":true,"result":{}}'), { state: "unknown", reason: "no-answer" }, 0],
  ["200 with nothing", http(200, '{"ok":true,"result":null}'), { state: "unknown", reason: "no-answer" }, 0],
  ["reset after it was read", { kind: "reset", when: "after" }, { state: "unknown" }, 0],
  ["reset after it was done", { kind: "reset", when: "after", apply: true }, { state: "unknown" }, 1],
  ["reset in the answer", { kind: "reset", when: "middle", apply: true }, { state: "unknown" }, 1],
  ["no answer", { kind: "hang" }, { state: "unknown", reason: "timeout" }, 0],
  ["no answer after it was done", { kind: "hang", apply: true }, { state: "unknown", reason: "timeout" }, 1],
  ["headers, and nothing more", { kind: "hang", headers: true }, { state: "unknown", reason: "timeout" }, 0],
  ["an answer that never ends", { kind: "endless", apply: true }, { state: "unknown" }, 1],
  ["slow, but in time", { kind: "slow", ms: 60 }, { state: "sent" }, 1],
];

test.each(sends)("send, %s", (_name, fault, expected, delivered) =>
  withAccount(
    async (rig) => {
      const { fake } = rig;
      fake.chats.add({ id: 42 });
      rig.connect();
      await rig.polling();
      fake.fault("sendMessage", fault);
      const outcome = await rig.account.send(textPart("42", "x"), { signal });
      expect(outcome).toMatchObject(expected);
      if (!("afterMs" in expected)) expect(outcome).not.toHaveProperty("afterMs");
      // Asked once: what may have arrived is never sent again by itself.
      expect(fake.calls("sendMessage")).toHaveLength(1);
      expect(fake.chats.sent).toHaveLength(delivered);
      noToken(rig, outcome);
    },
    { limits: { ...limitsFor(fault), pollWaitMs: 2_000 } },
  ),
);

/** A port that hangs up as soon as somebody speaks. */
async function rudePort(): Promise<{ url: string; server: Server }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

test("what never left this machine is known: nobody listens, no such host, no TLS, hung up before TLS", () =>
  withAccount(async (rig) => {
    const closed = await rudePort();
    await new Promise((resolve) => closed.server.close(resolve));
    const rude = await rudePort();
    const places: [string, string][] = [
      [`http://${closed.url}`, "ECONNREFUSED"],
      ["http://telegram.invalid", "ENOTFOUND"],
      [rig.fake.url.replace("http:", "https:"), "ERR_SSL"],
      [`https://${rude.url}`, "ECONNRESET"],
    ];
    for (const [apiRoot, errno] of places) {
      rig.config["apiRoot"] = apiRoot;
      const end = await rig.connect().end;
      expect(end).toMatchObject({ kind: "retry", message: expect.stringContaining(errno) });
      expect(end).toMatchObject({ message: expect.stringContaining("could not be reached") });
      noToken(rig, end);
    }
    rude.server.close();
  }));

test("a send whose connection is refused is retried, not unknown", () =>
  withAccount(
    async (rig) => {
      rig.fake.chats.add({ id: 42 });
      const { end, stop } = rig.connect();
      await rig.polling();
      stop.abort();
      await end;
      await rig.fake.close();
      // A kept connection may not have noticed yet; what went into one of those is of unknown fate.
      await vi.waitFor(async () =>
        expect(await rig.account.send(textPart("42", "x"), { signal })).toMatchObject({
          state: "retry",
          reason: "network",
        }),
      );
      const gone = new AbortController();
      gone.abort();
      expect(await rig.account.send(textPart("42", "x"), { signal: gone.signal })).toMatchObject({
        state: "retry",
        reason: "aborted",
      });
    },
    { limits: short },
  ));

test("a send that is given up on its way is unknown", () =>
  withAccount(async (rig) => {
    rig.fake.chats.add({ id: 42 });
    rig.connect();
    await rig.polling();
    rig.fake.fault("sendMessage", { kind: "hang" });
    const stop = new AbortController();
    const outcome = rig.account.send(textPart("42", "x"), { signal: stop.signal });
    await rig.fake.until(() => rig.fake.calls("sendMessage").length === 1);
    stop.abort();
    expect(await outcome).toMatchObject({ state: "unknown", reason: "aborted" });
  }));

test("twelve errnos at the dial: none escapes, those of a connection that was never made are told apart", async () => {
  const before = [
    "ECONNREFUSED",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ENETUNREACH",
    "ENETDOWN",
    "EHOSTUNREACH",
    "UND_ERR_CONNECT_TIMEOUT",
  ];
  const after = [
    "ECONNRESET",
    "EPIPE",
    "ETIMEDOUT",
    "UND_ERR_SOCKET",
    "UND_ERR_HEADERS_TIMEOUT",
    "UND_ERR_BODY_TIMEOUT",
  ];
  for (const code of [...before, ...after]) {
    let failing = false;
    const dial = (input: string | URL, init?: RequestInit) => {
      if (!failing) return fetch(input, init);
      const cause = Object.assign(new AggregateError([Object.assign(new Error(code), { code })], code), { code });
      return Promise.reject(new TypeError("fetch failed", { cause }));
    };
    await withAccount(
      async (rig) => {
        rig.fake.chats.add({ id: 42 });
        rig.connect();
        await rig.polling();
        failing = true;
        const outcome = await rig.account.send(textPart("42", "x"), { signal });
        expect(outcome.state, code).toBe(before.includes(code) ? "retry" : "unknown");
        expect(await rig.connect().end).toMatchObject({ kind: "retry", message: expect.stringContaining(code) });
        failing = false;
      },
      { world: { fetch: dial } },
    );
  }
});

test("a thousand updates arrive in order, each once, with their offsets confirmed after they were stored", () =>
  withAccount(async (rig) => {
    const { fake } = rig;
    const ids: number[] = [];
    for (let n = 0; n < 1_000; n++) ids.push(fake.chats.message(fake.bot, 42, { text: `m${n}` }).updateId);
    rig.onReceive = async (batch) =>
      expect(fake.bot.confirmedOffset).toBeLessThanOrEqual(Number(batch.cursor) - batch.messages.length + 1);
    rig.connect();
    const last = ids.at(-1) ?? 0;
    await fake.until(() => fake.bot.confirmedOffset > last, 10_000);
    expect(rig.messages.map(({ text }) => text)).toEqual(ids.map((_, n) => `m${n}`));
    expect(fake.bot.ledger.every((fate) => fate.confirmed && fate.delivered === 1)).toBe(true);
  }));
