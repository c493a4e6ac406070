/** Nodes: devices that lend their abilities (protocol.md §13.9, §6.7). */
import { event, method } from "../define.ts";
import {
  anyObject,
  bool,
  choice,
  closed,
  count,
  idempotencyKey,
  json,
  list,
  map,
  model,
  ms,
  names,
  nullable,
  ok,
  open,
  opt,
  str,
  str1,
  strings,
} from "../fields.ts";

const description = {
  nodeId: str1,
  displayName: opt(str),
  platform: opt(str),
  version: opt(str),
  coreVersion: opt(str),
  uiVersion: opt(str),
  deviceFamily: opt(str),
  modelIdentifier: opt(str),
  remoteIp: opt(str),
  caps: strings,
  commands: strings,
  pathEnv: opt(str),
  permissions: opt(map(bool)),
  connectedAtMs: opt(ms),
  paired: bool,
  connected: bool,
};

export const NodeRow = model("NodeRow", description);

export const nodeList = method({
  name: "node.list",
  scope: "operator.read",
  summary: "Paired and connected nodes, connected ones first.",
  params: closed({}),
  result: open({ ts: ms, nodes: list(NodeRow) }),
});

export const nodeDescribe = method({
  name: "node.describe",
  scope: "operator.read",
  summary: "One node.",
  planned: true,
  params: closed({ nodeId: str1 }),
  result: open({ ...description, ts: ms }),
});

export const nodeInvoke = method({
  name: "node.invoke",
  scope: "operator.write",
  summary: "Runs a command on a node and waits for its answer.",
  idempotent: true,
  planned: true,
  params: closed({ nodeId: str1, command: str1, params: opt(json), timeoutMs: opt(count), idempotencyKey }),
  result: open({ ok, nodeId: str1, command: str1, payload: opt(json), payloadJSON: nullable(str) }),
});

export const nodeInvokeResult = method({
  name: "node.invoke.result",
  scope: "node",
  summary: "A node's answer to `node.invoke.request`.",
  planned: true,
  params: closed({
    id: str1,
    nodeId: str1,
    ok: bool,
    payload: opt(json),
    /** A value that is no string counts as `payload`. */
    payloadJSON: opt(json),
    error: opt(nullable(open({ code: opt(str), message: opt(str) }))),
  }),
  result: open({ ok, ignored: opt(bool) }),
});

export const nodeEvent = method({
  name: "node.event",
  scope: "node",
  summary: "Something happened on a node; events unknown here are accepted and ignored.",
  planned: true,
  params: closed({ event: str1, payload: opt(json), payloadJSON: opt(nullable(str)) }),
  result: open({ ok, event: opt(str), handled: opt(bool) }),
});

export const nodeRename = method({
  name: "node.rename",
  scope: "operator.pairing",
  summary: "Gives a node another display name.",
  planned: true,
  params: closed({ nodeId: str1, displayName: str1 }),
  result: open({ nodeId: str1, displayName: str1 }),
});

const presented = {
  nodeId: str1,
  displayName: opt(str1),
  platform: opt(str1),
  version: opt(str1),
  coreVersion: opt(str1),
  uiVersion: opt(str1),
  deviceFamily: opt(str1),
  modelIdentifier: opt(str1),
  remoteIp: opt(str1),
  caps: opt(names),
  commands: opt(names),
};

export const NodePairingRequest = model("NodePairingRequest", {
  ...presented,
  requestId: str1,
  silent: opt(bool),
  isRepair: opt(bool),
  ts: ms,
});

/** A node of the older store, without its token. */
export const PairedNode = model("PairedNode", {
  ...presented,
  permissions: opt(map(bool)),
  createdAtMs: ms,
  approvedAtMs: ms,
});

export const nodePairRequest = method({
  name: "node.pair.request",
  scope: "operator.pairing",
  summary: "Asks to let a node in (older transports).",
  planned: true,
  params: closed({ ...presented, silent: opt(bool) }),
  result: open({ status: choice("pending"), request: NodePairingRequest, created: bool }),
});

export const nodePairList = method({
  name: "node.pair.list",
  scope: "operator.pairing",
  summary: "Pending requests and nodes of the older store, newest first.",
  planned: true,
  params: closed({}),
  result: open({ pending: list(NodePairingRequest), paired: list(PairedNode) }),
});

export const nodePairApprove = method({
  name: "node.pair.approve",
  scope: "operator.pairing",
  summary: "Lets a node in and issues its token.",
  planned: true,
  params: closed({ requestId: str1 }),
  result: open({
    requestId: str1,
    node: model("ApprovedNode", { ...presented, token: str1, createdAtMs: ms, approvedAtMs: ms }),
  }),
});

export const nodePairReject = method({
  name: "node.pair.reject",
  scope: "operator.pairing",
  summary: "Drops a node's request.",
  planned: true,
  params: closed({ requestId: str1 }),
  result: open({ requestId: str1, nodeId: str1 }),
});

export const nodePairVerify = method({
  name: "node.pair.verify",
  scope: "operator.pairing",
  summary: "Whether a token belongs to a node.",
  planned: true,
  params: closed({ nodeId: str1, token: str1 }),
  result: open({ ok: bool, node: opt(anyObject) }),
});

export const nodePairRequested = event({
  name: "node.pair.requested",
  audience: "pairing",
  whenSlow: "drop",
  summary: "A node asks to be let in.",
  planned: true,
  payload: NodePairingRequest,
});

export const nodePairResolved = event({
  name: "node.pair.resolved",
  audience: "pairing",
  whenSlow: "drop",
  summary: "A node's request was approved or rejected.",
  planned: true,
  payload: open({ requestId: str1, nodeId: str1, decision: choice("approved", "rejected"), ts: ms }),
});

export const nodeInvokeRequest = event({
  name: "node.invoke.request",
  audience: "targeted",
  whenSlow: "close",
  summary: "Asks one node to run a command.",
  planned: true,
  payload: open({
    id: str1,
    nodeId: str1,
    command: str1,
    paramsJSON: nullable(str),
    timeoutMs: opt(count),
    idempotencyKey: opt(str),
  }),
});
