/** Reads and judges the config file (config.md §2-§4). A file that is missing, unreadable, unparsable or invalid are four
 *  different verdicts, and none of them means "empty" except the first (R-CFG-4). Nothing here writes. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import JSON5 from "json5";
import type { World } from "../kernel/world.ts";
import { applyDefaults, expandPaths } from "./defaults.ts";
import { IncludeError, resolveIncludes } from "./include.ts";
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
  /** Environment after the document's `env` block. */
  env: Readonly<Record<string, string | undefined>>;
  /** Every file that was read. */
  files: string[];
}

/** Sections that exist in config.md and whose feature comes with a later issue: accepted as written, not interpreted. */
export interface Declared {
  sections: readonly Section[];
  later: readonly string[];
}

export function documentSchema(declared: Declared): SchemaNode {
  const properties: Record<string, SchemaNode> = {};
  for (const section of declared.sections) properties[section.path] = asNode(section.schema);
  for (const name of declared.later) properties[name] ??= {};
  return { type: "object", properties, required: declared.sections.map((s) => s.path), additionalProperties: false };
}

export function readConfig(path: string, world: Pick<World, "env" | "homedir">, declared: Declared): ConfigSnapshot {
  const files = new Set<string>();
  const base = { path, raw: null, hash: "", parsed: {}, issues: [], warnings: [], env: world.env, exists: true };
  let raw: string;
  try {
    raw = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return judge({ ...base, exists: false, verdict: "missing", files: [] }, world, declared);
    const message = `cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`;
    return { ...base, verdict: "unreadable", issues: [{ path: "", message }], files: [] };
  }
  files.add(path);
  const hash = createHash("sha256").update(raw).digest("hex");
  let parsed: unknown;
  try {
    parsed = parseDocument(raw);
    if (!isObject(parsed)) throw new Error("the document must be an object");
    parsed = resolveIncludes(parsed, path, world.env.OPENCLAW_INCLUDE_ROOTS, files);
  } catch (error) {
    const text = (error as Error).message;
    const message = error instanceof IncludeError ? text : `JSON5 parse failed: ${text}`;
    return { ...base, raw, hash, verdict: "unparsable", issues: [{ path: "", message }], files: [...files] };
  }
  return judge({ ...base, raw, hash, parsed, verdict: "ok", files: [...files] }, world, declared);
}

/** JSON first: it is what most files hold and parses forty times faster. A byte order mark is tolerated. */
export function parseDocument(raw: string): unknown {
  const text = raw.replace(/^\uFEFF/u, "");
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON; JSON5 decides, and its error names line and column.
    return JSON5.parse(text);
  }
}

function judge(snapshot: ConfigSnapshot, world: Pick<World, "homedir">, declared: Declared): ConfigSnapshot {
  const issues: Issue[] = [];
  const env = withConfigEnv(snapshot.parsed, snapshot.env);
  const values = substitute(snapshot.parsed, env, issues);
  const schema = documentSchema(declared);
  issues.push(...validate(schema, values));
  issues.push(...crossChecks(values));
  if (issues.length > 0) {
    issues.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    return { ...snapshot, verdict: "invalid", issues, env };
  }
  const config = expandPaths(applyDefaults(schema, values), world.homedir()) as Record<string, unknown>;
  return { ...snapshot, config, env };
}

/** Rules between keys (config.md §3). */
function crossChecks(values: unknown): Issue[] {
  const issues: Issue[] = [];
  const agents = isObject(values) && isObject(values.agents) ? values.agents.list : undefined;
  if (!Array.isArray(agents)) return issues;
  const ids = new Map<string, number>();
  const dirs = new Map<string, string>();
  for (const [i, agent] of agents.entries()) {
    if (!isObject(agent) || typeof agent.id !== "string") continue;
    const id = agent.id.toLowerCase();
    if (ids.has(id)) issues.push({ path: `agents.list[${i}].id`, message: `agent id "${id}" is used twice` });
    ids.set(id, i);
    if (typeof agent.agentDir !== "string") continue;
    const other = dirs.get(agent.agentDir);
    if (other) issues.push({ path: `agents.list[${i}].agentDir`, message: `agents "${other}" and "${id}" share one agentDir; give each its own` });
    dirs.set(agent.agentDir, id);
  }
  return issues;
}

/** `Invalid config at …` with one line per issue, as the gateway and the CLI print it. */
export function describeIssues(snapshot: ConfigSnapshot): string {
  const lines = snapshot.issues.map((issue) => `  - ${issue.path || "<root>"}: ${issue.message}`);
  return [`Invalid config at ${snapshot.path}.`, ...lines].join("\n");
}
