/** The answer to a successful `connect` (protocol.md §7, §16.3). */
import { eventTable, wireLimits } from "@openclaw/protocol";
import type { Admission } from "./handshake.ts";

/** What the gateway says about itself. */
export interface ServerInfo {
  version: string;
  host: string;
  buildId?: string;
}

export interface HelloParts {
  info: ServerInfo;
  methods: readonly string[];
  snapshot: Record<string, unknown>;
  maxBufferedBytes: number;
  tickIntervalMs: number;
  /** Where the canvas is, as this client reaches it. */
  canvasHostUrl?: string | undefined;
}

/** Names for `hello-ok.features.events`. */
export function advertisedEvents(): string[] {
  return Object.entries(eventTable)
    .filter(([, row]) => !row.planned)
    .map(([name]) => name);
}

export function helloOk(
  { identity, token }: Admission,
  parts: HelloParts,
  events: readonly string[],
): Record<string, unknown> {
  const { info } = parts;
  const v4 = identity.protocol >= 4;
  const auth = {
    ...(token ? { deviceToken: token.token } : {}),
    role: identity.role,
    scopes: identity.scopes,
    ...(token ? { issuedAtMs: token.issuedAtMs } : {}),
  };
  return {
    type: "hello-ok",
    protocol: identity.protocol,
    server: {
      version: info.version,
      connId: identity.connId,
      ...(v4 ? (info.buildId === undefined ? {} : { buildId: info.buildId }) : { host: info.host }),
    },
    features: { methods: parts.methods, events },
    snapshot: parts.snapshot,
    ...(parts.canvasHostUrl === undefined ? {} : { canvasHostUrl: parts.canvasHostUrl }),
    ...(token || v4 ? { auth } : {}),
    policy: {
      maxPayload: wireLimits.maxPayloadBytes,
      maxBufferedBytes: parts.maxBufferedBytes,
      tickIntervalMs: parts.tickIntervalMs,
    },
  };
}
