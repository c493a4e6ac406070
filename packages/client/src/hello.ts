/** What the gateway says when it accepts a connection (protocol.md §7). Unknown keys are kept, never required. */
import type { StateVersion } from "@openclaw/protocol";

export interface Hello {
  type: "hello-ok";
  protocol: number;
  server: { version: string; connId: string; host?: string };
  features: { methods: readonly string[]; events: readonly string[] };
  snapshot: {
    presence: readonly unknown[];
    health: unknown;
    stateVersion: StateVersion;
    uptimeMs: number;
    configPath?: string;
    stateDir?: string;
    sessionDefaults?: { defaultAgentId: string; mainKey: string; mainSessionKey: string; scope?: string };
  };
  canvasHostUrl?: string;
  auth?: { role: string; scopes: readonly string[]; deviceToken?: string; issuedAtMs?: number };
  policy: { maxPayload: number; maxBufferedBytes: number; tickIntervalMs: number };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** Whether a payload can be used as a hello: the parts the client itself depends on are there. */
export function isHello(payload: unknown): payload is Hello {
  if (!isRecord(payload) || payload.type !== "hello-ok" || typeof payload.protocol !== "number") return false;
  return isRecord(payload.policy) && isRecord(payload.server) && isRecord(payload.snapshot);
}
