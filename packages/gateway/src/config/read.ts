/** Reads and judges the config file (config.md §2-§4). A file that is missing, unreadable, unparsable or invalid are four
 *  different verdicts, and none of them means "empty" except the first (R-CFG-4). Nothing here writes. */
import { readFileSync } from "node:fs";
import type { World } from "../kernel/world.ts";
import { applyDefaults, expandPaths } from "./defaults.ts";
import { hashOf } from "./history.ts";
import { IncludeError, resolveIncludes } from "./include.ts";
import { migrateLegacy } from "./legacy.ts";
import { parseDocument } from "./parse.ts";
import { crossChecks, warningsOf } from "./rules.ts";
import type { Section } from "./section.ts";
import { substitute, withConfigEnv } from "./substitute.ts";
import { asNode, isObject, validate, type Issue, type SchemaNode } from "./validate.ts";

export type Verdict = "missing" | "ok" | "unreadable" | "unparsable" | "invalid";

export interface ConfigSnapshot {
  path: string;
  verdict: Verdict;
  exists: boolean;
  /** The file's text; null when there is none. */
  raw: string | null;
  /** Lower-case hex SHA-256 of the text; empty when missing. */
  hash: string;
  /** The document after includes, before substitution: what a person wrote. */
  parsed: unknown;
  /** Effective values with defaults. Present only with verdict `missing` or `ok`. */
  config?: Record<string, unknown>;
  issues: Issue[];
  warnings: Issue[];
  /** Keys of earlier releases; their values were moved in memory. */
  legacyIssues: Issue[];
  /** Environment after the document's `env` block. */
  env: Readonly<Record<string, string | undefined>>;
  /** Every file that was read. */
  files: string[];
}

export interface Declared {
  /** In the order of the document's keys in help and forms. */
  sections: readonly Section[];
  /** Of this program, for the warning about a config written by a newer one. */
  version?: string;
}

export function documentSchema(declared: Declared): SchemaNode {
  const properties: Record<string, SchemaNode> = {};
  for (const section of declared.sections) properties[section.path] = asNode(section.schema);
  return { type: "object", properties, required: declared.sections.map((s) => s.path), additionalProperties: false };
}

type ReadWorld = Pick<World, "env" | "homedir">;

export function readConfig(path: string, world: ReadWorld, declared: Declared): ConfigSnapshot {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const base = empty(path, world);
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      return judge({ ...base, exists: false, verdict: "missing" }, world, declared);
    const message = `cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`;
    return { ...base, verdict: "unreadable", issues: [{ path: "", message }] };
  }
  let text: string;
  try {
    text = decode(bytes);
  } catch {
    // The decoder names no position; the verdict is enough to find the file.
    const issues = [{ path: "", message: "the file is not UTF-8 text" }];
    return { ...empty(path, world), hash: hashOf(bytes), verdict: "unparsable", issues, files: [path] };
  }
  return judgeText(path, text, world, declared);
}

/** Text of a file, byte order mark included. Throws TypeError when it is not UTF-8: editing it would destroy bytes. */
export const decode = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

/** The verdict on a text as if it stood in the file. */
export function judgeText(path: string, raw: string, world: ReadWorld, declared: Declared): ConfigSnapshot {
  const files = new Set([path]);
  const base = { ...empty(path, world), raw, hash: hashOf(raw) };
  let parsed: unknown;
  try {
    parsed = parseDocument(raw);
    if (!isObject(parsed)) throw new Error("the document must be an object");
    parsed = resolveIncludes(parsed, path, world.env.OPENCLAW_INCLUDE_ROOTS, files);
  } catch (error) {
    const text = (error as Error).message;
    const message = error instanceof IncludeError ? text : `JSON5 parse failed: ${text}`;
    return { ...base, verdict: "unparsable", issues: [{ path: "", message }], files: [...files] };
  }
  return judge({ ...base, parsed, verdict: "ok", files: [...files] }, world, declared);
}

function empty(path: string, world: ReadWorld) {
  return {
    path,
    raw: null,
    hash: "",
    parsed: {},
    issues: [],
    warnings: [],
    legacyIssues: [],
    env: world.env,
    exists: true,
    files: [] as string[],
  };
}

function judge(snapshot: ConfigSnapshot, world: ReadWorld, declared: Declared): ConfigSnapshot {
  const issues: Issue[] = [];
  const env = withConfigEnv(snapshot.parsed, snapshot.env);
  const substituted = substitute(snapshot.parsed, env, issues);
  const { document: values, issues: legacyIssues } = migrateLegacy(isObject(substituted) ? substituted : {});
  const schema = documentSchema(declared);
  issues.push(...validate(schema, isObject(substituted) ? values : substituted));
  issues.push(...crossChecks(values));
  const judged = { ...snapshot, env, legacyIssues };
  if (issues.length > 0) {
    issues.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    return { ...judged, verdict: "invalid", issues };
  }
  const config = expandPaths(applyDefaults(schema, values), world.homedir()) as Record<string, unknown>;
  return { ...judged, config, warnings: warningsOf(values, declared) };
}

/** `Invalid config at …` with one line per issue, as the gateway and the CLI print it. */
export function describeIssues(snapshot: ConfigSnapshot): string {
  const lines = snapshot.issues.map((issue) => `  - ${issue.path || "<root>"}: ${issue.message}`);
  return [`Invalid config at ${snapshot.path}.`, ...lines].join("\n");
}
