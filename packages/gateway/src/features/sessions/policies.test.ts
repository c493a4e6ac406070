import { expect, test } from "vitest";
import { dailyBoundary, isStale, maySend, resetPolicyOf } from "./policies.ts";
import { plainConfig } from "./sessions.fixture.ts";
import type { SessionConfig } from "./sessions.config.ts";
import type { SessionEntry } from "./types.ts";

const hour = 3_600_000;
const noon = new Date(2026, 1, 13, 12, 0).getTime();
const session = (given: Partial<SessionEntry> = {}): SessionEntry => ({
  key: "agent:main:main",
  agentId: "main",
  sessionId: "s",
  createdAt: 0,
  updatedAt: noon,
  sessionStartedAt: 0,
  lastInteractionAt: noon - hour,
  hidden: false,
  ...given,
});
const config = (given: Partial<SessionConfig> = {}): SessionConfig => ({ ...plainConfig, ...given });

test("by default a session ends at 04:00 local time", () => {
  expect(dailyBoundary(noon, 4)).toBe(new Date(2026, 1, 13, 4).getTime());
  expect(dailyBoundary(new Date(2026, 1, 13, 3, 59).getTime(), 4)).toBe(new Date(2026, 1, 12, 4).getTime());
  expect(isStale(session(), config(), noon)).toBe(false);
  expect(isStale(session({ lastInteractionAt: noon - 9 * hour }), config(), noon)).toBe(true);
});

test("what a heartbeat touches does not keep a session, a fresh start does", () => {
  expect(isStale(session({ updatedAt: noon, lastInteractionAt: noon - 30 * hour }), config(), noon)).toBe(true);
  expect(isStale(session({ sessionStartedAt: noon - hour, lastInteractionAt: noon - 30 * hour }), config(), noon)).toBe(
    false,
  );
});

test("idle mode counts minutes, sixty by default, and daily with idleMinutes takes the earlier", () => {
  const idle = config({ reset: { mode: "idle" } });
  expect(isStale(session({ lastInteractionAt: noon - 61 * 60_000 }), idle, noon)).toBe(true);
  expect(isStale(session({ lastInteractionAt: noon - 60 * 60_000 }), idle, noon)).toBe(false);
  expect(isStale(session(), config({ reset: { mode: "daily", idleMinutes: 30 } }), noon)).toBe(true);
  expect(isStale(session({ lastInteractionAt: noon - 40 * hour }), config({ idleMinutes: 10_000 }), noon)).toBe(false);
});

test("channel wins over type, type over the base", () => {
  const all = config({
    reset: { mode: "idle", idleMinutes: 1 },
    resetByType: { dm: { atHour: 2 }, group: { atHour: 3 }, thread: { atHour: 5 } },
    resetByChannel: { telegram: { atHour: 6 } },
  });
  expect(resetPolicyOf(session(), all)).toEqual({ atHour: 2 });
  expect(resetPolicyOf(session({ chatType: "channel" }), all)).toEqual({ atHour: 3 });
  expect(resetPolicyOf(session({ key: "agent:main:slack:channel:c:thread:1", chatType: "channel" }), all)).toEqual({
    atHour: 5,
  });
  expect(resetPolicyOf(session({ channel: "telegram", chatType: "group" }), all)).toEqual({ atHour: 6 });
  expect(resetPolicyOf(session({ channel: "constructor" }), all)).toEqual({ atHour: 2 });
});

test("a matching deny wins over allow, and the session's own choice over all rules", () => {
  const rules = config({
    sendPolicy: {
      default: "deny",
      rules: [
        { action: "allow", match: { channel: "telegram" } },
        { action: "deny", match: { channel: "telegram", chatType: "group" } },
        { action: "allow", match: { keyPrefix: "cron:" } },
      ],
    },
  });
  expect(maySend(session(), rules)).toBe(false);
  expect(maySend(session({ channel: "telegram" }), rules)).toBe(true);
  expect(maySend(session({ channel: "telegram", chatType: "group" }), rules)).toBe(false);
  expect(maySend(session({ key: "agent:main:cron:x" }), rules)).toBe(true);
  expect(maySend(session({ sendPolicy: "allow" }), rules)).toBe(true);
  expect(maySend(session({ sendPolicy: "deny" }), config())).toBe(false);
});
