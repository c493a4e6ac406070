/** How long a provider is left alone after it failed (agent.md §3.4). In memory: a restart asks again. Failures that concern
 *  one request only (`format`, `context_overflow`) never count (R-SES-5). */
import { createHash } from "node:crypto";
import type { FailureReason } from "./provider.ts";

const minuteMs = 60_000;
/** After the 1st, 2nd, 3rd and every further failure in a row. */
const stepsMs = [minuteMs, 5 * minuteMs, 25 * minuteMs, 60 * minuteMs];
const billingMs = 5 * 60 * minuteMs;
const maxBillingMs = 24 * 60 * minuteMs;
/** Failures older than this no longer count. */
const windowMs = 24 * 60 * minuteMs;
const maxKeys = 64;

interface Standing {
  until: number;
  failures: number;
  billing: number;
  lastAt: number;
  reason: FailureReason;
}

export class Cooldowns {
  readonly #now: () => number;
  readonly #records = new Map<string, Standing>();

  /** `now`: a clock that never jumps, ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** ms until the provider may be asked again with this credential, and why; undefined when it may now. */
  of(key: string): { leftMs: number; reason: FailureReason } | undefined {
    const record = this.#records.get(key);
    const leftMs = (record?.until ?? 0) - this.#now();
    return record && leftMs > 0 ? { leftMs, reason: record.reason } : undefined;
  }

  failed(key: string, reason: FailureReason, retryAfterMs = 0): void {
    if (reason !== "rate_limit" && reason !== "auth" && reason !== "timeout" && reason !== "billing") return;
    const now = this.#now();
    const last = this.#records.get(key);
    const record =
      last && now - last.lastAt < windowMs ? last : { until: 0, failures: 0, billing: 0, lastAt: now, reason };
    const lengthMs =
      reason === "billing"
        ? Math.min(maxBillingMs, billingMs * 2 ** record.billing++)
        : (stepsMs[Math.min(record.failures++, stepsMs.length - 1)] ?? minuteMs);
    record.until = now + Math.max(lengthMs, Math.min(retryAfterMs, maxBillingMs));
    record.lastAt = now;
    record.reason = reason;
    this.#records.delete(key);
    this.#records.set(key, record);
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= maxKeys) break;
      this.#records.delete(oldest);
    }
  }

  succeeded(key: string): void {
    this.#records.delete(key);
  }
}

/** Names provider and credential without holding the secret: a new key starts with a clean record. */
export const cooldownKey = (provider: string, secret: string | undefined): string =>
  `${provider}:${secret === undefined ? "" : createHash("sha256").update(secret).digest("base64url").slice(0, 16)}`;
