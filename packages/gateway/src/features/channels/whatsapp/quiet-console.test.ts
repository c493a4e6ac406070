import { expect, test } from "vitest";
import { type Console, quietConsole } from "./quiet-console.ts";

function fakeConsole() {
  const written: unknown[][] = [];
  const write = (...values: unknown[]) => void written.push(values);
  const target: Console = { log: write, info: write, warn: write, error: write, debug: write };
  return { target, written };
}

test("lines with which libsignal shows sessions are taken out, and nothing of their keys is told", () => {
  const { target, written } = fakeConsole();
  const told: string[] = [];
  quietConsole(target, (words) => told.push(words));
  const session = { privKey: Buffer.from("secret") };
  target.info("Closing session:", session);
  target.info("Opening session:", session);
  target.info("Removing old closed session:", session);
  target.warn("Session already closed", session);
  target.warn("Closing open session in favor of incoming prekey bundle");
  target.error("Failed to decrypt message with any known session...");
  target.error("Session error:Error: Bad MAC secret", "stack");
  expect(written).toEqual([]);
  expect(told).toHaveLength(7);
  expect(told.join(" ")).not.toContain("secret");
});

test("what others write passes, also when it is asked for twice", () => {
  const { target, written } = fakeConsole();
  quietConsole(target, () => {});
  const once = target.log;
  quietConsole(target, () => {});
  expect(target.log).toBe(once);
  target.log("hello", 1);
  target.error(new Error("Closing session:"));
  expect(written).toHaveLength(2);
});
