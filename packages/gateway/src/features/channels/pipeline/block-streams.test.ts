import { expect, test } from "vitest";
import type { ModelEvent } from "../../models/index.ts";
import { type Bench, callTool, inTurn, makeBench, say, settle, text, until } from "./pipeline.fixture.ts";

const chunk = { blockStreamingChunk: { minChars: 20, maxChars: 60 } };
const on = (more: Record<string, unknown> = {}, others: Record<string, unknown> = {}) => ({
  agents: { defaults: { blockStreamingDefault: "on", ...chunk, ...more } },
  ...others,
});

const first = "The first paragraph is here.\n\n";
const second = "And the second one ends it all.";

/** White space at the end of a text is not shown before more of it comes. */
const head = `${first}And the`;
const tail = second.slice("And the".length);

/** Says the first part, waits, says the rest. */
function paused(begin: string, rest: string) {
  const opened = Promise.withResolvers<void>();
  const script = async function* (_request: unknown, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    yield { type: "text", delta: begin };
    signal.addEventListener("abort", () => opened.resolve(), { once: true });
    await opened.promise;
    yield { type: "text", delta: rest };
    for await (const event of say(begin + rest)) if (event.type === "done") yield event;
  };
  return { script, open: opened.resolve };
}

async function streaming(bench: Bench): Promise<void> {
  await bench.receive(text("go"));
  await until(() => bench.sent.length === 1);
}

test("a finished paragraph is sent while the rest is written, and the end sends only the rest", async () => {
  const { script, open } = paused(head, tail);
  const bench = await makeBench({ config: on(), script });
  await streaming(bench);
  expect(bench.states()).toEqual(["waiting"]);
  open();
  await bench.finish();
  expect(bench.texts()).toEqual([first.trim(), second]);
  expect(bench.sent.map(({ replyToId }) => replyToId !== undefined)).toEqual([true, false]);
  expect(bench.states()).toEqual(["answered"]);
});

test("off by default; the account decides before the default", async () => {
  const off = await makeBench({ config: { agents: { defaults: chunk } }, script: () => say(first + second) });
  await off.receive(text("go"));
  await off.finish();
  expect(off.texts()).toEqual([first + second]);
  const { script, open } = paused(head, tail);
  const account = await makeBench({ config: { agents: { defaults: chunk } }, script });
  account.settings.current = { ...account.settings.current, blockStreaming: true };
  await streaming(account);
  open();
  await account.finish();
  expect(account.texts()).toEqual([first.trim(), second]);
});

test("a text in front of tools is sent when they start", async () => {
  const bench = await makeBench({
    config: on({ blockStreamingBreak: "message_end" }),
    script: inTurn(
      async function* () {
        yield { type: "text", delta: "Let me look." };
        for await (const done of callTool("nothing"))
          if (done.type === "done")
            yield {
              ...done,
              message: { ...done.message, content: [{ type: "text", text: "Let me look." }, ...done.message.content] },
            };
      },
      () => say("Found it."),
    ),
  });
  await bench.receive(text("go"));
  await bench.finish();
  expect(bench.texts()).toEqual(["Let me look.", "Found it."]);
});

test("after a stop nothing more of the answer leaves", async () => {
  const { script, open } = paused(head, tail);
  const bench = await makeBench({ config: on(), script });
  await streaming(bench);
  await bench.receive(text("stop"));
  await until(() => bench.sent.length === 2);
  open();
  await bench.pass(5_000);
  expect(bench.texts()).toEqual([first.trim(), "⚙️ Agent was aborted."]);
  expect(bench.states()).toEqual(["silent stopped", "answered"]);
});

test("a run that said something is not repeated after a crash; the chat is told once", async () => {
  const bench = await makeBench({ config: on(), script: paused(head, tail).script });
  await streaming(bench);
  await settle();
  bench.state.script = () => say("again");
  await bench.again();
  await bench.finish();
  expect(bench.texts()).toEqual([first.trim(), expect.stringContaining("stopped in the middle of this run")]);
  expect(bench.states()).toEqual(["noticed"]);
});

test("silence, files and prefixes that are not known yet wait for the end", async () => {
  const silent = await makeBench({
    config: on({ blockStreamingChunk: { minChars: 1, maxChars: 60 } }),
    script: () => say("NO_REPLY"),
  });
  await silent.receive(text("go"));
  await silent.finish();
  expect(silent.sent).toEqual([]);
  const file = await makeBench({
    config: on(),
    script: () => say(`MEDIA:a.png\n\n${first}${second}`),
    media: { take: async () => ({ path: "/staged/a.png", mimeType: "image/png" }) },
  });
  await file.receive(text("go"));
  await file.finish();
  expect(file.texts()).toEqual(["/staged/a.png"]);
  const prefix = await makeBench({
    config: on({}, { messages: { responsePrefix: "[{model}]" } }),
    script: () => say(first + second),
  });
  await prefix.receive(text("go"));
  await prefix.finish();
  expect(prefix.texts()).toEqual([`[one] ${first}${second}`]);
});

const third = "\n\nA third one comes last of all.";

test("with humanDelay pieces leave with pauses between them, the last with the end", async () => {
  const bench = await makeBench({
    config: on({ humanDelay: { mode: "custom", minMs: 1_000, maxMs: 1_000 } }),
    script: () => say(first + second + third),
  });
  await bench.receive(text("go"));
  await until(() => bench.sent.length === 1);
  await bench.pass(999);
  expect(bench.texts()).toEqual([first.trim()]);
  await bench.pass(1);
  await until(() => bench.sent.length === 2);
  expect(bench.states()).toEqual(["waiting"]);
  await bench.finish();
  expect(bench.texts()).toEqual([first.trim(), second, third.trim()]);
});

test("pauses that would take too long are cut short: the end says the rest at once, nothing twice", async () => {
  const paragraphs = Array.from({ length: 30 }, (_, n) => `Paragraph number ${n} of the answer.`);
  const bench = await makeBench({
    config: on({ humanDelay: { mode: "natural" } }),
    script: () => say(paragraphs.join("\n\n")),
  });
  await bench.receive(text("go"));
  await bench.finish();
  expect(bench.texts().join("\n\n")).toBe(paragraphs.join("\n\n"));
  expect(bench.sent.length).toBeGreaterThan(5);
  expect(bench.sent.length).toBeLessThan(25);
});

test("a stop ends the pauses, and nothing more is said", async () => {
  const bench = await makeBench({
    config: on({ humanDelay: { mode: "custom", minMs: 5_000, maxMs: 5_000 } }),
    script: paused(`${first}${second}\n\nAnd`, " more.").script,
  });
  await bench.receive(text("go"));
  await until(() => bench.sent.length === 1);
  await bench.receive(text("stop"));
  await bench.pass(20_000);
  expect(bench.texts()).toEqual([first.trim(), "⚙️ Agent was aborted."]);
});

test("a session that may not send says nothing early either, also with its first message", async () => {
  const bench = await makeBench({
    config: on({}, { session: { sendPolicy: { default: "deny" } } }),
    script: () => say(first + second),
  });
  await bench.receive(text("go"));
  await bench.finish();
  expect(bench.sent).toEqual([]);
});
