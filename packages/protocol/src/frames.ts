/** The three envelopes of the wire (protocol.md §9.1) and the numbers both sides must agree on. */
import type { WireError } from "./errors.ts";

export interface RequestFrame {
  type: "req";
  id: string;
  method: string;
  params?: unknown;
  traceparent?: string;
}
export interface ResponseFrame {
  type: "res";
  id: string;
  ok: boolean;
  payload?: unknown;
  error?: WireError;
}
export interface StateVersion {
  presence: number;
  health: number;
}
export interface EventFrame {
  type: "event";
  event: string;
  payload?: unknown;
  /** Per connection, from 1; absent on targeted events. */
  seq?: number;
  stateVersion?: StateVersion;
}
export type Frame = RequestFrame | ResponseFrame | EventFrame;

export const protocolVersions = [3, 4] as const;
export type ProtocolVersion = (typeof protocolVersions)[number];

/** Limits of protocol.md §2.2 in bytes and milliseconds; one literal, announced in `hello-ok.policy`. */
export const wireLimits = {
  maxPayloadBytes: 26_214_400,
  maxPreauthPayloadBytes: 65_536,
  maxBufferedBytes: 1_572_864,
  tickIntervalMs: 30_000,
  handshakeTimeoutMs: 10_000,
  maxUnauthenticatedPerAddress: 32,
  maxPendingHandshakeFrames: 15,
} as const;

export const defaultPort = 18_789;
