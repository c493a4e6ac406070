import { expect, test } from "vitest";
import type { ChannelEntry } from "../channel.ts";
import type { InboundMessage } from "../inbound.ts";
import { telegramEntry } from "../telegram/entry.ts";
import { whatsappEntry } from "../whatsapp/entry.ts";
import { inGroup, text } from "./pipeline.fixture.ts";
import { routeOf, targetOf } from "./routing.ts";

type Bindings = Parameters<typeof routeOf>[0]["config"]["bindings"];
type Session = Parameters<typeof routeOf>[0]["config"]["session"];

const agents = ["main", "work", "home", "third"];

function route(
  message: InboundMessage,
  options: { bindings?: Bindings; session?: Partial<Session>; accountId?: string; entry?: ChannelEntry } = {},
) {
  return routeOf({
    channel: options.entry?.id ?? "fake",
    entry: options.entry,
    accountId: options.accountId ?? "default",
    message,
    config: { bindings: options.bindings ?? [], session: { dmScope: "main", ...options.session } as Session },
    defaultAgent: "main",
    exists: (id) => agents.includes(id),
    normalizeAgentId: (id) => id.toLowerCase(),
  });
}

const bind = (agentId: string, match: Partial<Bindings[number]["match"]> = {}): Bindings[number] => ({
  agentId,
  match: { channel: "fake", ...match },
});

test("without bindings the default agent answers", () => {
  expect(route(text("hi"))).toEqual({ agentId: "main", key: "", matchedBy: "default" });
});

test("the most specific binding wins, whatever the order of the list", () => {
  const bindings = [
    bind("third", { accountId: "*" }),
    bind("work", { accountId: "second" }),
    bind("home", { accountId: "*", peer: { kind: "direct", id: "ANN" } }),
  ];
  expect(route(text("hi"), { bindings, accountId: "second" })).toMatchObject({
    agentId: "home",
    matchedBy: "binding.peer",
  });
  const bob = text("hi", { sender: { id: "bob" } });
  expect(route(bob, { bindings, accountId: "second" })).toMatchObject({
    agentId: "work",
    matchedBy: "binding.account",
  });
  expect(route(bob, { bindings })).toMatchObject({ agentId: "third", matchedBy: "binding.channel" });
});

test("a binding without an account holds for the default account only", () => {
  const bindings = [bind("work")];
  expect(route(text("hi"), { bindings }).agentId).toBe("work");
  expect(route(text("hi"), { bindings, accountId: "second" }).agentId).toBe("main");
});

test("another channel's binding and an unknown agent lead to the default agent", () => {
  expect(route(text("hi"), { bindings: [bind("work", { channel: "other" })] }).agentId).toBe("main");
  expect(route(text("hi"), { bindings: [bind("gone")] }).agentId).toBe("main");
});

test("a topic is bound by its own name before its group", () => {
  const message = inGroup("hi", { chat: { kind: "group", id: "-100", threadId: "7" } });
  const group = bind("home", { peer: { kind: "group", id: "-100" } });
  const topic = bind("work", { peer: { kind: "group", id: "-100:topic:7" } });
  expect(route(message, { bindings: [group, topic] }).agentId).toBe("work");
  expect(route(message, { bindings: [group] }).agentId).toBe("home");
  expect(route(message, { bindings: [bind("work", { peer: { kind: "direct", id: "-100" } })] }).agentId).toBe("main");
});

test.each([
  ["main", ""],
  ["per-peer", "dm:ann"],
  ["per-channel-peer", "fake:dm:ann"],
  ["per-account-channel-peer", "fake:second:dm:ann"],
] as const)("dmScope %s gives the key %j", (dmScope, key) => {
  expect(route(text("hi"), { session: { dmScope }, accountId: "second" }).key).toBe(key);
});

test("linked identities share a session, except in the main scope", () => {
  const identityLinks = { alice: ["FAKE:Ann", "other:9"] };
  expect(route(text("hi"), { session: { dmScope: "per-peer", identityLinks } }).key).toBe("dm:alice");
  expect(route(text("hi"), { session: { dmScope: "main", identityLinks } }).key).toBe("");
});

test("groups, topics, rooms and threads are sessions of their own", () => {
  const chat = (value: InboundMessage["chat"]) => route(text("hi", { chat: value })).key;
  expect(chat({ kind: "group", id: "1@g.us" })).toBe("fake:group:1@g.us");
  expect(chat({ kind: "group", id: "-100", threadId: "7" })).toBe("fake:group:-100:topic:7");
  expect(chat({ kind: "channel", id: "news", threadId: "3" })).toBe("fake:channel:news:thread:3");
  expect(chat({ kind: "direct", id: "ann", threadId: "3" })).toBe("main:thread:3");
});

test("an answer goes to the address the platform gave", () => {
  expect(targetOf(text("hi", { chat: { kind: "direct", id: "+1", replyId: "9@lid", threadId: "2" } }))).toEqual({
    chatId: "9@lid",
    kind: "direct",
    threadId: "2",
  });
});

test.each<[ChannelEntry, "direct" | "group", string, string]>([
  [whatsappEntry as ChannelEntry, "direct", "+1 555 123 4567", "+15551234567"],
  [whatsappEntry as ChannelEntry, "direct", "whatsapp:+15551234567", "+15551234567"],
  [whatsappEntry as ChannelEntry, "direct", "15551234567@s.whatsapp.net", "+15551234567"],
  [whatsappEntry as ChannelEntry, "group", "group:120363@g.us", "120363@g.us"],
  [telegramEntry as ChannelEntry, "direct", "tg:42", "42"],
  [telegramEntry as ChannelEntry, "direct", "telegram:42", "42"],
  [telegramEntry as ChannelEntry, "group", "telegram:group:-100", "-100"],
])("a binding of $0.label may name a %s chat as %s", (entry, kind, typed, id) => {
  const message = text("hi", { chat: { kind, id } });
  const bindings = [bind("work", { channel: entry.id, peer: { kind, id: typed } })];
  expect(route(message, { bindings, entry }).agentId).toBe("work");
});

test("a topic may be bound in its short form", () => {
  const message = text("hi", { chat: { kind: "group", id: "-100", threadId: "7" } });
  const bindings = [bind("work", { channel: "telegram", peer: { kind: "group", id: "tg:-100:7" } })];
  expect(route(message, { bindings, entry: telegramEntry as ChannelEntry }).agentId).toBe("work");
});

test("linked identities may be typed as people write numbers", () => {
  const identityLinks = { alice: ["whatsapp:+1 (555) 123-4567"] };
  const message = text("hi", { chat: { kind: "direct", id: "+15551234567" } });
  const session = { dmScope: "per-peer", identityLinks } as const;
  expect(route(message, { session, entry: whatsappEntry as ChannelEntry }).key).toBe("dm:alice");
  expect(route(message, { session: { ...session, identityLinks: { bob: ["telegram:15551234567"] } } }).key).toBe(
    "dm:+15551234567",
  );
});
