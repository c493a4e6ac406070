import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { generatedFolder } from "../../scripts/protocol/files.ts";
import { swiftFileName } from "../../scripts/protocol/generate.ts";

const folder = mkdtempSync(join(tmpdir(), "swift-"));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const parser = join(import.meta.dirname, "../../scripts/protocol/swift-parse.ts");

/** What the Swift grammar objects to. */
function complaints(file: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--liftoff-only", parser, file], {
    encoding: "utf8",
    timeout: 30_000,
  });
  if (status !== 0 && stdout === "") throw new Error(`the parser failed: ${stderr}`);
  return stdout;
}

test("the Swift models are valid Swift", () => {
  expect(complaints(join(generatedFolder, swiftFileName))).toBe("");
});

test("the parser would notice a mistake", () => {
  const file = join(folder, "Broken.swift");
  writeFileSync(file, "public struct Broken {\n    public var host: \n}\n");
  expect(complaints(file)).not.toBe("");
});
