import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./sources.ts";

test("generated references and lists are fresh", () => {
  const args = ["--conditions=openclaw-source", join(root, "scripts/generate.ts"), "--check", "--references-only"];
  expect(execFileSync(process.execPath, args, { encoding: "utf8" })).toBe("references are fresh\n");
});
