import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import { Type } from "typebox";
import { afterAll, expect, test } from "vitest";
import { textResult, tool } from "../../tools/index.ts";
import { callTool, gate, inTurn, makeBench, say, settle, text, until } from "./pipeline.fixture.ts";

const dir = mkdtempSync(join(tmpdir(), "pipeline-files-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const png = join(dir, "a.png");
writeFileSync(png, Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(32)]));

const photo = { kind: "image" as const, fileName: "a].png", ref: 1 };

test("an image is named in the prompt and shown to the model", async () => {
  const bench = await makeBench({
    account: { download: async () => ({ path: png, mimeType: "image/png", sizeBytes: 40 }) },
  });
  await bench.receive(text("what is this?", { media: [photo] }));
  await bench.finish();
  expect(bench.asked()[0]).toContain(`what is this?\n[media attached: ${png} (image/png) a.png]`);
  expect(JSON.stringify(bench.state.requests[0]?.messages)).toContain('"mimeType":"image/png"');
});

test("a file that cannot be had is said, and the text is answered all the same", async () => {
  const bench = await makeBench({
    account: { download: () => Promise.reject(new GatewayError("invalid", "the file is gone [from] the server")) },
  });
  await bench.receive(text("see", { media: [photo, { kind: "video", sizeBytes: 2_000_000, ref: 2 }] }));
  await bench.finish();
  expect(bench.asked()[0]).toContain("[media unavailable: 1/2 image, the file is gone from the server]");
  expect(bench.asked()[0]).toContain("[media unavailable: 2/2 video, it is larger than 1 MB]");
  expect(bench.states()).toEqual(["answered"]);
});

test("a download that hangs ends after a minute", async () => {
  const bench = await makeBench({ account: { download: () => new Promise(() => {}) } });
  await bench.receive(text("see", { media: [photo] }));
  await bench.pass(61_000);
  await bench.finish();
  expect(bench.asked()[0]).toContain("[media unavailable: image, it took too long]");
});

test("files of strangers are not fetched", async () => {
  let asked = 0;
  const download = () => {
    asked++;
    return Promise.reject(new Error("no"));
  };
  const bench = await makeBench({ account: { download } });
  await bench.receive(text("see", { media: [photo], sender: { id: "eve" } }));
  await bench.pass(5_000);
  expect(asked).toBe(0);
});

test("files a reply names are sent with it; what may not be sent is said", async () => {
  const bench = await makeBench({
    script: () => say("here you are\nMEDIA:chart.png\nMEDIA:/etc/passwd"),
    media: {
      take: async (source) => {
        if (source === "/etc/passwd") throw new GatewayError("invalid", "Files outside the workspace are not sent.");
        return { path: `/staged/${source}`, mimeType: "image/png" };
      },
    },
  });
  await bench.receive(text("chart please"));
  await bench.finish();
  expect(bench.texts()).toEqual(["/staged/chart.png"]);
  const row = bench.store.get<{ payload: string }>("SELECT payload FROM outbox");
  expect(row?.payload).toContain("here you are\\n\\n⚠️ Files outside the workspace are not sent.");
  expect(bench.states()).toEqual(["answered"]);
});

test("what the tool message sent to this chat already is not said again", async () => {
  const sending = tool({
    name: "sending",
    description: "Sends.",
    params: Type.Object({}),
    effects: true,
    run: async (_args, { runId }) => {
      bench.house.echoes.sentByTool(runId, "fake default ann", "All done.");
      return textResult("sent");
    },
  });
  const bench = await makeBench({
    tools: [sending],
    script: inTurn(
      () => callTool("sending"),
      () => say("  all  DONE. "),
      () => say("All done."),
    ),
  });
  await bench.receive(text("do it"));
  await bench.finish();
  expect(bench.states()).toEqual(["silent no-reply"]);
  await bench.receive(text("and?"));
  await bench.finish();
  expect(bench.texts()).toEqual(["All done."]);
});

test("tags choose the message a reply quotes", async () => {
  const bench = await makeBench({ script: () => say("[[reply_to:m-old]] as I said"), access: { replyToMode: "off" } });
  await bench.receive(text("again?"));
  await bench.finish();
  expect(bench.sent[0]).toMatchObject({ text: "as I said", replyToId: "m-old" });
});

test("a long reply is cut, and only its first part quotes the message unless all shall", async () => {
  const long = `${"a".repeat(3_999)} ${"b".repeat(3_999)} c`;
  for (const [replyToMode, quoting] of [
    ["first", 1],
    ["all", 3],
    ["off", 0],
  ] as const) {
    const bench = await makeBench({ script: () => say(long), access: { replyToMode } });
    await bench.receive(text("hi"));
    await bench.finish();
    expect(bench.sent.filter(({ replyToId }) => replyToId !== undefined)).toHaveLength(quoting);
    expect(bench.texts().join("")).toBe(long);
  }
});

test("the configured prefix stands before replies, not before answers of commands", async () => {
  const bench = await makeBench({ config: { messages: { responsePrefix: "[{model}]" } } });
  await bench.receive(text("hi"));
  await bench.finish();
  await bench.receive(text("/whoami"));
  await bench.finish();
  expect(bench.texts()[0]).toBe("[one] ok");
  expect(bench.texts()[1]).toMatch(/^You are/);
});

test("talking to oneself, replies carry the agent's name, and our own words that come back are nothing", async () => {
  const bench = await makeBench({ access: { allowFrom: [] } });
  const own = (body: string) => text(body, { sender: { id: "me", isSelf: true }, chat: { kind: "direct", id: "me" } });
  await bench.receive(own("hi"));
  await bench.finish();
  expect(bench.texts()).toEqual(["[openclaw] ok"]);
  await bench.receive(own("[openclaw] ok"));
  await bench.finish();
  expect(bench.states()).toEqual(["answered", "ignored own-echo"]);
});

test("files of messages that a crash left over are fetched once the account is there again", async () => {
  const bench = await makeBench({
    account: { download: async () => ({ path: "/m/a.pdf", mimeType: "application/pdf", sizeBytes: 10 }) },
  });
  await bench.storeOnly(text("look", { media: [{ kind: "document", ref: 1 }] }));
  bench.platform.account = false;
  await bench.again();
  await bench.pass(5_000);
  expect(bench.state.requests).toEqual([]);
  bench.platform.account = true;
  await bench.finish();
  expect(bench.asked().at(-1)).toContain("[media attached: /m/a.pdf");
});

test("an account that does not come back is not waited for for ever", async () => {
  const bench = await makeBench();
  await bench.storeOnly(text("look", { media: [{ kind: "document", ref: 1 }] }));
  bench.platform.account = false;
  await bench.again();
  await bench.pass(31_000);
  await bench.finish();
  expect(bench.asked().at(-1)).toContain("[media unavailable: document, the channel is not connected]");
});

test("of messages that waited together the model sees the newest eight images", async () => {
  const held = gate("first");
  const bench = await makeBench({
    script: inTurn(held.script, () => say("seen")),
    account: { download: async () => ({ path: png, mimeType: "image/png", sizeBytes: 40 }) },
  });
  await bench.receive(text("begin"));
  await until(() => bench.state.requests.length === 1);
  for (let n = 0; n < 3; n++) await bench.receive(text(`look ${n}`, { media: Array.from({ length: 4 }, () => photo) }));
  await settle();
  held.open();
  await bench.finish();
  const asked = JSON.stringify(bench.state.requests.at(-1)?.messages.at(-1));
  expect(asked.match(/"mimeType":"image\/png"/g)).toHaveLength(8);
  expect(asked.match(/media attached/g)).toHaveLength(12);
});
