/** What a protocol handler gets besides its params, and who is calling. The server makes these values; rooms only read them. */
import type {
  MethodAck,
  MethodName,
  MethodParams,
  MethodResult,
  ProtocolVersion,
  Role,
  Scope,
} from "@openclaw/protocol";
import type { Logger } from "./log.ts";

export interface ClientInfo {
  id: string;
  mode: string;
  version: string;
  platform: string;
  displayName?: string;
  deviceFamily?: string;
  modelIdentifier?: string;
  instanceId?: string;
  timeZone?: string;
}

/** Who a connection speaks for. Frozen at hello-ok. */
export interface Identity {
  readonly connId: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  /** `device:<id>`, or `shared` for the shared token or password: the owner of idempotency keys (settled.md 6). */
  readonly principal: string;
  readonly protocol: ProtocolVersion;
  readonly client: ClientInfo;
  readonly caps: readonly string[];
  readonly deviceId?: string;
  /** Loopback peer, loopback Host, no forwarding headers (protocol.md §6.1). */
  readonly local: boolean;
  /** Only when it is a trustworthy non-loopback address. */
  readonly remoteIp?: string;
  can(scope: Scope): boolean;
}

export interface Call<Ack = unknown> {
  readonly identity: Identity;
  readonly requestId: string;
  /** Aborted when the socket closes. Work acknowledged by `ack` must not be tied to it. */
  readonly signal: AbortSignal;
  /** Sends the first of two answers. At most once; the handler's return value is then the second. */
  ack(payload: Ack): void;
  /** Registers this connection for the tool events of a run, if its caps ask for them (protocol.md §10.3). */
  followRun(runId: string): void;
  readonly log: Logger;
}

export type Handler<N extends MethodName> = (
  params: MethodParams<N>,
  call: Call<MethodAck<N>>,
) => MethodResult<N> | Promise<MethodResult<N>>;

/** The handlers of some methods; rooms write `satisfies Handles<"a" | "b">`. */
export type Handles<N extends MethodName> = { [K in N]: Handler<K> };
