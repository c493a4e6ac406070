/** Sessions (protocol.md §13.6, §16.6). */
import { Type } from "typebox";
import { method } from "../define.ts";
import {
  agentId,
  anyObject,
  bool,
  choice,
  closed,
  count,
  int,
  label,
  list,
  model,
  ms,
  nullable,
  ok,
  open,
  opt,
  sessionKey,
  str,
  str1,
  strings,
  doc,
} from "../fields.ts";

export const SessionRow = model("SessionRow", {
  key: str1,
  kind: choice("direct", "group", "global", "unknown"),
  label: opt(str),
  displayName: opt(str),
  channel: opt(str),
  subject: opt(str),
  groupChannel: opt(str),
  space: opt(str),
  chatType: opt(str),
  origin: opt(anyObject),
  updatedAt: nullable(ms),
  sessionId: opt(str),
  systemSent: opt(bool),
  abortedLastRun: opt(bool),
  thinkingLevel: opt(str),
  verboseLevel: opt(str),
  reasoningLevel: opt(str),
  elevatedLevel: opt(str),
  sendPolicy: opt(str),
  inputTokens: opt(int),
  outputTokens: opt(int),
  totalTokens: int,
  responseUsage: opt(str),
  modelProvider: nullable(str),
  model: nullable(str),
  contextTokens: opt(nullable(int)),
  deliveryContext: opt(open({ channel: opt(str), to: opt(str), accountId: opt(str) })),
  lastChannel: opt(str),
  lastTo: opt(str),
  lastAccountId: opt(str),
  derivedTitle: opt(str),
  lastMessagePreview: opt(str),
  spawnedBy: opt(str),
});

export const sessionsList = method({
  name: "sessions.list",
  scope: "operator.read",
  summary: "Sessions, latest first; filters apply before `limit`.",
  params: closed({
    limit: opt(Type.Integer({ minimum: 1 })),
    activeMinutes: opt(doc("Only sessions that changed within so many minutes.", Type.Integer({ minimum: 1 }))),
    includeGlobal: opt(bool),
    includeUnknown: opt(bool),
    includeDerivedTitles: opt(bool),
    includeLastMessage: opt(bool),
    label: opt(label),
    spawnedBy: opt(str1),
    agentId: opt(agentId),
    search: opt(doc("Found in display name, label, subject, session id or key.", str)),
  }),
  result: open({
    ts: ms,
    path: str,
    count,
    defaults: open({ modelProvider: nullable(str), model: nullable(str), contextTokens: nullable(int) }),
    sessions: list(SessionRow),
  }),
});

export const sessionsPreview = method({
  name: "sessions.preview",
  scope: "operator.read",
  summary: "The last lines of up to 64 sessions.",
  params: closed({
    keys: Type.Array(str1, { minItems: 1 }),
    limit: opt(doc("Lines per session; default 12.", Type.Integer({ minimum: 1 }))),
    maxChars: opt(doc("Per line; default 240.", Type.Integer({ minimum: 20 }))),
  }),
  result: open({
    ts: ms,
    previews: list(
      model("SessionPreview", {
        key: str1,
        status: choice("ok", "empty", "missing", "error"),
        items: list(open({ role: choice("user", "assistant", "tool", "system", "other"), text: str })),
      }),
    ),
  }),
});

export const sessionsResolve = method({
  name: "sessions.resolve",
  scope: "operator.read",
  summary: "The key of the session with this key, session id or label.",
  params: closed({
    key: opt(str1),
    sessionId: opt(str1),
    label: opt(label),
    agentId: opt(agentId),
    spawnedBy: opt(str1),
    includeGlobal: opt(bool),
    includeUnknown: opt(bool),
  }),
  result: open({ ok, key: str1 }),
});

export const sessionsPatch = method({
  name: "sessions.patch",
  scope: "operator.admin",
  summary: "Sets or, with null, clears choices of a session; creates it when missing.",
  params: closed({
    key: sessionKey,
    label: opt(nullable(label)),
    thinkingLevel: opt(nullable(str1)),
    verboseLevel: opt(nullable(str1)),
    reasoningLevel: opt(nullable(str1)),
    responseUsage: opt(nullable(str1)),
    elevatedLevel: opt(nullable(str1)),
    execHost: opt(nullable(str1)),
    execSecurity: opt(nullable(str1)),
    execAsk: opt(nullable(str1)),
    execNode: opt(nullable(str)),
    model: opt(nullable(str1)),
    spawnedBy: opt(nullable(str1)),
    spawnDepth: opt(nullable(count)),
    sendPolicy: opt(nullable(choice("allow", "deny"))),
    groupActivation: opt(nullable(choice("mention", "always"))),
  }),
  result: open({
    ok,
    path: str,
    key: str1,
    entry: anyObject,
    resolved: open({ modelProvider: nullable(str), model: nullable(str) }),
  }),
});

export const sessionsReset = method({
  name: "sessions.reset",
  scope: "operator.admin",
  summary: "Gives a session a new session id; its choices stay.",
  params: closed({ key: sessionKey, reason: opt(choice("new", "reset")) }),
  result: open({ ok, key: str1, entry: anyObject }),
});

export const sessionsDelete = method({
  name: "sessions.delete",
  scope: "operator.admin",
  summary: "Stops a session's run and removes it.",
  params: closed({ key: sessionKey, deleteTranscript: opt(doc("Default true.", bool)), emitLifecycleHooks: opt(bool) }),
  result: open({ ok, key: str1, deleted: bool, archived: strings }),
});

export const sessionsCompact = method({
  name: "sessions.compact",
  scope: "operator.admin",
  summary: "Keeps the last entries of a transcript.",
  params: closed({
    key: sessionKey,
    maxLines: opt(doc("Entries to keep; default 400.", Type.Integer({ minimum: 1 }))),
  }),
  result: open({
    ok,
    key: str1,
    compacted: bool,
    reason: opt(str),
    kept: opt(count),
    archived: opt(str),
  }),
});

export const sessionsSubscribe = method({
  name: "sessions.subscribe",
  scope: "operator.read",
  summary: "Marks the connection as wanting session events.",
  since: 4,
  params: open({}),
  result: open({ subscribed: bool }),
});

export const sessionsUnsubscribe = method({
  name: "sessions.unsubscribe",
  scope: "operator.read",
  summary: "Takes the mark of `sessions.subscribe` back.",
  since: 4,
  params: open({}),
  result: open({ subscribed: bool }),
});

export const sessionsDescribe = method({
  name: "sessions.describe",
  scope: "operator.read",
  summary: "One session as `sessions.list` shows it, or null.",
  since: 4,
  params: closed({
    key: sessionKey,
    agentId: opt(agentId),
    includeDerivedTitles: opt(bool),
    includeLastMessage: opt(bool),
  }),
  result: open({ session: nullable(SessionRow) }),
});
