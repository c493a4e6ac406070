import { expect, test } from "vitest";
import { hang, makeBench, say, settle, texts, until } from "./agents.fixture.ts";
import { imageType } from "./attachments.ts";

const png = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(40)]).toString("base64");
const pdf = Buffer.from("%PDF-1.7 something").toString("base64");

test.each([
  [{ channel: "zz" }, "invalid agent params: unknown channel: zz"],
  [{ replyChannel: "zz" }, "invalid agent params: unknown channel: zz"],
  [{ agentId: "zz" }, 'invalid agent params: unknown agent id "zz"'],
  [{ agentId: "../../x" }, 'invalid agent params: unknown agent id "../../x"'],
  [
    { agentId: "work", sessionKey: "agent:main:main" },
    'invalid agent params: agent "work" does not match session key agent "main"',
  ],
  [{ sessionKey: "../../x" }, "invalid session key"],
  [{ thinking: "huge", sessionKey: "main" }, 'invalid thinking level "huge"'],
])("agent with %j is refused before anything is stored", async (params, message) => {
  const bench = makeBench({ config: { agents: { list: [{ id: "main" }, { id: "work" }] } } });
  await expect(bench.agent({ message: "hi", idempotencyKey: "k", ...params })).rejects.toThrow(message);
  expect(bench.row("agent", "k")).toBeUndefined();
  expect(bench.log.filter(({ kind }) => kind === "ack")).toEqual([]);
});

test.each([
  [{ agentId: "work" }, "agent:work:main"],
  [{ agentId: "Work", sessionKey: "notes" }, "agent:work:notes"],
  [{ sessionKey: "main", agentId: "main", sessionId: "abc", to: "+1555" }, "agent:main:main"],
  [{ sessionId: "Fixture-1" }, "agent:main:explicit:fixture-1"],
  [{ to: "+15550100" }, "agent:main:main"],
  [{ channel: "whatsapp", sessionKey: "main" }, "agent:main:main"],
])("agent with %j runs in %s", async (params, key) => {
  const bench = makeBench({ config: { agents: { list: [{ id: "main" }, { id: "work" }] } } });
  const answer = await bench.agent({ message: "hi", idempotencyKey: "k", ...params });
  expect(bench.events("agent")[0]?.sessionKey).toBe(key);
  const wanted = "sessionId" in params && !("sessionKey" in params) ? "Fixture-1" : bench.sessions.get(key)?.sessionId;
  expect(answer).toMatchObject({ result: { meta: { agentMeta: { sessionId: wanted } } } });
});

test("`to` follows session.dmScope", async () => {
  const bench = makeBench({ config: { session: { dmScope: "per-channel-peer" } } });
  await bench.agent({ message: "hi", idempotencyKey: "k", to: "+1 555 0100", channel: "whatsapp" });
  expect(bench.events("agent")[0]?.sessionKey).toBe("agent:main:whatsapp:dm:+15550100");
});

test("a session that may not send refuses", async () => {
  const bench = makeBench();
  await bench.store.commit(
    (tx) => (
      bench.sessions.ensure(tx, "agent:main:main"),
      bench.sessions.update(tx, "agent:main:main", { sendPolicy: "deny" })
    ),
  );
  await expect(bench.chat("hi", "k")).rejects.toThrow("send blocked by session policy");
  await expect(bench.agent({ message: "hi", idempotencyKey: "k", agentId: "main" })).rejects.toThrow(
    "send blocked by session policy",
  );
});

test("images by content: a data URL works, a pdf is dropped, the model sees the image", async () => {
  const bench = makeBench();
  await bench.chat("look", "k", {
    attachments: [
      { content: `data:image/jpeg;base64,${png}`, fileName: "a.jpg" },
      { content: pdf, mimeType: "image/png" },
    ],
  });
  await until(() => bench.events("chat").some(({ state }) => state === "final"));
  const content = bench.transcript()[0]?.content;
  expect(content).toMatchObject([
    { type: "text", text: "look" },
    { type: "image", mimeType: "image/png" },
  ]);
  expect(bench.state.requests[0]?.messages[0]?.content).toHaveLength(2);
  expect(bench.row("chat", "k")?.request).toEqual({});
});

test("a model without eyes gets a note instead", async () => {
  const bench = makeBench({ model: { input: ["text"] } });
  await bench.chat("look", "k", { attachments: [{ content: png }] });
  await until(() => bench.state.requests.length === 1);
  expect(JSON.stringify(bench.state.requests[0]?.messages)).toContain("this model cannot see images");
});

test.each([
  ["an empty message", "", undefined, "message or attachment required"],
  ["blank text and only a pdf", " ", [{ content: pdf }], "message or attachment required"],
  [
    "text that is no base64",
    "x",
    [{ content: "%%%", fileName: "a.png" }],
    "Error: attachment a.png: invalid base64 content",
  ],
  [
    "an image one byte too big",
    "x",
    [{ content: Buffer.alloc(5_000_001).toString("base64"), type: "image" }],
    "Error: attachment image: exceeds size limit (5000001 > 5000000 bytes)",
  ],
])("chat.send refuses %s", async (_what, message, attachments, text) => {
  const bench = makeBench();
  await expect(bench.chat(message, "k", attachments ? { attachments } : {})).rejects.toThrow(text);
  expect(bench.sessions.get("agent:main:main")).toBeUndefined();
});

test("an image of exactly 5 000 000 bytes is accepted, and an image alone is enough", async () => {
  const bench = makeBench();
  const bytes = Buffer.alloc(5_000_000);
  bytes.write("\x89PNG\r\n\x1a\n", "latin1");
  expect(await bench.chat("", "k", { attachments: [{ content: bytes.toString("base64") }] })).toEqual({
    runId: "k",
    status: "started",
  });
  await until(() => bench.row("chat", "k")?.state === "ok");
});

test("the kinds of images are told by their first bytes", () => {
  expect(imageType(Buffer.from("GIF89a......"))).toBe("image/gif");
  expect(imageType(Buffer.from("RIFF\0\0\0\0WEBPVP8 ", "latin1"))).toBe("image/webp");
  expect(imageType(Buffer.from([0xff, 0xd8, 0xff, 0xe0]))).toBe("image/jpeg");
  expect(imageType(Buffer.from("<svg onload=alert(1)>"))).toBeUndefined();
});

test("both names of the main session mean the same, and hostile keys stay data", async () => {
  const bench = makeBench();
  await bench.chat("one", "__proto__");
  await bench.chat("two", "constructor", { sessionKey: "agent:main:main" });
  await until(() => bench.events("chat").filter(({ state }) => state === "final").length === 2);
  expect(new Set(bench.events("agent").map(({ sessionKey }) => sessionKey))).toEqual(new Set(["agent:main:main"]));
  expect(({} as Record<string, unknown>)["state"]).toBeUndefined();
});

test("thinking of the request wins over the session's", async () => {
  const bench = makeBench();
  await bench.chat("hi", "k", { thinking: "ultra" });
  await until(() => bench.state.requests.length === 1);
  expect(bench.state.requests[0]?.thinking).toBe("high");
});

test("extraSystemPrompt stands in the prompt; the reply prefix in front of the payload, not of commands", async () => {
  const bench = makeBench({ config: { messages: { responsePrefix: "<{provider}>" } }, script: () => say("hello") });
  const answer = await bench.agent({
    message: "hi",
    idempotencyKey: "k",
    agentId: "main",
    extraSystemPrompt: "Speak Latin.",
  });
  expect(bench.state.requests[0]?.system).toContain("Speak Latin.");
  expect(answer).toMatchObject({ result: { payloads: [{ text: "<mock> hello" }] } });
});

test("system events go into the next prompt once, before the message", async () => {
  const bench = makeBench();
  bench.systemEvents.enqueue("agent:main:main", "the backup finished");
  await bench.chat("hi", "k");
  await until(() => bench.row("chat", "k")?.state === "ok");
  expect(JSON.stringify(bench.state.requests[0]?.messages[0])).toMatch(
    /System: \[2026-02-13T18:26:00.000Z\] the backup finished/,
  );
  expect(texts(bench.transcript())).toEqual(["user: hi", "assistant: ok"]);
  expect(bench.systemEvents.has("agent:main:main")).toBe(false);
  await settle(1);
});

test("a stale session rolls over at the next message", async () => {
  const bench = makeBench();
  await bench.chat("yesterday", "k1");
  await until(() => bench.row("chat", "k1")?.state === "ok");
  const before = bench.sessions.get("agent:main:main")?.sessionId;
  bench.world.clock.shiftWall(25 * 3_600_000);
  await bench.chat("today", "k2");
  await until(() => bench.row("chat", "k2")?.state === "ok");
  expect(bench.sessions.get("agent:main:main")?.sessionId).not.toBe(before);
  expect(texts(bench.transcript())).toEqual(["user: today", "assistant: ok"]);
});

test("a full disk while accepting refuses and forgets the key", async () => {
  const bench = makeBench({ script: hang() });
  const { store } = bench;
  const commit = store.commit.bind(store);
  store.commit = () => Promise.reject(new Error("disk full"));
  await expect(bench.chat("hi", "k")).rejects.toThrow("disk full");
  store.commit = commit;
  expect(await bench.chat("hi", "k")).toMatchObject({ status: "started" });
});
