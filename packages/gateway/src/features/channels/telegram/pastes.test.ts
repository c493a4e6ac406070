import { expect, test } from "vitest";
import { Pastes } from "./pastes.ts";

const at = 1_700_000_000_000;
const part = (id: number, chars: number, more: object = {}) => ({
  id,
  at,
  text: "a".repeat(chars),
  command: false,
  ...more,
});

test("only what fills a message is continued by the next one, for a second and a half, measured in whole seconds", () => {
  const pastes = new Pastes();
  expect(pastes.join("ann", part(1, 3_999))).toBeUndefined();
  expect(pastes.join("ann", part(2, 10))).toBeUndefined();
  const first = pastes.join("ann", part(3, 4_000));
  expect(first).toEqual({ key: "paste:ann:3", waitMs: 1_500, kind: "paste" });
  expect(pastes.join("ann", part(4, 10, { at: at + 2_000 }))?.key).toBe(first?.key);
  pastes.join("ann", part(5, 4_000));
  expect(pastes.join("ann", part(6, 10, { at: at + 3_000 }))).toBeUndefined();
});

test("a paste ends at fifty thousand characters", () => {
  const pastes = new Pastes();
  const first = pastes.join("ann", part(1, 30_000))?.key;
  expect(pastes.join("ann", part(2, 20_000))?.key).toBe(first);
  expect(pastes.join("ann", part(3, 4_000))?.key).not.toBe(first);
});

test("a command is no part of one and ends it, and an earlier id does not continue it", () => {
  const pastes = new Pastes();
  pastes.join("ann", part(5, 4_096));
  expect(pastes.join("ann", part(6, 5, { command: true }))).toBeUndefined();
  expect(pastes.join("ann", part(7, 10))).toBeUndefined();
  pastes.join("ann", part(10, 4_096));
  expect(pastes.join("ann", part(9, 10))).toBeUndefined();
});
