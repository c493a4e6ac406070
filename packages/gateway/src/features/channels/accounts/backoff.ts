/** Waits between attempts to connect (channels.md §6.4): growing, capped, with jitter that only adds. */
import type { ReconnectPolicy } from "../channel.ts";

export const standardReconnect: ReconnectPolicy = {
  initialMs: 2_000,
  maxMs: 30_000,
  factor: 1.8,
  jitter: 0.25,
  maxAttempts: 12,
};

/** Wait of an account that failed too often in a row: it goes on, but calmly. */
export const tiredMs = 5 * 60_000;

const between = (low: number, value: number, high: number) => Math.min(high, Math.max(low, value));

/** Wait before attempt `n` (1 is the first repetition). `random` is in [0, 1). */
export function waitMs(policy: ReconnectPolicy, n: number, random: number): number {
  const initialMs = Math.max(250, policy.initialMs);
  const factor = between(1.1, policy.factor, 10);
  const tired = policy.maxAttempts > 0 && n > policy.maxAttempts;
  const base = tired ? tiredMs : Math.min(initialMs * factor ** (n - 1), Math.max(initialMs, policy.maxMs));
  return Math.round(base * (1 + between(0, policy.jitter, 1) * random));
}
