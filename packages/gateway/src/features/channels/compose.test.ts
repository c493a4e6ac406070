import { expect, test } from "vitest";
import { composeParts, maxParts, wasCut } from "./compose.ts";
import { memoryEntry } from "./memory.fixture.ts";
import { readSaid } from "./pipeline/reply-parts.ts";
import { whatsappEntry } from "./whatsapp/entry.ts";
import { telegramEntry } from "./telegram/entry.ts";

const { render } = memoryEntry({ accounts: () => [], account: () => ({}) as never });
const entry = { render, captionLimit: 20 };
const settings = { textChunkLimit: 10, chunkMode: "length" as const, tables: "off" as const };
const target = { chatId: "ann", kind: "direct" as const };
const file = (name: string) => ({ path: `/m/${name}`, mimeType: "image/png", fileName: name });

const shown = (outgoing: Omit<Parameters<typeof composeParts>[2], "target">) =>
  composeParts(entry, settings, { target, ...outgoing }).map(({ content, replyToId }) => {
    const what =
      content.type === "text"
        ? content.body.plain
        : content.type === "media"
          ? `<${content.fileName}>${content.caption?.plain ?? ""}`
          : "poll";
    return replyToId ? `${what} ^${replyToId}` : what;
  });

test("nothing to say is no message", () => {
  expect(shown({ text: " \n" })).toEqual([]);
});

test("a text is cut and its parts stay in order", () => {
  expect(shown({ text: "one two three four" })).toEqual(["one two", "three four"]);
});

test("the first file carries the text, the others come without", () => {
  expect(shown({ text: "look here", files: [file("a"), file("b"), file("c")] })).toEqual([
    "<a>look here",
    "<b>",
    "<c>",
  ]);
});

test("a text that is too long to travel with a file follows the files", () => {
  expect(shown({ text: "one two three four", files: [file("a"), file("b")] })).toEqual([
    "<a>",
    "<b>",
    "one two",
    "three four",
  ]);
});

test("which parts quote the message is the caller's choice", () => {
  const text = "one two three four";
  expect(shown({ text, replyToId: "m1" })).toEqual(["one two ^m1", "three four"]);
  expect(shown({ text, replyToId: "m1", replyToMode: "all" })).toEqual(["one two ^m1", "three four ^m1"]);
  expect(shown({ text, replyToId: "m1", replyToMode: "off" })).toEqual(["one two", "three four"]);
});

test("no message has parts without end, and the last one says that something was left out", () => {
  const long = Array.from({ length: 500 }, () => "aaaaaaaaa").join(" ");
  for (const files of [[], [file("a"), file("b")]]) {
    const parts = composeParts(entry, settings, { target, text: long, files });
    expect(parts).toHaveLength(maxParts);
    expect(wasCut(parts)).toBe(true);
    expect(parts.at(-1)?.content).toMatchObject({ body: { plain: expect.stringContaining("left out") } });
  }
  expect(wasCut(composeParts(entry, settings, { target, text: "short" }))).toBe(false);
});

test("a hundred paragraphs arrive, in fewer messages than they are", () => {
  const text = Array.from({ length: 100 }, (_, n) => `paragraph ${n}`).join("\n\n");
  const shape = { textChunkLimit: 4_000, chunkMode: "newline" as const, tables: "off" as const };
  const parts = composeParts(whatsappEntry, shape, { target, text });
  expect(parts.length).toBeLessThan(maxParts);
  const said = parts.map(({ content }) => (content.type === "text" ? content.body.plain : "")).join("\n");
  for (let n = 0; n < 100; n++) expect(said).toContain(`paragraph ${n}`);
  expect(composeParts(whatsappEntry, shape, { target, text: "one\n\ntwo" })).toHaveLength(2);
});

test("each platform shows a table in its own way unless the config says otherwise", () => {
  const table = "| Name | N |\n|---|---|\n| Ann | 1 |";
  const said = readSaid(table).text;
  const text = (channel: "whatsapp" | "telegram", tables?: "off" | "bullets" | "code") => {
    const adapter = channel === "whatsapp" ? whatsappEntry : telegramEntry;
    const section = { botToken: "1:a", ...(tables ? { markdown: { tables } } : {}) };
    const [account] = adapter.accounts({ channels: { [channel]: section } }, {});
    if (!account) throw new Error("no account");
    const [part] = composeParts(adapter, account, { target, text: said });
    return part?.content.type === "text" ? part.content.body.text : "";
  };
  expect(text("whatsapp")).toBe("*Ann*\n• N: 1");
  expect(text("telegram")).toBe("<pre>Name | N\n-----|--\nAnn  | 1</pre>");
  expect(text("whatsapp", "code")).toBe("```Name | N\n-----|--\nAnn  | 1```");
  expect(text("telegram", "bullets")).toBe("<b>Ann</b>\n• N: 1");
  expect(text("telegram", "off")).toBe(table);
});

test("both platforms cut at 4000 characters unless the channel, or the account before it, says otherwise", () => {
  for (const adapter of [whatsappEntry, telegramEntry]) {
    const limits = (section: Record<string, unknown>) =>
      adapter.accounts({ channels: { [adapter.id]: section } }, {}).map(({ textChunkLimit }) => textChunkLimit);
    expect(limits({})).toEqual([4_000]);
    expect(limits({ textChunkLimit: 900 })).toEqual([900]);
    expect(limits({ textChunkLimit: 900, accounts: { a: { textChunkLimit: 300 }, b: {} } })).toEqual([300, 900]);
  }
});
