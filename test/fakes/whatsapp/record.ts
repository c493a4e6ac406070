/** What happened, for tests to look at, and a way to wait for it. */
import type { Companion } from "./companion.ts";
import type { Connection, Inbound, Ledger, Outbound } from "./api.ts";

export type InboundEntry = Omit<Inbound, "pending">;

export class Records {
  readonly outbound = new Map<string, Outbound>();
  readonly inbound = new Map<string, InboundEntry>();
  readonly keysReused: Ledger["keysReused"] = [];
  readonly presence: Ledger["presence"] = [];
  readonly connections: Connection[] = [];
  readonly queries: Record<string, number> = {};
  readonly unknown: string[] = [];
  refs = 0;
  uploads = 0;
  downloads = 0;
  private readonly watchers = new Set<() => void>();

  /** To be called after every change. */
  changed(): void {
    for (const watcher of this.watchers) watcher();
  }

  /** As it is now and will change: for a look, not to keep. */
  view(companions: readonly Companion[]): Ledger {
    const pending = new Set(
      companions
        .filter((companion) => !companion.removed)
        .flatMap((companion) => companion.pending.map((delivery) => delivery.message?.entry.id)),
    );
    return {
      outbound: [...this.outbound.values()],
      inbound: [...this.inbound.values()].map((entry) => ({ ...entry, pending: pending.has(entry.id) })),
      keysReused: this.keysReused,
      presence: this.presence,
      connections: this.connections,
      companions: companions.map(({ device, jid, platform, preKeys, removed, pending: waiting }) => ({
        device,
        jid,
        platform,
        preKeys: preKeys.length,
        removed,
        pending: waiting.length,
      })),
      refs: this.refs,
      queries: this.queries,
      unknown: this.unknown,
      uploads: this.uploads,
      downloads: this.downloads,
    };
  }

  /** Resolves with the first answer of `check` that is neither undefined nor false; rejects after `timeoutMs`. */
  until<T>(check: () => T | undefined | false, what: string, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      let queued = false;
      const look = () => {
        queued = false;
        if (!this.watchers.has(later)) return;
        try {
          const found = check();
          if (found === undefined || found === false) return;
          finish();
          resolve(found);
        } catch (error) {
          finish();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      // Snapshots are costly and changes come in bursts: one look per turn of the event loop.
      const later = () => {
        if (!queued) setImmediate(look);
        queued = true;
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`Waited ${timeoutMs} ms in vain for ${what}.`));
      }, timeoutMs);
      const finish = () => {
        clearTimeout(timer);
        this.watchers.delete(later);
      };
      this.watchers.add(later);
      look();
    });
  }
}
