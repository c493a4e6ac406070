import { expect, test } from "vitest";
import {
  allowedOf,
  asSnapshot,
  inherited,
  patternFault,
  withAllowed,
  withoutAllowed,
  withPolicy,
  type RulesFile,
} from "./exec-rules.ts";

const file: RulesFile = {
  version: 1,
  socket: { path: "/run/x" },
  defaults: { security: "allowlist" },
  agents: { "*": { ask: "always" }, main: { allowlist: [{ id: "1", pattern: "/usr/bin/rg", lastUsedAt: 5 }] } },
};

test("a scope that says nothing takes the value above it, down to what is built in", () => {
  expect(inherited(file, undefined)).toMatchObject({ security: "deny", ask: "on-miss", autoAllowSkills: false });
  expect(inherited(file, "*")).toMatchObject({ security: "allowlist", ask: "on-miss" });
  expect(inherited(file, "main")).toMatchObject({ security: "allowlist", ask: "always", askFallback: "deny" });
});

test("a change touches its own value only, and can be taken back", () => {
  const changed = withPolicy(file, "main", "security", "full");
  expect(changed).toEqual({
    ...file,
    agents: { ...file.agents, main: { allowlist: file.agents?.main?.allowlist, security: "full" } },
  });
  expect(withPolicy(changed, "main", "security", undefined)).toEqual(file);
  expect(withPolicy(file, undefined, "ask", "off").defaults).toEqual({ security: "allowlist", ask: "off" });
});

test("patterns come and go, the others keep what is known of them", () => {
  const more = withAllowed(file, "main", "**/git");
  expect(allowedOf(more, "main")).toEqual([{ id: "1", pattern: "/usr/bin/rg", lastUsedAt: 5 }, { pattern: "**/git" }]);
  expect(allowedOf(withoutAllowed(more, "main", 0), "main")).toEqual([{ pattern: "**/git" }]);
  expect(allowedOf(withAllowed(file, "new", "/bin/ls"), "new")).toEqual([{ pattern: "/bin/ls" }]);
});

test("a pattern that never matches, or is there already, is refused with a reason", () => {
  expect(patternFault(file, "main", "rg")).toMatch(/never match/);
  expect(patternFault(file, "main", "/usr/bin/rg")).toMatch(/already/);
  expect(patternFault(file, "main", "**/git")).toBeUndefined();
});

test("a node's answer is believed only when it is one", () => {
  const snapshot = { path: "p", exists: true, hash: "h", file };
  expect(asSnapshot(snapshot)).toBe(snapshot);
  expect(asSnapshot({ ok: true, payload: snapshot })).toBe(snapshot);
  for (const answer of [null, "x", {}, { hash: "h" }]) expect(() => asSnapshot(answer)).toThrow(/something else/);
});
