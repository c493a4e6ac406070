import { expect, test } from "vitest";
import type { ChannelEntry } from "../channel.ts";
import { wasCut } from "../compose.ts";
import { whatsappEntry } from "../whatsapp/entry.ts";
import { settingsOf } from "./pipeline.fixture.ts";
import { readSaid, replyParts } from "./reply-parts.ts";

test.each([
  ["plain", { text: "plain", media: [], asVoice: false }],
  ["NO_REPLY", { text: "" }],
  ["no_reply", { text: "" }],
  ["HEARTBEAT_OK", { text: "" }],
  ["fine\nNO_REPLY", { text: "fine" }],
  ["NO_REPLY is a token", { text: "NO_REPLY is a token" }],
  ["[[reply_to_current]] hi", { text: "hi", replyTo: { current: true } }],
  ["hi [[ reply_to: m42 ]]", { text: "hi", replyTo: { id: "m42" } }],
  ["[[audio_as_voice]]\nMEDIA:out/a.ogg", { text: "", media: ["out/a.ogg"], asVoice: true }],
  ["see\nMEDIA: `https://x.test/a b.png`\nthere", { text: "see\nthere", media: ["https://x.test/a b.png"] }],
  ["see\n`MEDIA: https://x.test/a.png`\nthere", { text: "see\nthere", media: ["https://x.test/a.png"] }],
  ["```\nMEDIA:/etc/passwd\n```", { text: "```\nMEDIA:/etc/passwd\n```", media: [] }],
  ["  MEDIA: a b  ", { text: "", media: ["a b"] }],
  ["MEDIA: `` ", { text: "MEDIA: ``", media: [] }],
  ["MEDIA:a`b", { text: "MEDIA:a`b", media: [] }],
  ["<final>done</final>", { text: "done" }],
  ["MEDIA:", { text: "MEDIA:", media: [] }],
])("%j", (raw, expected) => {
  expect(readSaid(raw)).toMatchObject(expected);
});

test("more than ten files of one text are left out", () => {
  expect(readSaid(Array.from({ length: 20 }, (_, n) => `MEDIA:f${n}`).join("\n")).media).toHaveLength(10);
});

test.each([
  ["a media line", `MEDIA:x${" ".repeat(20_000)}\`y`],
  ["a tag", `[[reply_to:${" ".repeat(20_000)}`],
  ["blanks before a tag", `a${" ".repeat(50_000)}b`],
])("%s full of blanks takes no time to read", (_what, raw) => {
  const started = performance.now();
  readSaid(raw);
  expect(performance.now() - started).toBeLessThan(100);
});

test("an answer of more texts than a message may have ends with a word about what was left out", () => {
  const texts = Array.from({ length: 70 }, (_, n) => ({ said: readSaid(`text ${n}`), text: `text ${n}`, files: [] }));
  const parts = replyParts({
    entry: whatsappEntry as ChannelEntry,
    settings: settingsOf(),
    target: { chatId: "ann", kind: "direct" },
    replyToId: undefined,
    texts,
  });
  expect(parts).toHaveLength(64);
  expect(wasCut(parts)).toBe(true);
  expect(parts[62]?.content).toMatchObject({ body: { plain: "text 62" } });
});
