import { expect, test } from "vitest";
import { eventTable, methodRow, methodTable } from "./index.ts";
import { events, methods } from "./schema.ts";
import { scopes } from "./scopes.ts";

/** Methods whose params may carry more keys in every protocol (protocol.md §13, "open"). */
const open = [
  "health",
  "last-heartbeat",
  "set-heartbeats",
  "status",
  "system-event",
  "system-presence",
  "sessions.subscribe",
  "sessions.unsubscribe",
  "sessions.usage.logs",
  "sessions.usage.timeseries",
  "usage.cost",
  "usage.status",
  "cron.add",
  "tts.convert",
  "tts.disable",
  "tts.enable",
  "tts.providers",
  "tts.setProvider",
  "tts.status",
  "voicewake.get",
  "voicewake.set",
  "browser.request",
  "commands.list",
  "plugin.approval.list",
  "question.list",
  "taskSuggestions.list",
];

test("every method and event has one plain sentence that ends", () => {
  for (const definition of [...Object.values(methods), ...Object.values(events)]) {
    expect(definition.summary, definition.name).toMatch(/^[A-Z].{5,}\.$/);
  }
});

test("params are closed except where the protocol says open", () => {
  const found = Object.values(methods).filter((method) => !("additionalProperties" in method.params));
  expect(found.map((method) => method.name).toSorted()).toEqual(open.toSorted());
});

test("every scope is one of the five, none or node", () => {
  for (const method of Object.values(methods)) expect([...scopes, "none", "node"]).toContain(method.scope);
});

test("a method with an idempotency key demands it, and only such a method", () => {
  for (const method of Object.values(methods)) {
    const required = "required" in method.params ? method.params.required : [];
    expect(Array.isArray(required) && required.includes("idempotencyKey"), method.name).toBe(
      method.idempotent === true,
    );
  }
});

test("the tables name what the definitions name, in the same order", () => {
  expect(Object.keys(methodTable)).toEqual(Object.keys(methods));
  expect(Object.keys(eventTable)).toEqual(Object.keys(events));
});

test("events are announced in the order of 2026.2.9", () => {
  expect(Object.keys(eventTable).slice(0, 9)).toEqual([
    "connect.challenge",
    "agent",
    "chat",
    "presence",
    "tick",
    "talk.mode",
    "shutdown",
    "health",
    "heartbeat",
  ]);
});

test("a planned method and connect are never advertised", () => {
  for (const [name, row] of Object.entries(methodTable)) {
    if (row.planned || name === "connect") expect(row.advertise, name).toBe(false);
    else expect(row.advertise, name).toBe(true);
  }
});

test("a lookup by a name from outside never reaches a prototype", () => {
  expect(methodRow("agent")?.hasAck).toBe(true);
  expect(methodRow("constructor")).toBeUndefined();
  expect(methodRow("__proto__")).toBeUndefined();
});

test("the writing methods of the config and update.run are rate limited", () => {
  for (const name of ["config.apply", "config.patch", "update.run"]) {
    expect(methodRow(name)?.rate).toEqual({ calls: 3, perMs: 60_000 });
  }
});
