/** Approval of commands (protocol.md §13.11). */
import { Type } from "typebox";
import { event, method } from "../define.ts";
import {
  bool,
  choice,
  closed,
  json,
  list,
  map,
  model,
  ms,
  nullable,
  num,
  ok,
  open,
  opt,
  str,
  str1,
  strings,
} from "../fields.ts";

const decision = choice("allow-once", "allow-always", "deny");

export const ExecApprovalDecision = model("ExecApprovalDecision", {
  id: str1,
  /** Null when nobody decided in time. */
  decision: nullable(decision),
  createdAtMs: ms,
  expiresAtMs: ms,
});

export const execApprovalRequest = method({
  name: "exec.approval.request",
  scope: "operator.approvals",
  summary: "Asks for leave to run a command. With `twoPhase` it answers twice: accepted, then the decision.",
  planned: true,
  params: closed({
    command: str1,
    id: opt(str1),
    cwd: opt(nullable(str)),
    host: opt(nullable(str)),
    security: opt(nullable(str)),
    ask: opt(nullable(str)),
    agentId: opt(nullable(str)),
    resolvedPath: opt(nullable(str)),
    sessionKey: opt(nullable(str)),
    timeoutMs: opt(Type.Integer({ minimum: 1 })),
    commandArgv: opt(strings),
    systemRunPlanV2: opt(json),
    env: opt(map(str)),
    nodeId: opt(nullable(str)),
    turnSourceChannel: opt(nullable(str)),
    turnSourceTo: opt(nullable(str)),
    turnSourceAccountId: opt(nullable(str)),
    turnSourceThreadId: opt(nullable(Type.Unsafe<string | number>({ type: ["string", "number"] }))),
    twoPhase: opt(bool),
  }),
  ack: model("ExecApprovalAccepted", {
    status: Type.Literal("accepted"),
    id: str1,
    createdAtMs: ms,
    expiresAtMs: ms,
  }),
  result: ExecApprovalDecision,
});

export const execApprovalWaitDecision = method({
  name: "exec.approval.waitDecision",
  scope: "operator.approvals",
  summary: "Waits for the decision about a pending approval.",
  planned: true,
  params: closed({ id: str1 }),
  result: ExecApprovalDecision,
});

export const execApprovalResolve = method({
  name: "exec.approval.resolve",
  scope: "operator.approvals",
  summary: "Decides about a pending approval; the first decision wins.",
  planned: true,
  params: closed({ id: str1, decision: str1 }),
  result: open({ ok }),
});

const policy = {
  security: opt(choice("deny", "allowlist", "full")),
  ask: opt(choice("off", "on-miss", "always")),
  askFallback: opt(choice("deny", "allowlist", "full")),
  autoAllowSkills: opt(bool),
};

export const ExecApprovalsFile = model("ExecApprovalsFile", {
  version: Type.Literal(1),
  socket: opt(open({ path: opt(str), token: opt(str) })),
  defaults: opt(model("ExecApprovalPolicy", policy)),
  agents: opt(
    map(
      model("ExecApprovalAgent", {
        ...policy,
        allowlist: opt(
          list(
            model("ExecAllowlistEntry", {
              id: opt(str),
              pattern: str,
              lastUsedAt: opt(num),
              lastUsedCommand: opt(str),
              lastResolvedPath: opt(str),
            }),
          ),
        ),
      }),
    ),
  ),
});

export const ExecApprovalsSnapshot = model("ExecApprovalsSnapshot", {
  path: str,
  exists: bool,
  hash: str,
  file: ExecApprovalsFile,
});

export const execApprovalsGet = method({
  name: "exec.approvals.get",
  scope: "operator.admin",
  summary: "The standing rules for commands.",
  planned: true,
  params: closed({}),
  result: ExecApprovalsSnapshot,
});

export const execApprovalsSet = method({
  name: "exec.approvals.set",
  scope: "operator.admin",
  summary: "Replaces the standing rules for commands.",
  planned: true,
  params: closed({ file: ExecApprovalsFile, baseHash: opt(str1) }),
  result: ExecApprovalsSnapshot,
});

export const execApprovalsNodeGet = method({
  name: "exec.approvals.node.get",
  scope: "operator.admin",
  summary: "The standing rules of a node.",
  planned: true,
  params: closed({ nodeId: str1 }),
  result: open({}),
});

export const execApprovalsNodeSet = method({
  name: "exec.approvals.node.set",
  scope: "operator.admin",
  summary: "Replaces the standing rules of a node.",
  planned: true,
  params: closed({ nodeId: str1, file: ExecApprovalsFile, baseHash: opt(str1) }),
  result: open({}),
});

const asked = model("ExecApprovalSubject", {
  command: str,
  cwd: nullable(str),
  host: nullable(str),
  security: nullable(str),
  ask: nullable(str),
  agentId: nullable(str),
  resolvedPath: nullable(str),
  sessionKey: nullable(str),
});

export const execApprovalRequested = event({
  name: "exec.approval.requested",
  audience: "approvals",
  whenSlow: "drop",
  summary: "A command waits for a decision.",
  planned: true,
  payload: model("ExecApprovalPending", { id: str1, request: asked, createdAtMs: ms, expiresAtMs: ms }),
});

export const execApprovalResolved = event({
  name: "exec.approval.resolved",
  audience: "approvals",
  whenSlow: "drop",
  summary: "A pending approval was decided.",
  planned: true,
  payload: open({ id: str1, decision, resolvedBy: opt(nullable(str)), ts: ms, request: opt(asked) }),
});
