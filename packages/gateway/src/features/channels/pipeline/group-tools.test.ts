import { expect, test } from "vitest";
import type { RunRequest } from "../../agents/index.ts";
import type { GroupSettings } from "../channel.ts";
import { groupTools } from "./group-tools.ts";
import { settingsOf } from "./pipeline.fixture.ts";

function rulesFor(group: GroupSettings, sender: string, more: Partial<RunRequest> = {}) {
  const request = {
    origin: "channel",
    sender: `fake:${sender}`,
    route: { channel: "fake", accountId: "default", chatId: "g1", kind: "group" },
    ...more,
  } as RunRequest;
  const settings = settingsOf({ groups: { g1: group } });
  const entry = { normalizeSender: (id: string) => id.toLowerCase() } as never;
  return groupTools({
    agents: { activeRequest: () => request },
    channel: () => ({ entry, accounts: () => [settings], settings: () => settings, runner: () => undefined }),
  })({ sessionKey: "agent:main:fake:group:g1" });
}

test("the sender's rules go before those of everybody, and those before the group's", () => {
  const group = { tools: { deny: ["exec"] }, toolsBySender: { ANN: { deny: [] }, "*": { allow: ["read"] } } };
  expect(rulesFor(group, "ann")).toEqual([{ deny: [] }]);
  expect(rulesFor(group, "bob")).toEqual([{ allow: ["read"] }]);
  expect(rulesFor({ tools: { deny: ["exec"] } }, "bob")).toEqual([{ deny: ["exec"] }]);
});

test("direct chats, operators and groups without rules narrow nothing", () => {
  const group = { tools: { deny: ["exec"] } };
  expect(rulesFor({}, "ann")).toEqual([]);
  expect(rulesFor(group, "ann", { origin: "operator" })).toEqual([]);
  expect(
    rulesFor(group, "ann", { route: { channel: "fake", accountId: "default", chatId: "g1", kind: "direct" } }),
  ).toEqual([]);
});

test("a run that was started from within a group's run keeps the rules of that group and sender", () => {
  const group = { toolsBySender: { ann: { deny: [] }, "*": { deny: ["exec"] } } };
  const route = { channel: "fake", accountId: "default", chatId: "g1", kind: "group" as const };
  const asked = (sender: string) => rulesFor(group, "nobody", { behalf: { sender, route } });
  expect(asked("fake:bob")).toEqual([{ deny: ["exec"] }]);
  expect(asked("fake:ann")).toEqual([{ deny: [] }]);
});
