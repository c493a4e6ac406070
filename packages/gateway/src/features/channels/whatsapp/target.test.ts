import { expect, test } from "vitest";
import { normalizeSender, parseTarget } from "./target.ts";

test.each([
  ["+15551234567", { chatId: "+15551234567", kind: "direct" }],
  ["1 (555) 123-4567", { chatId: "+15551234567", kind: "direct" }],
  ["0049 151 12345678", { chatId: "+4915112345678", kind: "direct" }],
  ["whatsapp:+15551234567", { chatId: "+15551234567", kind: "direct" }],
  ["whatsapp:whatsapp: +15551234567", { chatId: "+15551234567", kind: "direct" }],
  ["15551234567@s.whatsapp.net", { chatId: "+15551234567", kind: "direct" }],
  ["15551234567:7@s.whatsapp.net", { chatId: "+15551234567", kind: "direct" }],
  ["1234567890123@lid", { chatId: "1234567890123@lid", kind: "direct" }],
  ["1234567890123:4@lid", { chatId: "1234567890123@lid", kind: "direct" }],
  ["120363012345678901@g.us", { chatId: "120363012345678901@g.us", kind: "group" }],
  ["whatsapp:group:15551234567-1600000000@g.us", { chatId: "15551234567-1600000000@g.us", kind: "group" }],
])("%s is a destination", (typed, target) => {
  expect(parseTarget(typed)).toEqual(target);
});

test.each([
  "",
  "   ",
  "ann",
  "@ann",
  "123",
  "status@broadcast",
  "12345@newsletter",
  "abc@s.whatsapp.net",
  "+1555123456789012345",
])("%j is none, and the refusal shows what is", (typed) => {
  expect(() => parseTarget(typed)).toThrow(/use a number like \+1555/u);
});

test("senders are compared as numbers, whatever they are written like", () => {
  const spellings = ["+1 555 123 4567", "15551234567", "whatsapp:+15551234567", "15551234567:3@s.whatsapp.net"];
  expect(new Set(spellings.map(normalizeSender))).toEqual(new Set(["+15551234567"]));
  expect(normalizeSender("123456:2@LID")).toBe("123456@lid");
  expect(normalizeSender(" * ")).toBe("*");
  for (const once of ["+15551234567", "123456@lid", "*", "120363@g.us"]) expect(normalizeSender(once)).toBe(once);
});
