/** `config.get|schema|set|apply|patch` (config.md §6.2, protocol.md §13.7) and `config.history|history.get|restore` (R-CFG-7).
 *  Everything that leaves is redacted; a sentinel that comes back stands for the stored value. */
import { GatewayError, type MethodParams } from "@openclaw/protocol";
import type { Handles } from "../kernel/call.ts";
import { commandLine } from "../kernel/paths.ts";
import { diffConfig } from "./diff.ts";
import { setIn, type Edit } from "./edit.ts";
import { listHistory, readHistory, type HistoryEntry } from "./history.ts";
import { parseDocument } from "./parse.ts";
import { reloadPlan } from "./plan.ts";
import type { RestartAnswer, RestartPort, RestartSentinel, SentinelPort } from "./ports.ts";
import { documentSchema, judgeText, readConfig, type ConfigSnapshot, type Declared } from "./read.ts";
import { redactRaw, redactValues, restoredSecrets, restoreText, secretsOf } from "./redact.ts";
import { authoredSchema, hintsOf } from "./schema.ts";
import { isObject } from "./validate.ts";
import { editConfigFile, replaceConfigFile, type Written, type WriteWorld } from "./write.ts";

export interface ConfigMethodParts {
  /** Of the config file. */
  path: string;
  declared: Declared;
  version: string;
  world: WriteWorld;
  restart: RestartPort;
  sentinel: SentinelPort;
}

type ApplyParams = MethodParams<"config.apply">;

interface Pending {
  restart: RestartAnswer;
  sentinel: Awaited<ReturnType<SentinelPort["write"]>>;
}

const defaultDelayMs = 2_000;
const maxDelayMs = 60_000;

export function configMethods(parts: ConfigMethodParts) {
  const { path, declared, world } = parts;
  const schema = documentSchema(declared);
  const read = () => readConfig(path, world, declared);

  const effective = (written: Written): object => redactValues(written.snapshot.config ?? {}, schema) as object;

  const set = async (raw: string, baseHash: string | undefined): Promise<Written> => {
    const before = read();
    const base = baseOf(before, baseHash);
    const text = restoreText(raw, parseObject(raw, "config"), storedOf(before), schema, path);
    return asInvalid(() => replaceConfigFile(path, text, world, declared, base));
  };

  const merge = async (
    raw: string,
    baseHash: string | undefined,
  ): Promise<{ before: ConfigSnapshot; written: Written }> => {
    const before = read();
    const base = baseOf(before, baseHash);
    if (!isUsable(before))
      throw new GatewayError("invalid", "invalid config; fix before patching", { details: { issues: before.issues } });
    const patch = parseObject(raw, "config.patch");
    for (const edit of restoredSecrets(patch, storedOf(before), schema)) setIn(patch, edit);
    const edits = mergeEdits(patch, storedOf(before));
    return { before, written: await asInvalid(() => editConfigFile(path, edits, world, declared, base)) };
  };

  /** Sentinel first, then the restart: one that happens without its note would leave somebody waiting. */
  const restart = async (kind: "config-apply" | "config-patch", params: ApplyParams): Promise<Pending> => {
    const reason = kind === "config-apply" ? "config.apply" : "config.patch";
    const sentinel = await parts.sentinel.write(sentinelOf(kind, params, world));
    const delayMs = Math.min(params.restartDelayMs ?? defaultDelayMs, maxDelayMs);
    return { restart: parts.restart.request({ delayMs, reason, ...noted(params) }), sentinel };
  };

  /** The parts of a document that may leave. */
  const shown = (snapshot: ConfigSnapshot) => {
    const values = snapshot.config ?? {};
    const secrets = secretsOf(values, schema, secretsOf(snapshot.parsed, schema));
    return {
      raw: snapshot.raw === null ? null : redactRaw(snapshot.raw, schema, secrets),
      parsed: redactValues(snapshot.parsed, schema, secrets) as object,
      config: redactValues(values, schema, secrets) as object,
    };
  };

  return {
    "config.get": () => {
      const snapshot = read();
      return {
        path: snapshot.path,
        exists: snapshot.exists,
        valid: isUsable(snapshot),
        ...shown(snapshot),
        hash: snapshot.hash,
        issues: snapshot.issues,
        warnings: snapshot.warnings,
        legacyIssues: snapshot.legacyIssues,
      };
    },
    "config.schema": () => ({
      schema: { $schema: "http://json-schema.org/draft-07/schema#", ...(authoredSchema(schema) as object) },
      uiHints: hintsOf(declared),
      version: parts.version,
      generatedAt: new Date(world.now()).toISOString(),
    }),
    "config.set": async (params) => {
      const written = await set(params.raw, params.baseHash);
      return { ok: true, path: written.path, config: effective(written) };
    },
    "config.apply": async (params) => {
      const written = await set(params.raw, params.baseHash);
      return { ok: true, path: written.path, config: effective(written), ...(await restart("config-apply", params)) };
    },
    "config.patch": async (params) => {
      const { before, written } = await merge(params.raw, params.baseHash);
      const result = { ok: true as const, path: written.path, config: effective(written) };
      // The reloader applies what is hot; a restart, and its note, only where the plan asks for one.
      const plan = reloadPlan(diffConfig(before.config, written.snapshot.config), declared);
      if (plan.restart.length > 0) return { ...result, ...(await restart("config-patch", params)) };
      const payload: RestartSentinel = { ...sentinelOf("config-patch", params, world), status: "skipped" };
      return { ...result, restart: null, sentinel: { path: null, payload } };
    },
    "config.history": () => ({ entries: listHistory(world).map(({ id, at, hash }) => ({ id, at, hash })) }),
    "config.history.get": ({ id }) => {
      const entry = entryOf(id, world);
      const snapshot = judgeText(path, textOf(entry), world, declared);
      return {
        id,
        at: entry.at,
        raw: shown(snapshot).raw ?? "",
        valid: snapshot.verdict === "ok",
        issues: snapshot.issues,
      };
    },
    "config.restore": async ({ id, baseHash }) => {
      const text = textOf(entryOf(id, world));
      const written = await asInvalid(() => replaceConfigFile(path, text, world, declared, baseOf(read(), baseHash)));
      return { ok: true, path: written.path, changed: written.changed, config: effective(written) };
    },
  } satisfies Handles<
    | "config.get"
    | "config.schema"
    | "config.set"
    | "config.apply"
    | "config.patch"
    | "config.history"
    | "config.history.get"
    | "config.restore"
  >;
}

function entryOf(id: string, world: WriteWorld): HistoryEntry {
  const entry = listHistory(world).find((one) => one.id === id);
  if (entry) return entry;
  throw new GatewayError(
    "not-found",
    "no such text in the config history; re-run config.history and choose one of its ids",
  );
}

function textOf(entry: HistoryEntry): string {
  try {
    return readHistory(entry);
  } catch (error) {
    // The oldest goes when a new one comes.
    throw new GatewayError("not-found", "this text is not in the config history any more; re-run config.history", {
      cause: error,
    });
  }
}

const isUsable = (snapshot: ConfigSnapshot): boolean => snapshot.verdict === "ok" || snapshot.verdict === "missing";

/** What the file itself says: the document sentinels refer to. Empty when it cannot be parsed. */
function storedOf(snapshot: ConfigSnapshot): Record<string, unknown> {
  if (snapshot.raw === null) return {};
  try {
    const value = parseDocument(snapshot.raw);
    return isObject(value) ? value : {};
  } catch {
    // Broken text stores nothing; a whole new document may still replace it.
    return {};
  }
}

function baseOf(before: ConfigSnapshot, baseHash: string | undefined): { baseHash: string } {
  const fail = (text: string): never => {
    throw new GatewayError("conflict", `${text}; re-run config.get and retry`, { details: { code: "STALE_HASH" } });
  };
  if (before.verdict === "unreadable") return fail("config base hash unavailable");
  if (before.exists && !baseHash) return fail("config base hash required");
  if (before.exists && baseHash !== before.hash) return fail("config changed since last load");
  return { baseHash: before.hash };
}

function parseObject(raw: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseDocument(raw);
  } catch (error) {
    throw new GatewayError("invalid", (error as Error).message, {
      details: { issues: [{ path: "", message: (error as Error).message }] },
    });
  }
  if (!isObject(value)) throw new GatewayError("invalid", `${what} raw must be an object`);
  return value;
}

/** A merge patch as edits: objects merge, null removes, everything else replaces. Values in new objects lose their nulls. */
function mergeEdits(patch: Record<string, unknown>, document: unknown, path: string[] = []): Edit[] {
  return Object.entries(patch).flatMap(([key, value]) => {
    const at = [...path, key];
    const present = isObject(document) && Object.hasOwn(document, key) ? document[key] : undefined;
    if (value === null) return [{ path: at, value: undefined }];
    if (isObject(value) && isObject(present)) return mergeEdits(value, present, at);
    return [{ path: at, value: withoutNulls(value) }];
  });
}

function withoutNulls(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (item === null ? [] : [[key, withoutNulls(item)]])),
  );
}

/** The texts clients know for a document that does not validate. */
async function asInvalid<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const issues = error instanceof GatewayError && error.kind === "invalid" ? error.details?.issues : undefined;
    if (issues === undefined) throw error;
    throw new GatewayError("invalid", "invalid config", { details: { issues }, cause: error });
  }
}

const noted = (params: ApplyParams): { note?: string; sessionKey?: string } => ({
  ...(params.note === undefined ? {} : { note: params.note }),
  ...(params.sessionKey === undefined ? {} : { sessionKey: params.sessionKey }),
});

function sentinelOf(kind: RestartSentinel["kind"], params: ApplyParams, world: WriteWorld): RestartSentinel {
  return {
    kind,
    status: "ok",
    ts: world.now(),
    ...(params.sessionKey === undefined ? {} : { sessionKey: params.sessionKey }),
    message: params.note ?? null,
    doctorHint: `Run: ${commandLine(world, "doctor --non-interactive")}`,
    stats: { mode: kind === "config-apply" ? "config.apply" : "config.patch" },
  };
}
