/** The handshake: challenge, `connect`, hello-ok (protocol.md §3, §7, §16.3). */
import { Type } from "typebox";
import { event, method } from "../define.ts";
import {
  anyObject,
  bool,
  choice,
  count,
  int,
  json,
  map,
  model,
  ms,
  names,
  open,
  opt,
  sealed,
  str,
  str1,
  strings,
} from "../fields.ts";
import { PresenceEntry } from "./system.ts";

/** Programs that may connect. The `moltbot-` names are those of January 2026. */
export const ClientId = choice(
  "cli",
  "gateway-client",
  "node-host",
  "openclaw-control-ui",
  "webchat-ui",
  "webchat",
  "openclaw-macos",
  "openclaw-ios",
  "openclaw-android",
  "openclaw-probe",
  "fingerprint",
  "test",
  "openclaw-tui",
  "openclaw-linux",
  "openclaw-watchos",
  "openclaw-browser-copilot",
  "openclaw-worker",
  "moltbot-control-ui",
  "moltbot-macos",
  "moltbot-ios",
  "moltbot-android",
  "moltbot-probe",
);

export const ClientMode = choice("webchat", "cli", "ui", "backend", "node", "probe", "test", "worker");

const protocolVersion = Type.Integer({ minimum: 1 });

/** Closed at each level; the union of what all generations send, whatever protocol they ask for. */
export const ConnectParams = sealed("ConnectParams", {
  minProtocol: protocolVersion,
  maxProtocol: protocolVersion,
  client: sealed("ConnectClient", {
    id: ClientId,
    displayName: opt(str1),
    version: str1,
    platform: str1,
    deviceFamily: opt(str1),
    modelIdentifier: opt(str1),
    mode: ClientMode,
    instanceId: opt(str1),
    buildId: opt(Type.String({ minLength: 1, maxLength: 96 })),
    timeZone: opt(Type.String({ minLength: 1, maxLength: 64 })),
  }),
  caps: opt(names),
  commands: opt(names),
  permissions: opt(map(bool)),
  pathEnv: opt(str),
  role: opt(str1),
  scopes: opt(names),
  device: opt(
    sealed("ConnectDevice", { id: str1, publicKey: str1, signature: str1, signedAt: count, nonce: opt(str1) }),
  ),
  auth: opt(
    sealed("ConnectAuth", {
      token: opt(str),
      password: opt(str),
      deviceToken: opt(str),
      bootstrapToken: opt(str),
      approvalRuntimeToken: opt(str),
      agentRuntimeIdentityToken: opt(str),
    }),
  ),
  computerUse: opt(json),
  workerRuns: opt(json),
  locale: opt(str),
  userAgent: opt(str),
});

export const StateVersion = sealed("StateVersion", { presence: count, health: count });

/** The first picture of the gateway. `health` is `{}` until it was computed once. */
export const Snapshot = model("Snapshot", {
  presence: Type.Array(PresenceEntry),
  health: anyObject,
  stateVersion: StateVersion,
  uptimeMs: count,
  configPath: opt(str1),
  stateDir: opt(str1),
  sessionDefaults: model("SessionDefaults", {
    defaultAgentId: str1,
    mainKey: str1,
    mainSessionKey: str1,
    scope: choice("per-sender", "global"),
  }),
  authMode: opt(str),
  updateAvailable: opt(anyObject),
  appliedConfigHash: opt(str),
  suspension: opt(anyObject),
});

const atLeast1 = Type.Integer({ minimum: 1 });

export const HelloOk = model("HelloOk", {
  type: Type.Literal("hello-ok"),
  protocol: int,
  server: open({
    version: str1,
    commit: opt(str1),
    host: opt(str1),
    connId: str1,
    buildId: opt(Type.String({ minLength: 1, maxLength: 96 })),
    bootId: opt(Type.String({ minLength: 1, maxLength: 96 })),
  }),
  features: open({ methods: strings, events: strings, capabilities: opt(strings) }),
  snapshot: Snapshot,
  canvasHostUrl: opt(str1),
  pluginSurfaceUrls: opt(map(str)),
  auth: opt(model("HelloAuth", { deviceToken: opt(str1), role: str1, scopes: strings, issuedAtMs: opt(ms) })),
  policy: open({
    maxPayload: atLeast1,
    maxBufferedBytes: atLeast1,
    tickIntervalMs: atLeast1,
    attachments: opt(open({ maxBytes: count, maxImageBytes: count })),
  }),
});

export const connect = method({
  name: "connect",
  scope: "operator.admin",
  summary: "The first request of a connection. Later it is an error.",
  advertise: false,
  params: ConnectParams,
  result: HelloOk,
});

export const connectChallenge = event({
  name: "connect.challenge",
  audience: "targeted",
  whenSlow: "close",
  summary: "The first frame on every connection; `nonce` goes into the device signature.",
  payload: open({ nonce: str1, ts: ms }),
});
