import { expect, test } from "vitest";
import type { AccessSettings } from "../channel.ts";
import type { InboundMessage } from "../inbound.ts";
import { groupSettings, isListed, judge, letsIn } from "./access.ts";
import { telegramEntry } from "../telegram/entry.ts";
import { whatsappEntry } from "../whatsapp/entry.ts";
import { inGroup, settingsOf, text } from "./pipeline.fixture.ts";

const entry = { id: "fake", normalizeSender: (id: string) => id.trim().toLowerCase() };

function verdict(
  message: InboundMessage,
  access: Partial<AccessSettings>,
  more: { paired?: string[]; owners?: string[]; useAccessGroups?: boolean } = {},
) {
  return judge({
    message,
    access: settingsOf(access).access,
    entry,
    isPaired: (id) => more.paired?.includes(id) ?? false,
    commands: {
      useAccessGroups: more.useAccessGroups ?? true,
      ...(more.owners ? { ownerAllowFrom: more.owners } : {}),
    },
  });
}

const from = (id: string, more: Partial<InboundMessage["sender"]> = {}) => text("hi", { sender: { id, ...more } });
const groupFrom = (id: string) => inGroup("hi", { sender: { id } });

test.each([
  ["pairing", "ann", "accept"],
  ["pairing", "eve", "pair"],
  ["allowlist", "ann", "accept"],
  ["allowlist", "eve", "drop"],
  ["open", "eve", "drop"],
  ["disabled", "ann", "drop"],
] as const)("policy %s: %s is answered with %s", (dmPolicy, sender, kind) => {
  expect(verdict(from(sender), { dmPolicy }).kind).toBe(kind);
});

test("open with a star lets everybody in and makes nobody an owner", () => {
  expect(verdict(from("eve"), { dmPolicy: "open", allowFrom: ["*"] })).toMatchObject({
    kind: "accept",
    owner: false,
    mayCommand: true,
  });
});

test("paired senders write direct messages, command, and are no owners", () => {
  expect(verdict(from("bob"), {}, { paired: ["bob"] })).toMatchObject({
    kind: "accept",
    owner: false,
    mayCommand: true,
  });
  expect(verdict(from("bob"), { dmPolicy: "disabled" }, { paired: ["bob"] }).kind).toBe("drop");
});

test("pairing never opens a group", () => {
  const access = { groupPolicy: "allowlist" as const };
  expect(verdict(groupFrom("bob"), access, { paired: ["bob"] })).toEqual({
    kind: "drop",
    reason: "group-sender-not-allowed",
  });
  expect(verdict(groupFrom("bob"), { groupPolicy: "open" }, { paired: ["bob"] })).toMatchObject({ mayCommand: false });
});

test("where commands need the owner, the channel's list or the linked number decides", () => {
  const access = { commandsNeedOwner: true };
  expect(verdict(from("bob"), access, { paired: ["bob"] })).toMatchObject({ mayCommand: false });
  expect(verdict(from("ann"), access)).toMatchObject({ mayCommand: true, owner: true });
  expect(verdict(from("me", { isSelf: true }), { ...access, allowFrom: [] })).toMatchObject({
    mayCommand: true,
    owner: true,
  });
});

test("commands.ownerAllowFrom names the owners, with or without the channel", () => {
  expect(verdict(from("ann"), {}, { owners: ["fake:bob"] })).toMatchObject({ owner: false });
  expect(verdict(from("bob"), { allowFrom: ["bob"] }, { owners: ["FAKE:Bob"] })).toMatchObject({ owner: true });
  expect(verdict(from("bob"), { allowFrom: ["bob"] }, { owners: ["other:bob"] })).toMatchObject({ owner: false });
});

test("with useAccessGroups off, whoever may talk may command", () => {
  expect(verdict(groupFrom("bob"), { groupPolicy: "open" }, { useAccessGroups: false })).toMatchObject({
    mayCommand: true,
  });
});

test.each([
  [
    "no policy for groups lets nobody in but the listed",
    { groupPolicy: "allowlist" },
    "bob",
    "group-sender-not-allowed",
  ],
  ["disabled", { groupPolicy: "disabled", groups: { "*": {} } }, "ann", "group-disabled"],
  ["a group that is not in the map", { groups: { g2: {} } }, "ann", "group-not-listed"],
  ["a group that is switched off", { groups: { g1: { enabled: false } } }, "ann", "group-off"],
  ["a group with its own list", { groups: { g1: { allowFrom: ["bob"] } } }, "ann", "group-sender-not-allowed"],
  ["a group with its own policy", { groups: { g1: { groupPolicy: "disabled" } } }, "ann", "group-disabled"],
] as [string, Partial<AccessSettings>, string, string][])("%s: dropped", (_name, access, sender, reason) => {
  expect(verdict(groupFrom(sender), access)).toEqual({ kind: "drop", reason });
});

test.each([
  [{ groupPolicy: "allowlist" }, "ann"],
  [{ groupPolicy: "allowlist", groupAllowFrom: ["bob"] }, "bob"],
  [{ groupPolicy: "allowlist", groupAllowFrom: ["*"] }, "eve"],
  [{ groups: { "*": {} } }, "eve"],
  [{ groups: { G1: { allowFrom: ["eve"] } } }, "eve"],
] as [Partial<AccessSettings>, string][])("%j lets %s in", (access, sender) => {
  expect(verdict(groupFrom(sender), access).kind).toBe("accept");
});

test("groupAllowFrom replaces allowFrom for groups", () => {
  expect(verdict(groupFrom("ann"), { groupPolicy: "allowlist", groupAllowFrom: ["bob"] }).kind).toBe("drop");
});

test("a topic inherits from its group, a group from the star", () => {
  const groups = {
    "*": { requireMention: true, systemPrompt: "any" },
    g1: { requireMention: false, topics: { "7": { systemPrompt: "seven", enabled: false } } },
  };
  expect(groupSettings(groups, "g1", undefined)).toEqual({ requireMention: false, systemPrompt: "any" });
  expect(groupSettings(groups, "g1", "7")).toEqual({ requireMention: false, systemPrompt: "seven", enabled: false });
  expect(groupSettings(groups, "g9", undefined)).toEqual({ requireMention: true, systemPrompt: "any" });
  expect(groupSettings({ g1: {} }, "constructor", undefined)).toBeUndefined();
});

test("a sender is found by id, number or user name", () => {
  const sender = { id: "42", e164: "+1555", username: "Ann" };
  expect(
    [["42"], [42], ["fake:42"], ["+1555"], ["@ann"], ["*"]].map((list) => isListed(sender, list, { entry })),
  ).toEqual(Array(6).fill(true));
  expect([[], ["ann"], ["43"], ["other:42"], [""]].map((list) => isListed(sender, list, { entry }))).toEqual(
    Array(5).fill(false),
  );
});

test.each([
  ["ann", {}, [], true],
  ["bob", {}, [], false],
  ["bob", {}, ["bob"], true],
  ["bob", { allowFrom: ["*"] }, [], true],
  ["ann", { dmPolicy: "disabled" }, ["ann"], false],
  ["1234567890@lid", {}, [], true],
  // The account's own chat, and an id whose user name may be the listed one.
  ["me", { allowFrom: [] }, [], true],
  ["me", { allowFrom: [], dmPolicy: "disabled" }, [], false],
  ["42", { allowFrom: ["@ann"] }, [], true],
  ["42", { allowFrom: ["43"] }, [], false],
] as [string, Partial<AccessSettings>, string[], boolean][])(
  "%s with %j and %j paired: let in now is %s",
  (id, access, paired, expected) => {
    const isPaired = (senderId: string) => paired.includes(senderId);
    const entry = { id: "fake", normalizeSender: (text: string) => text.trim().toLowerCase() };
    expect(letsIn(id, { access: { ...settingsOf(access).access }, entry, isPaired, self: "me" })).toBe(expected);
  },
);

test("on the platforms: one's own chat of WhatsApp, and somebody Telegram's list has by user name, are let in", () => {
  const access = (allowFrom: string[]) => settingsOf({ allowFrom }).access;
  const isPaired = () => false;
  const own = { access: access([]), entry: whatsappEntry, isPaired, self: "+15550001111" };
  expect(["+15550001111", "15550001111@s.whatsapp.net", "+15550002222"].map((id) => letsIn(id, own))).toEqual([
    true,
    true,
    false,
  ]);
  const named = { access: access(["@ann"]), entry: telegramEntry, isPaired, self: "99" };
  expect(letsIn("123456789", named)).toBe(true);
  expect(letsIn("123456789", { ...named, access: access(["42"]) })).toBe(false);
});
