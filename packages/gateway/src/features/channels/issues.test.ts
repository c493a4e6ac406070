import { expect, test } from "vitest";
import { issuesOf } from "./issues.ts";
import { memorySettings } from "./memory.fixture.ts";

type Facts = Parameters<typeof issuesOf>[0];

const facts = (change: Partial<Facts>): Facts => ({ state: "open", reconnectAttempts: 0, noted: {}, ...change });

test.each<[string, Partial<Facts>, string | undefined]>([
  ["connected", {}, undefined],
  ["off on purpose", { state: "disabled", lastError: "disabled in the config" }, undefined],
  ["one lost connection", { state: "backoff", reconnectAttempts: 1, lastError: "gone" }, undefined],
  ["many of them", { state: "backoff", reconnectAttempts: 2, lastError: "gone" }, "runtime"],
  ["no token", { state: "unconfigured", lastError: "No bot token." }, "config"],
  ["a token that was revoked", { state: "terminal", noted: { terminal: "bad-token" } }, "auth"],
  ["a link that was ended", { state: "terminal", noted: { terminal: "logged-out" } }, "auth"],
  ["a blocked account", { state: "terminal", noted: { terminal: "forbidden" } }, "permissions"],
  ["a version that is refused", { state: "terminal", noted: { terminal: "version" } }, "runtime"],
])("%s", (_what, change, kind) => {
  expect(issuesOf(facts(change), memorySettings()).map((issue) => issue.kind)).toEqual(kind ? [kind] : []);
});

test("an issue says what is wrong and what to do about it", () => {
  const given = facts({
    state: "terminal",
    lastError: "Logged out.",
    fix: "Link again.",
    noted: { terminal: "logged-out" },
  });
  expect(issuesOf(given, memorySettings())).toEqual([{ kind: "auth", message: "Logged out.", fix: "Link again." }]);
});

test("a bot that hears only what is addressed to it is named where it is to answer everything", () => {
  const withGroups = (requireMention: boolean) => {
    const settings = memorySettings();
    return { ...settings, access: { ...settings.access, groups: { "-100": { requireMention } } } };
  };
  const deaf = facts({ noted: { bot: { canReadAllGroupMessages: false } } });
  expect(issuesOf(deaf, withGroups(false))).toMatchObject([
    { kind: "intent", fix: expect.stringContaining("/setprivacy") },
  ]);
  expect(issuesOf(deaf, withGroups(true))).toEqual([]);
  expect(issuesOf(facts({ noted: { bot: { canReadAllGroupMessages: true } } }), withGroups(false))).toEqual([]);
});
