import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { escapedFrom } from "../features/channels/index.ts";
import { fakeWorld } from "../kernel/fake-world.ts";
import { createLogger, type Line } from "../kernel/log.ts";
import { Redactor } from "../kernel/redact.ts";
import { handleFaults, isTransient } from "./faults.ts";

const state = mkdtempSync(join(tmpdir(), "faults-"));
const removes: (() => void)[] = [];
afterEach(() => {
  for (const remove of removes.splice(0)) remove();
  rmSync(state, { recursive: true, force: true });
});

function setUp() {
  const world = fakeWorld();
  const lines: Line[] = [];
  const seen = { crashed: 0, escaped: [] as unknown[], lines };
  const before = {
    rejection: process.listeners("unhandledRejection"),
    exception: process.listeners("uncaughtException"),
  };
  removes.push(
    handleFaults({
      log: createLogger({ subsystem: "t", sinks: [(line) => void lines.push(line)], now: world.now }),
      state,
      redactor: new Redactor(),
      world,
      version: "test",
      escaped: (error) => escapedFrom(error) !== undefined && seen.escaped.push(error) > 0,
      crash: () => void seen.crashed++,
    }),
  );
  const [onRejection] = process.listeners("unhandledRejection").filter((one) => !before.rejection.includes(one));
  const [onException] = process.listeners("uncaughtException").filter((one) => !before.exception.includes(one));
  return {
    seen,
    reject: (error: unknown) => onRejection?.(error, Promise.resolve()),
    throwOutside: (error: Error) => onException?.(error, "uncaughtException"),
  };
}

const boom = (statusCode: number) =>
  Object.assign(new Error("Connection Closed"), { isBoom: true, output: { statusCode } });
const named = (name: string) => Object.assign(new Error("no session"), { name });

test.each([
  ["a query whose connection ended", boom(428)],
  ["a query that was not answered", boom(408)],
  ["a message that cannot be decrypted", new Error("Bad MAC")],
  ["a session that is gone", named("SessionError")],
  ["a key that was used already", named("MessageCounterError")],
])("a rejection of WhatsApp's library, %s, is the channel's affair and ends nothing", (_what, error) => {
  const { seen, reject } = setUp();
  reject(error);
  expect(seen).toMatchObject({ crashed: 0, escaped: [error], lines: [] });
  expect(existsSync(join(state, "crashes"))).toBe(false);
});

test("a network fault that passes is a warning, through its causes and aggregates", () => {
  const { seen, reject } = setUp();
  const reset = Object.assign(new Error("reset"), { code: "ECONNRESET" });
  const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  for (const error of [reset, new Error("while polling", { cause: reset }), new AggregateError([reset, refused])]) {
    expect(isTransient(error)).toBe(true);
    reject(error);
  }
  expect(seen.lines.map(({ level }) => level)).toEqual(["warn", "warn", "warn"]);
  expect(seen).toMatchObject({ crashed: 0, escaped: [] });
});

test.each([
  ["a bug", new TypeError("x is not a function")],
  ["a refusal of the library that is none of these", boom(400)],
  [
    "a network fault beside a bug",
    new AggregateError([Object.assign(new Error("r"), { code: "EPIPE" }), new Error("b")]),
  ],
])("%s leaves a crash record and ends the process", (_what, error) => {
  const { seen, reject } = setUp();
  reject(error);
  expect(seen).toMatchObject({ crashed: 1, escaped: [] });
  expect(readdirSync(join(state, "crashes"))).toHaveLength(1);
});

test("what is thrown rather than rejected ends the process, whoever it comes from", () => {
  const { seen, throwOutside } = setUp();
  throwOutside(boom(428));
  expect(seen.crashed).toBe(1);
});
