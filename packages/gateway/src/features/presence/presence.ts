/** Who is here: the gateway itself, its connections, and what devices report (protocol.md §12). */
import type { EventPayload, MethodParams } from "@openclaw/protocol";
import type { Bus } from "../../kernel/bus.ts";
import type { Identity } from "../../kernel/call.ts";
import type { Timer, World } from "../../kernel/world.ts";
import { readBeacon } from "./beacon.ts";
import { merge, presenceKey, type PresenceEntry, type PresencePatch } from "./entry.ts";

export const presenceLimits = {
  ttlMs: 300_000,
  entries: 200,
  /** At most four events per second. */
  eventIntervalMs: 250,
  sweepMs: 60_000,
} as const;

export interface PresenceParts {
  world: World;
  bus: Bus;
  /** The gateway's own entry; `host` is its key. */
  self: { host: string; version: string; ip?: string; deviceFamily?: string; modelIdentifier?: string };
  /** Queues a note for the main session's next prompt. */
  enqueueSystemEvent(text: string): void;
}

interface Kept {
  entry: PresenceEntry;
  /** Open connections of this key; while there are any the entry does not expire. */
  live: number;
}

export class Presence {
  readonly name = "presence";
  readonly #parts: PresenceParts;
  readonly #world: World;
  readonly #entries = new Map<string, Kept>();
  #version = 1;
  /** Newest first, without the gateway itself; undefined when something changed. */
  #sorted: PresenceEntry[] | undefined;
  #nextExpiryAt = 0;
  readonly #upserted = new Map<string, PresenceEntry>();
  readonly #removed = new Set<string>();
  #lastEventAt = Number.NEGATIVE_INFINITY;
  #eventTimer: Timer | undefined;
  #sweepTimer: Timer | undefined;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    this.#world = parts.world;
  }

  start(): void {
    this.#sweepTimer = this.#world.every(presenceLimits.sweepMs, () => {
      if (this.#expire()) this.#changed();
    });
  }

  stop(): void {
    this.#sweepTimer?.cancel();
    this.#eventTimer?.cancel();
    this.#eventTimer = undefined;
  }

  /** Grows with every change, also without an event. From 1. */
  get version(): number {
    return this.#version;
  }

  /** Newest first, the gateway itself on top, at most 200. */
  list(): PresenceEntry[] {
    if (this.#world.now() >= this.#nextExpiryAt) this.#expire();
    this.#sorted ??= [...this.#entries.values()]
      .map((kept) => kept.entry)
      // The map stands in order of change: of two with the same time the later one comes first.
      .toReversed()
      .sort((a, b) => b.ts - a.ts)
      .slice(0, presenceLimits.entries - 1);
    return [this.#self(), ...this.#sorted];
  }

  connected(identity: Identity): void {
    const key = connectionKey(identity);
    if (key === undefined) return;
    const { client, deviceId, remoteIp, role, scopes } = identity;
    const host = client.displayName ?? client.id;
    const known = this.#entries.get(key)?.entry;
    const kept = this.#upsert(key, {
      host,
      ip: remoteIp,
      version: client.version,
      platform: client.platform,
      deviceFamily: client.deviceFamily,
      modelIdentifier: client.modelIdentifier,
      mode: client.mode,
      deviceId,
      roles: [role],
      scopes: [...scopes],
      // Clients recognise an entry of a change by one of the two, so that every connection has one.
      instanceId: client.instanceId ?? deviceId ?? identity.connId,
      reason: "connect",
      text: known?.text ?? `Node: ${host} · mode ${client.mode}`,
    });
    kept.live++;
    this.#changed();
  }

  disconnected(identity: Identity): void {
    const key = connectionKey(identity);
    const kept = key === undefined ? undefined : this.#entries.get(key);
    if (key === undefined || !kept) return;
    kept.live = Math.max(0, kept.live - 1);
    this.#upsert(key, kept.live === 0 ? { reason: "disconnect" } : {});
    this.#changed();
  }

  /** A beacon or a note. Throws GatewayError("invalid") without text. */
  systemEvent(params: MethodParams<"system-event">): void {
    const { text, isNode, fields } = readBeacon(params);
    const key =
      presenceKey(fields.deviceId) ??
      presenceKey(fields.instanceId) ??
      presenceKey(fields.host) ??
      presenceKey(fields.ip) ??
      presenceKey(text.slice(0, 64)) ??
      "unknown";
    const before = this.#entries.get(key)?.entry;
    const { entry } = this.#upsert(key, fields);
    this.#changed();
    if (!isNode) return this.#parts.enqueueSystemEvent(text);
    const note = nodeNote(before, entry);
    if (note !== undefined) this.#parts.enqueueSystemEvent(note);
  }

  #self(): PresenceEntry {
    const { self } = this.#parts;
    const { platform } = this.#world;
    return {
      host: self.host,
      ...(self.ip === undefined ? {} : { ip: self.ip }),
      version: self.version,
      platform,
      ...(self.deviceFamily === undefined ? {} : { deviceFamily: self.deviceFamily }),
      ...(self.modelIdentifier === undefined ? {} : { modelIdentifier: self.modelIdentifier }),
      mode: "gateway",
      reason: "self",
      text: `Gateway: ${self.host} · app ${self.version} · mode gateway · reason self`,
      ts: this.#world.now(),
    };
  }

  #upsert(key: string, patch: PresencePatch): Kept {
    const kept = this.#entries.get(key);
    const entry = merge(kept?.entry, patch, this.#world.now());
    const next: Kept = { entry, live: kept?.live ?? 0 };
    // Set anew, so that the order of the map is the order of the last change.
    this.#entries.delete(key);
    this.#entries.set(key, next);
    this.#upserted.set(key, entry);
    this.#removed.delete(key);
    this.#makeRoom();
    return next;
  }

  /** Entries of live connections stay; they are bounded by the connections themselves. */
  #makeRoom(): void {
    if (this.#entries.size < presenceLimits.entries) return;
    for (const [key, kept] of this.#entries) {
      if (kept.live > 0) continue;
      this.#remove(key);
      return;
    }
  }

  #remove(key: string): void {
    this.#entries.delete(key);
    this.#upserted.delete(key);
    this.#removed.add(key);
    this.#sorted = undefined;
  }

  /** Whether something expired. */
  #expire(): boolean {
    const now = this.#world.now();
    let next = now + presenceLimits.sweepMs;
    let expired = false;
    for (const [key, { entry, live }] of this.#entries) {
      if (live > 0) continue;
      const expiresAt = entry.ts + presenceLimits.ttlMs;
      if (expiresAt <= now) {
        this.#remove(key);
        expired = true;
      } else next = Math.min(next, expiresAt);
    }
    this.#nextExpiryAt = next;
    return expired;
  }

  #changed(): void {
    this.#version++;
    this.#sorted = undefined;
    this.#nextExpiryAt = 0;
    if (this.#eventTimer) return;
    const sinceLast = this.#world.monotonic() - this.#lastEventAt;
    if (sinceLast >= presenceLimits.eventIntervalMs) this.#announce();
    else {
      this.#eventTimer = this.#world.after(presenceLimits.eventIntervalMs - sinceLast, () => {
        this.#eventTimer = undefined;
        this.#announce();
      });
    }
  }

  #announce(): void {
    this.#lastEventAt = this.#world.monotonic();
    const delta: EventPayload<"presence">["delta"] = {
      upserted: [...this.#upserted.values()].slice(-presenceLimits.entries),
      removed: [...this.#removed].slice(-presenceLimits.entries),
    };
    this.#upserted.clear();
    this.#removed.clear();
    this.#parts.bus.publish("presence", { presence: this.list(), delta });
  }
}

/** Undefined for clients of mode `cli`, which come and go. */
function connectionKey({ client, deviceId, connId }: Identity): string | undefined {
  if (client.mode === "cli") return undefined;
  return presenceKey(deviceId) ?? presenceKey(client.instanceId) ?? connId;
}

/** A device's beacon is worth a note only when it says something new. */
function nodeNote(before: PresenceEntry | undefined, now: PresenceEntry): string | undefined {
  const changed = (["host", "ip", "version", "mode"] as const).some((field) => before?.[field] !== now[field]);
  const periodic = now.reason === undefined || now.reason === "periodic" || now.reason === "heartbeat";
  const told = before !== undefined && before.reason === now.reason;
  if (!changed && (periodic || told)) return undefined;
  const parts = [`Node: ${now.host ?? "unknown"}${now.ip === undefined ? "" : ` (${now.ip})`}`];
  if (now.version !== undefined) parts.push(`app ${now.version}`);
  if (now.mode !== undefined) parts.push(`mode ${now.mode}`);
  if (now.reason !== undefined) parts.push(`reason ${now.reason}`);
  return parts.join(" · ");
}
