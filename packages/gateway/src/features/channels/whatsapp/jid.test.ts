import { expect, test } from "vitest";
import { bareJid, e164Of, isDirect, isGroup, isLid, isPn, jidOf, parseJid } from "./jid.ts";

test.each([
  ["4915112345678@s.whatsapp.net", { direct: true, pn: true, lid: false, group: false }],
  ["4915112345678:12@s.whatsapp.net", { direct: true, pn: true, lid: false, group: false }],
  ["4915112345678:99@hosted", { direct: true, pn: true, lid: false, group: false }],
  ["123456789012@lid", { direct: true, pn: false, lid: true, group: false }],
  ["123456789012:3@lid", { direct: true, pn: false, lid: true, group: false }],
  ["123456789012:3@hosted.lid", { direct: true, pn: false, lid: true, group: false }],
  ["120363012345678901@g.us", { direct: false, pn: false, lid: false, group: true }],
  ["15551234567-1600000000@g.us", { direct: false, pn: false, lid: false, group: true }],
  ["status@broadcast", { direct: false, pn: false, lid: false, group: false }],
  ["1600000000@broadcast", { direct: false, pn: false, lid: false, group: false }],
  ["120363012345678901@newsletter", { direct: false, pn: false, lid: false, group: false }],
  ["13135550002@bot", { direct: false, pn: false, lid: false, group: false }],
])("%s is known by its form", (jid, { direct, pn, lid, group }) => {
  expect([isDirect(jid), isPn(jid), isLid(jid), isGroup(jid)]).toEqual([direct, pn, lid, group]);
});

test("all devices of a person have one address, and a number has its digits behind a plus; a local id is no number", () => {
  expect(bareJid("4915112345678:12@s.whatsapp.net")).toBe("4915112345678@s.whatsapp.net");
  expect(bareJid("4915112345678:99@hosted")).toBe("4915112345678@s.whatsapp.net");
  expect(bareJid("123456789012:3@hosted.lid")).toBe("123456789012@lid");
  expect(bareJid("120363012345678901@g.us")).toBe("120363012345678901@g.us");
  expect(e164Of("4915112345678:12@s.whatsapp.net")).toBe("+4915112345678");
  expect(e164Of("123456789012@lid")).toBeUndefined();
  expect(e164Of("120363012345678901@g.us")).toBeUndefined();
  expect(jidOf("+49 151 12345678")).toBe("4915112345678@s.whatsapp.net");
  expect(parseJid("no jid")).toBeUndefined();
});
