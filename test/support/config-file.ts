/** The config file of a test home, edited as a person would. */
import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "./process.ts";

type Document = Record<string, unknown>;

export const configFile = (home: Home): string => join(home.state, "openclaw.json");

export const readText = (home: Home): string => readFileSync(configFile(home), "utf8");

/** Replaces the text by rename, as most editors do. */
export function saveText(home: Home, text: string): void {
  const temp = `${configFile(home)}.edit`;
  writeFileSync(temp, text, { mode: 0o600 });
  renameSync(temp, configFile(home));
}

/** Merges `change` into the file; null removes a key. */
export function edit(home: Home, change: Document): void {
  saveText(home, JSON.stringify(merged(JSON.parse(readText(home)) as Document, change), null, 2));
}

export const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

function merged(into: Document, change: Document): Document {
  const result = { ...into };
  for (const [key, value] of Object.entries(change)) {
    const former = result[key];
    if (value === null) delete result[key];
    else if (isObject(value)) result[key] = merged(isObject(former) ? former : {}, value);
    else result[key] = value;
  }
  return result;
}

const isObject = (value: unknown): value is Document =>
  typeof value === "object" && value !== null && !Array.isArray(value);
