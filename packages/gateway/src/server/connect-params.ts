/** `connect` params as the handshake reads them, and the questions it asks about the client (protocol.md §3.2, §3.3). */
import { protocolVersions, type MethodParams, type ProtocolVersion } from "@openclaw/protocol";
import type { ClientInfo } from "../kernel/call.ts";
import type { ClientKind } from "./auth.ts";

export type ConnectParams = MethodParams<"connect">;

/** The highest version both sides speak. */
export function negotiate(minProtocol: number, maxProtocol: number): ProtocolVersion | undefined {
  return protocolVersions.findLast((version) => version >= minProtocol && version <= maxProtocol);
}

/** Names of January 2026 follow the rules of their successors. */
const currentId = (id: string): string => id.replace(/^moltbot-/, "openclaw-");

export const isControlUi = (params: ConnectParams): boolean => currentId(params.client.id) === "openclaw-control-ui";

export const isWebchat = (params: ConnectParams): boolean =>
  params.client.mode === "webchat" || params.client.id === "webchat-ui";

export function clientKind(params: ConnectParams): ClientKind {
  if (params.client.mode === "cli") return "cli";
  return isControlUi(params) || isWebchat(params) ? "browser" : "other";
}

/** Scopes in effect: protocol 3 operators that ask for none hold admin (§8.1); nodes hold what they name, which is nothing. */
export function effectiveScopes(params: ConnectParams, protocol: ProtocolVersion): readonly string[] {
  const asked = params.scopes ?? [];
  if (asked.length > 0) return [...new Set(asked)];
  return (params.role ?? "operator") === "operator" && protocol < 4 ? ["operator.admin"] : [];
}

export function clientInfo(params: ConnectParams): ClientInfo {
  const { id, mode, version, platform, displayName, deviceFamily, modelIdentifier, instanceId, timeZone } =
    params.client;
  return {
    id,
    mode,
    version,
    platform,
    ...(displayName === undefined ? {} : { displayName }),
    ...(deviceFamily === undefined ? {} : { deviceFamily }),
    ...(modelIdentifier === undefined ? {} : { modelIdentifier }),
    ...(instanceId === undefined ? {} : { instanceId }),
    ...(timeZone === undefined ? {} : { timeZone }),
  };
}
