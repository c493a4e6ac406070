/** Chat with a session (protocol.md §10.4, §13.5). */
import { Type } from "typebox";
import { event, method } from "../define.ts";
import {
  bool,
  choice,
  closed,
  count,
  idempotencyKey,
  json,
  list,
  model,
  ok,
  open,
  opt,
  sessionKey,
  str,
  str1,
  strings,
  doc,
} from "../fields.ts";
import { ChatEventMessage, TranscriptMessage } from "../transcript.ts";

export const chatHistory = method({
  name: "chat.history",
  scope: "operator.read",
  summary: "The newest messages of a session, oldest first; `before` pages back.",
  params: closed({
    sessionKey,
    limit: opt(doc("Default 200.", Type.Integer({ minimum: 1, maximum: 1000 }))),
    before: opt(doc("Message id: the page before it. An extension of this gateway.", str1)),
  }),
  result: open({
    sessionKey: str1,
    sessionId: opt(str),
    messages: list(TranscriptMessage),
    thinkingLevel: str,
    verboseLevel: opt(str),
  }),
});

/** One image as base64 or data URL in `content`. */
export const ChatAttachment = model("ChatAttachment", {
  type: opt(str),
  mimeType: opt(str),
  fileName: opt(str),
  content: opt(json),
});

export const chatSend = method({
  name: "chat.send",
  scope: "operator.write",
  summary: "Sends a message into a session. The answer says that it is stored; the reply comes as `chat` events.",
  idempotent: true,
  params: closed({
    sessionKey,
    message: doc("May be empty when there are attachments.", str),
    thinking: opt(doc("Thinking level of this message only.", str)),
    deliver: opt(doc("Accepted; a chat window is the target already.", bool)),
    attachments: opt(list(ChatAttachment)),
    timeoutMs: opt(count),
    idempotencyKey,
    sessionId: opt(doc("Accepted from clients of protocol 4; the session key decides.", str)),
  }),
  result: Type.Union([
    model("ChatStarted", {
      runId: str1,
      status: choice("started", "in_flight", "ok", "error"),
      summary: opt(str),
    }),
    model("ChatStopped", { ok, aborted: bool, runIds: strings }),
  ]),
});

export const chatAbort = method({
  name: "chat.abort",
  scope: "operator.write",
  summary: "Stops one run of a session, or all of them.",
  bypass: true,
  params: closed({ sessionKey, runId: opt(doc("Without it every run of the session is stopped.", str1)) }),
  result: open({ ok, aborted: bool, runIds: strings }),
});

export const chatInject = method({
  name: "chat.inject",
  scope: "operator.admin",
  summary: "Appends an assistant message to a transcript without a run.",
  params: closed({
    sessionKey,
    message: str1,
    label: opt(doc("Put before the message in brackets.", Type.String({ maxLength: 100 }))),
  }),
  result: open({ ok, messageId: str1 }),
});

export const chat = event({
  name: "chat",
  audience: "reader",
  whenSlow: "close",
  summary: "The reply of a run as a chat window shows it: cumulative deltas, then one final, error or aborted.",
  payload: open({
    runId: str1,
    sessionKey: str1,
    seq: count,
    state: choice("delta", "final", "error", "aborted", "status"),
    message: opt(ChatEventMessage),
    errorMessage: opt(str),
    errorKind: opt(choice("refusal", "timeout", "rate_limit", "context_length", "unknown")),
    stopReason: opt(str),
    usage: opt(json),
    deltaText: opt(str),
    replace: opt(bool),
    agentId: opt(str),
    phase: opt(str),
  }),
});
