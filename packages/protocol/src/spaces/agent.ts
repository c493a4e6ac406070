/** Agent runs (protocol.md §10, §13.3). */
import { Type } from "typebox";
import { event, method } from "../define.ts";
import {
  agentId,
  anyObject,
  bool,
  choice,
  closed,
  count,
  dictionary,
  idempotencyKey,
  json,
  label,
  list,
  model,
  ms,
  nullable,
  num,
  open,
  opt,
  str,
  str1,
  strings,
  doc,
} from "../fields.ts";

export const AgentPayload = model("AgentPayload", {
  text: opt(str),
  mediaUrl: opt(nullable(str)),
  mediaUrls: opt(strings),
  channelData: opt(anyObject),
});

export const AgentRunResult = model("AgentRunResult", {
  payloads: list(AgentPayload),
  meta: open({
    durationMs: num,
    agentMeta: open({
      sessionId: str,
      provider: str,
      model: str,
      usage: opt(
        open({ input: opt(num), output: opt(num), cacheRead: opt(num), cacheWrite: opt(num), total: opt(num) }),
      ),
    }),
    aborted: bool,
  }),
});

export const AgentAccepted = model("AgentAccepted", { runId: str1, status: Type.Literal("accepted"), acceptedAt: ms });

export const AgentFinal = model("AgentFinal", {
  runId: str1,
  status: choice("ok", "error"),
  summary: str,
  result: opt(AgentRunResult),
});

export const agent = method({
  name: "agent",
  scope: "operator.write",
  summary: "Runs one agent turn. Answers twice: accepted, then the outcome.",
  idempotent: true,
  params: closed({
    message: str1,
    idempotencyKey,
    agentId: opt(doc("Which agent; alone it selects that agent's main session.", agentId)),
    to: opt(doc("Person or group on the channel; selects the session when nothing else does.", str)),
    replyTo: opt(doc("Target of the reply when it differs from `to`.", str)),
    sessionId: opt(str),
    sessionKey: opt(str),
    thinking: opt(doc("Thinking level of this run only.", str)),
    channel: opt(doc("A known channel; it need not be configured.", str)),
    replyChannel: opt(str),
    accountId: opt(str),
    replyAccountId: opt(str),
    threadId: opt(str),
    groupId: opt(str),
    groupChannel: opt(str),
    groupSpace: opt(str),
    lane: opt(str),
    extraSystemPrompt: opt(doc("Appended to the system prompt of this run.", str)),
    spawnedBy: opt(str),
    deliver: opt(doc("Also sends the reply to the channel target.", bool)),
    attachments: opt(doc("As in `chat.send`; images only.", list(json))),
    timeout: opt(doc("Seconds.", count)),
    label: opt(label),
    bestEffortDeliver: opt(bool),
    inputProvenance: opt(anyObject),
  }),
  ack: AgentAccepted,
  /** A duplicate of a running call gets the accepted payload as its only answer. */
  result: Type.Union([AgentFinal, AgentAccepted]),
});

export const agentWait = method({
  name: "agent.wait",
  scope: "operator.write",
  summary: "Waits for the end of a run; unknown and running ids wait until the timeout.",
  params: closed({ runId: str1, timeoutMs: opt(doc("Default 30000; 0 asks without waiting.", count)) }),
  result: open({
    runId: str1,
    status: choice("ok", "error", "timeout"),
    startedAt: opt(ms),
    endedAt: opt(ms),
    error: opt(str),
  }),
});

export const agentIdentityGet = method({
  name: "agent.identity.get",
  scope: "operator.read",
  summary: "Name and avatar of the agent behind a session.",
  params: closed({ agentId: opt(agentId), sessionKey: opt(str) }),
  result: open({ agentId: str1, name: str, avatar: str, emoji: opt(str) }),
});

export const agentEvent = event({
  name: "agent",
  audience: "reader",
  whenSlow: "close",
  summary:
    "A step of a run: lifecycle, assistant text, tool, compaction. Tool events go only to connections that asked.",
  payload: open({
    runId: str1,
    stream: str1,
    data: dictionary,
    sessionKey: opt(str),
    seq: opt(count),
    ts: ms,
    agentId: opt(str),
    sessionId: opt(str),
  }),
});
