import { describe, expect, test } from "vitest";
import { isTerminal, moveTo, runStates, transitions } from "./run-state.ts";

const allowed = new Set([
  "accepted running",
  "accepted aborted",
  "accepted expired",
  "running ok",
  "running error",
  "running timeout",
  "running aborted",
  "running interrupted",
  "running accepted",
]);

describe("the run's state machine", () => {
  for (const from of runStates) {
    for (const to of runStates) {
      const possible = allowed.has(`${from} ${to}`);
      test(`${from} → ${to} is ${possible ? "allowed" : "refused"}`, () => {
        if (possible) expect(moveTo(from, to)).toBe(to);
        else expect(() => moveTo(from, to)).toThrow(`a run cannot go from ${from} to ${to}`);
      });
    }
  }

  test("terminal states have no way out", () => {
    expect(runStates.filter(isTerminal)).toEqual(["ok", "error", "timeout", "aborted", "interrupted", "expired"]);
    expect(runStates.filter(isTerminal).flatMap((state) => transitions[state])).toEqual([]);
  });
});
