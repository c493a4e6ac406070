import { expect, test } from "vitest";
import { withinHours } from "./active-hours.ts";
import { saysNothing } from "./checklist.ts";
import { judgeReply, stripToken } from "./reply.ts";
import { parseEvery, settingsOf } from "./settings.ts";
import { showsNothing, visibilityOf } from "./visibility.ts";

test.each([
  ["30m", 1_800_000],
  ["45", 2_700_000],
  ["1h", 3_600_000],
  ["1.5h", 5_400_000],
  ["90s", 90_000],
  ["0m", 0],
  ["soon", undefined],
])("%s is %s ms", (text, ms) => expect(parseEvery(text)).toBe(ms));

test.each([
  ["HEARTBEAT_OK", "", true],
  ["**HEARTBEAT_OK**", "", true],
  ["<b>HEARTBEAT_OK</b>", "", true],
  ["`HEARTBEAT_OK`.", "", true],
  ["HEARTBEAT_OK. All quiet.", "All quiet.", true],
  ["All quiet.\n\nHEARTBEAT_OK", "All quiet.", true],
  ["Say HEARTBEAT_OK when it is fine.", "Say HEARTBEAT_OK when it is fine.", false],
  ["HEARTBEAT_OKAY", "HEARTBEAT_OKAY", false],
  ["The oven is on.", "The oven is on.", false],
])("%j without its token is %j", (given, text, had) => expect(stripToken(given)).toEqual({ text, had }));

test("a long run of marks costs nothing", () => {
  const began = performance.now();
  stripToken(`${"*".repeat(50_000)}HEARTBEAT_OK${"<b>".repeat(20_000)}`);
  expect(performance.now() - began).toBeLessThan(500);
});

test("short words beside the token mean that nothing is due, long ones and files do not", () => {
  expect(judgeReply(["HEARTBEAT_OK nothing new"], 300)).toEqual({ kind: "token", texts: [] });
  expect(judgeReply([`HEARTBEAT_OK ${"x".repeat(301)}`], 300).kind).toBe("alert");
  expect(judgeReply(["HEARTBEAT_OK\nMEDIA: /a.png"], 300).kind).toBe("alert");
  expect(judgeReply(["short"], 300)).toEqual({ kind: "alert", texts: ["short"] });
  expect(judgeReply(["", "NO_REPLY"], 300)).toEqual({ kind: "empty", texts: [] });
  expect(judgeReply([], 300).kind).toBe("empty");
});

test.each([
  ["", true],
  ["# Heartbeat\n\n- \n* [ ]\n1.\n<!-- look at the mail -->\n", true],
  ["<!-- never closed\n- look", true],
  ["# Heartbeat\n- look at the mail", false],
  ["look", false],
])("a checklist %j says nothing: %s", (text, nothing) => expect(saysNothing(text)).toBe(nothing));

const at = (time: string) => Date.parse(`2026-06-01T${time}:00Z`);

test.each([
  ["08:00", "22:00", "07:59", false],
  ["08:00", "22:00", "08:00", true],
  ["08:00", "22:00", "22:00", false],
  ["22:00", "06:00", "23:30", true],
  ["22:00", "06:00", "06:00", false],
  ["08:00", "24:00", "23:59", true],
  ["08:00", "08:00", "08:00", false],
])("between %s and %s it is %s: %s", (start, end, time, within) =>
  expect(withinHours({ start, end, timezone: "UTC" }, at(time), undefined)).toBe(within),
);

test("hours follow the zone they name, the user's otherwise, and no hours are all hours", () => {
  const hours = { start: "08:00", end: "10:00" };
  expect(withinHours({ ...hours, timezone: "Asia/Tokyo" }, at("00:30"), "UTC")).toBe(true);
  expect(withinHours(hours, at("00:30"), "Asia/Tokyo")).toBe(true);
  expect(withinHours({ ...hours, timezone: "Nowhere/City" }, at("00:30"), "Asia/Tokyo")).toBe(true);
  expect(withinHours({ ...hours, timezone: "user" }, at("00:30"), "UTC")).toBe(false);
  expect(withinHours(undefined, at("00:30"), undefined)).toBe(true);
});

test("the block of an agent goes before the defaults", () => {
  const config = {
    agents: {
      defaults: { heartbeat: { every: "10m", target: "none" } },
      list: [{ id: "Ops", heartbeat: { target: "Telegram" } }],
    },
  } as unknown as Parameters<typeof settingsOf>[0];
  const lower = (id: string) => id.toLowerCase();
  expect(settingsOf(config, "ops", lower)).toMatchObject({ everyMs: 600_000, target: "telegram", ackMaxChars: 300 });
  expect(settingsOf(config, "main", lower)).toMatchObject({ everyMs: 600_000, target: "none" });
});

test("what shows is decided by the account, then the channel, then the defaults", () => {
  const config = {
    channels: {
      defaults: { heartbeat: { showOk: true, useIndicator: false } },
      telegram: { heartbeat: { showAlerts: false }, accounts: { two: { heartbeat: { showOk: false } } } },
    },
  };
  expect(visibilityOf(config, "telegram", "two")).toEqual({ showOk: false, showAlerts: false, useIndicator: false });
  expect(showsNothing(visibilityOf(config, "telegram", "two"))).toBe(true);
  expect(visibilityOf(config, "whatsapp", "default")).toEqual({ showOk: true, showAlerts: true, useIndicator: false });
  expect(visibilityOf(config, "__proto__", "constructor")).toMatchObject({ showOk: true });
});
