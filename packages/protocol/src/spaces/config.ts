/** Configuration (protocol.md §13.7). */
import { method } from "../define.ts";
import {
  anyObject,
  bool,
  choice,
  closed,
  count,
  int,
  json,
  list,
  map,
  model,
  ms,
  nullable,
  ok,
  open,
  opt,
  str,
  str1,
} from "../fields.ts";

export const ConfigIssue = model("ConfigIssue", { path: str, message: str });

/** The config file with secrets redacted. */
export const ConfigSnapshot = model("ConfigSnapshot", {
  path: str,
  exists: bool,
  raw: nullable(str),
  parsed: json,
  valid: bool,
  config: json,
  /** Hex SHA-256 of the file's text; absent while there is no file. */
  hash: opt(str),
  issues: list(ConfigIssue),
  warnings: list(ConfigIssue),
  legacyIssues: list(ConfigIssue),
});

export const configGet = method({
  name: "config.get",
  scope: "operator.read",
  summary: "The config file and what it means, secrets redacted.",
  params: closed({}),
  result: ConfigSnapshot,
});

export const UiHint = model("ConfigUiHint", {
  label: opt(str),
  help: opt(str),
  group: opt(str),
  order: opt(int),
  advanced: opt(bool),
  sensitive: opt(bool),
  placeholder: opt(str),
  itemTemplate: opt(json),
});

export const configSchema = method({
  name: "config.schema",
  scope: "operator.read",
  summary: "JSON Schema of the config with hints for forms.",
  params: closed({}),
  result: open({ schema: anyObject, uiHints: map(UiHint), version: str, generatedAt: str }),
});

export const configSet = method({
  name: "config.set",
  scope: "operator.admin",
  summary: "Replaces the config file.",
  params: closed({ raw: str1, baseHash: opt(str1) }),
  result: open({ ok, path: str, config: anyObject }),
});

export const RestartPlan = model("RestartPlan", {
  ok: bool,
  pid: int,
  signal: str,
  delayMs: count,
  reason: opt(str),
  mode: str,
});

export const RestartSentinel = model("RestartSentinel", {
  path: nullable(str),
  payload: open({
    kind: str,
    status: choice("ok", "error", "skipped"),
    ts: ms,
    sessionKey: opt(str),
    message: opt(nullable(str)),
    doctorHint: opt(nullable(str)),
    stats: opt(json),
  }),
});

const applyParams = closed({
  raw: str1,
  baseHash: opt(str1),
  sessionKey: opt(str),
  note: opt(str),
  restartDelayMs: opt(count),
});
const applyResult = open({ ok, path: str, config: anyObject, restart: RestartPlan, sentinel: RestartSentinel });

export const configApply = method({
  name: "config.apply",
  scope: "operator.admin",
  summary: "Replaces the config file, then restarts.",
  rate: { calls: 3, perMs: 60_000 },
  params: applyParams,
  result: applyResult,
});

export const configPatch = method({
  name: "config.patch",
  scope: "operator.admin",
  summary: "Merges an object into the config file; null deletes a key. Restarts when the change needs it.",
  rate: { calls: 3, perMs: 60_000 },
  params: applyParams,
  /** `restart` is null when the change is applied without one. */
  result: open({ ok, path: str, config: anyObject, restart: nullable(RestartPlan), sentinel: RestartSentinel }),
});

export const ConfigHistoryEntry = model("ConfigHistoryEntry", {
  /** What `config.history.get` and `config.restore` take. */
  id: str1,
  at: ms,
  /** First digits of the SHA-256 of the text, as `config.get` has it in `hash`. */
  hash: str1,
});

export const configHistory = method({
  name: "config.history",
  scope: "operator.read",
  summary: "The last 20 texts the config file had, newest first.",
  params: closed({}),
  result: open({ entries: list(ConfigHistoryEntry) }),
});

export const configHistoryGet = method({
  name: "config.history.get",
  scope: "operator.read",
  summary: "One former text of the config file, secrets redacted, and whether it would be accepted now.",
  params: closed({ id: str1 }),
  result: open({ id: str1, at: ms, raw: str, valid: bool, issues: list(ConfigIssue) }),
});

export const configRestore = method({
  name: "config.restore",
  scope: "operator.admin",
  summary: "Makes a former text the config file again, with the secrets it had.",
  params: closed({ id: str1, baseHash: opt(str1) }),
  result: open({ ok, path: str, changed: bool, config: anyObject }),
});
