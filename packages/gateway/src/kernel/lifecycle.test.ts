/** Order and isolation of services (lifecycle.md §6.4). */
import { expect, test } from "vitest";
import { Lifecycle, type Service } from "./lifecycle.ts";
import { createLogger } from "./log.ts";

function rig() {
  const done: string[] = [];
  const log = createLogger({ subsystem: "test", sinks: [({ message }) => void done.push(message)], now: () => 0 });
  const service = (name: string, broken: Partial<Record<"start" | "stop", true>> = {}): Service => ({
    name,
    start: () => {
      if (broken.start) throw new Error(`${name} cannot start`);
      done.push(`start ${name}`);
    },
    stop: (deadlineMs) => {
      done.push(`stop ${name} ${deadlineMs}`);
      if (broken.stop) throw new Error(`${name} cannot stop`);
    },
  });
  return { done, log, service };
}

test("lifecycle 6.4: services stop in reverse; one that throws is logged and the next still stops; a second stop does nothing", async () => {
  const { done, log, service } = rig();
  const lifecycle = new Lifecycle([service("a"), service("b", { stop: true }), service("c")], log);
  await lifecycle.start();
  await lifecycle.stop(500);
  await lifecycle.stop(500);
  expect(done).toEqual([
    "start a",
    "start b",
    "start c",
    "stop c 500",
    "stop b 500",
    "stopping b failed",
    "stop a 500",
  ]);
});

test("a service that cannot start stops the ones before it, and none after it begins", async () => {
  const { done, log, service } = rig();
  const lifecycle = new Lifecycle([service("a"), service("b", { start: true }), service("c")], log);
  await expect(lifecycle.start()).rejects.toThrow("b cannot start");
  expect(done).toEqual(["start a", "stop a 2000"]);
});
