import { expect, test } from "vitest";
import type { OutboundContent, OutboundPart } from "../outbound.ts";
import { addressOf, messageOf, wordsApart } from "./outgoing.ts";

const part = (content: OutboundContent): OutboundPart => ({ target: { chatId: "+49151", kind: "direct" }, content });
const caption = { text: "*look*", plain: "look" };
const file = (mimeType: string, more: Partial<Extract<OutboundContent, { type: "media" }>> = {}) =>
  messageOf(part({ type: "media", path: "/m/file.bin", mimeType, caption, ...more }), undefined);

test("numbers are addressed as such, local ids and groups as they are", () => {
  expect(addressOf("+4915112345678")).toBe("4915112345678@s.whatsapp.net");
  expect(addressOf("77@lid")).toBe("77@lid");
  expect(addressOf("120363@g.us")).toBe("120363@g.us");
});

test("pictures, videos and documents carry their words; a document its name", () => {
  const url = { url: "/m/file.bin" };
  expect(file("image/png")).toEqual({ image: url, mimetype: "image/png", caption: "*look*" });
  expect(file("video/mp4")).toEqual({ video: url, mimetype: "video/mp4", caption: "*look*" });
  expect(file("video/mp4", { gifPlayback: true })).toMatchObject({ video: url, gifPlayback: true });
  expect(file("application/pdf", { fileName: "plan.pdf" })).toEqual({
    document: url,
    mimetype: "application/pdf",
    fileName: "plan.pdf",
    caption: "*look*",
  });
  expect(file("image/svg+xml"), "no phone shows it").toMatchObject({ document: url, fileName: "file.bin" });
});

test("audio is a voice note, named as opus where it is that; its words go apart, for it carries none", () => {
  const url = { url: "/m/file.bin" };
  expect(file("audio/ogg")).toEqual({ audio: url, ptt: true, mimetype: "audio/ogg; codecs=opus" });
  expect(file("audio/mpeg")).toEqual({ audio: url, ptt: true, mimetype: "audio/mpeg" });
  expect(wordsApart(part({ type: "media", path: "/m", mimeType: "audio/ogg", caption }))).toMatchObject({
    before: { content: { type: "text", body: caption } },
    voice: { content: { type: "media", path: "/m", mimeType: "audio/ogg" } },
  });
  expect(wordsApart(part({ type: "media", path: "/m", mimeType: "image/png", caption }))).toBeUndefined();
});

test("a poll has its question, its options and how many may be chosen", () => {
  const poll = { type: "poll" as const, question: "Tea?", options: ["yes", "no"], maxSelections: 2 };
  expect(messageOf(part(poll), undefined)).toEqual({
    poll: { name: "Tea?", values: ["yes", "no"], selectableCount: 2 },
  });
});
