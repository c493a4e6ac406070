/** One connection, from dialing to its end (channels.md §6.4–6.7). Everything it holds ends with it: socket, frames, timers, keys
 *  that did not become durable. It never comes back; the next attempt is another one (R-WA-2). */
import type { Logger } from "../../../kernel/log.ts";
import type { Timer, World } from "../../../kernel/world.ts";
import type { ConnectionEnd, ConnectionEvents } from "../channel.ts";
import type { AuthStore } from "./auth.store.ts";
import { type Arrival, type ArrivalContext, type OwnIdentity, readArrival } from "./arrivals.ts";
import { endFor, timeoutStatus, watchdogStatus } from "./ends.ts";
import { FrameGate } from "./frame-gate.ts";
import type { Groups } from "./groups.ts";
import { bareJid, e164Of, isGroup } from "./jid.ts";
import { LinkKeys } from "./link-keys.ts";
import { isLinked } from "./link.ts";
import { PlatformClock } from "./platform-clock.ts";
import { Pulse } from "./pulse.ts";
import { Skips } from "./skips.ts";
import { sparing } from "./sparing.ts";
import type { Creds, proto, SocketEvents, SocketLike, WAMessage, WAMessageKey, WhatsAppLibrary } from "./socket.ts";

/** From creating the socket to `open`, or to a code to show (R-WA-7). */
export const openMs = 60_000;
/** Kind of the rows that hold facts on groups. */
export const groupKind = "group";
const firstQrMs = 60_000;
const nextQrMs = 20_000;
/** All references of one login: the first lives 60 s, five more 20 s each. */
const pairingCodeMs = 160_000;

export interface ConnectionOptions {
  library: WhatsAppLibrary;
  world: World;
  log: Logger;
  url: string | undefined;
  auth: AuthStore;
  /** Directory the link belongs to, for its record. */
  dir: string;
  events: ConnectionEvents;
  login: { phone?: string } | undefined;
  groups: Groups;
  heartbeatMs: number;
  /** What reading a message needs besides this connection. */
  arrival: (own: OwnIdentity) => Pick<ArrivalContext, "sent" | "selfChatMode" | "messagePrefix">;
  sentMessage: (key: WAMessageKey, pnOfLid: ArrivalContext["pnOfLid"]) => Promise<proto.IMessage | undefined>;
  /** Each message that came out of the library, also our own. */
  seen: (message: WAMessage, keys: LinkKeys) => void;
  commands: { login: string };
  /** Connections right before this one that ended as a bad session. */
  badSessions: number;
}

export interface Acknowledgement {
  /** Reason number of a refusal. */
  error?: string;
}

export class Connection {
  readonly #o: ConnectionOptions;
  readonly #ended = Promise.withResolvers<ConnectionEnd>();
  readonly #keys: LinkKeys;
  readonly #creds: Creds;
  readonly #gate: FrameGate;
  readonly #acks = new Map<string, (ack: Acknowledgement | undefined) => void>();
  #socket: SocketLike | undefined;
  #opening: Timer | undefined;
  #over = false;
  #own: OwnIdentity | undefined;
  readonly #pulse: Pulse;
  readonly #clock: PlatformClock;
  #opened = false;
  #announced = false;
  #linkedAt: number;
  #received = 0;
  #sent = 0;
  readonly #skips: Skips;
  #codes = 0;
  /** Messages are read one after another, so that their order stays. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(options: ConnectionOptions) {
    const { auth, library, world, dir } = options;
    this.#o = options;
    const stored = auth.creds() as Creds | undefined;
    this.#creds = stored && isLinked(stored) ? stored : library.newCreds();
    this.#linkedAt = auth.meta()?.linkedAt ?? 0;
    this.#keys = new LinkKeys(auth, this.#creds, () => ({ dir, savedAt: world.now(), linkedAt: this.#linkedAt }));
    this.#gate = new FrameGate({
      world,
      keys: this.#keys,
      write: (frame) => this.#socket?.write(frame),
      turn: () => new Promise((resolve) => setImmediate(resolve)),
      failed: (error) => this.#end({ kind: "retry", message: `could not store: ${error.message}` }),
    });
    this.#skips = new Skips(world, (skipped) => {
      options.log.debug("passed over", skipped);
      options.events.receive({ ownId: this.#identity().e164, messages: [], skipped }).catch((error: unknown) => {
        options.log.warn("the count of skipped messages could not be stored", { error });
      });
    });
    this.#clock = new PlatformClock(world);
    const id = world.uuid().slice(0, 8);
    this.#pulse = new Pulse({
      world,
      heartbeatMs: options.heartbeatMs,
      silent: (quietMs) => this.#endWith(watchdogStatus, `no sign of life for ${Math.round(quietMs / 1_000)} s`),
      look: (facts) => options.events.note({ ...facts, authSavedAt: this.#authSavedAt() }),
      heartbeat: (facts) =>
        options.log.debug("connected", {
          connection: id,
          ...facts,
          received: this.#received,
          sent: this.#sent,
          authAgeMs: world.now() - this.#authSavedAt(),
        }),
    });
  }

  /** Never rejects. Nothing is called any more when it resolves. */
  async run(signal: AbortSignal): Promise<ConnectionEnd> {
    const { library, world, groups, url, log } = this.#o;
    const aborted = () => this.#end({ kind: "aborted" });
    signal.addEventListener("abort", aborted, { once: true });
    this.#watchOpening();
    try {
      const socket = library.open({
        world,
        url,
        keys: this.#keys,
        creds: this.#creds,
        events: this.#socketEvents(),
        sentMessage: (key) => this.#o.sentMessage(key, (lid) => this.#pnOfLid(lid)),
        group: (jid) => groups.metadata(jid),
        debug: sparing(world, (line, more) => log.debug(line, more)),
      });
      this.#socket = socket;
      if (isLinked(this.#creds)) this.#o.events.note({ authSavedAt: this.#authSavedAt() });
      groups.connect({
        ask: (jid) => {
          const answer = this.#gate.directly(() => socket.groupMetadata(jid));
          return { answer, soon: !this.#gate.waiting };
        },
        remember: (jid, metadata) => this.#keys.set({ [groupKind]: { [jid]: metadata } }),
      });
      if (signal.aborted) aborted();
    } catch (error) {
      this.#end({ kind: "retry", message: error instanceof Error ? error.message : String(error) });
    }
    const end = await this.#ended.promise;
    signal.removeEventListener("abort", aborted);
    await this.#close();
    return end;
  }

  /** How it ended, as soon as that is known. */
  get ended(): Promise<ConnectionEnd> {
    return this.#ended.promise;
  }
  get over(): boolean {
    return this.#over;
  }
  get own(): OwnIdentity | undefined {
    return this.#own;
  }
  /** The socket while messages may be sent. */
  get socket(): SocketLike | undefined {
    return this.#opened && !this.#over ? this.#socket : undefined;
  }
  get linkedAt(): number {
    return this.#linkedAt;
  }

  /** Whether everything sent so far was written; false when the connection ended before. */
  written(): Promise<boolean> {
    return this.#gate.whenWritten(this.#gate.accepted);
  }

  /** The platform's word on a message of ours; undefined when it says nothing in time or the connection ends. */
  acknowledged(id: string, withinMs: number): Promise<Acknowledgement | undefined> {
    this.#sent++;
    return new Promise((resolve) => {
      const done = (ack: Acknowledgement | undefined) => {
        timer.cancel();
        this.#acks.delete(id);
        resolve(ack);
      };
      const timer = this.#o.world.after(withinMs, () => done(undefined));
      if (this.#over) return done(undefined);
      this.#acks.set(id, done);
    });
  }

  /** The machine slept or stood still: what looks open may be dead. */
  woke(): void {
    this.#end({ kind: "again", status: watchdogStatus, message: "the machine was asleep" });
  }

  #end(end: ConnectionEnd): void {
    this.#over = true;
    this.#ended.resolve(end);
  }

  #endWith(status: number, message: string): void {
    const { commands, badSessions } = this.#o;
    this.#end(endFor(status, message, { ...commands, badSessions }));
  }

  async #close(): Promise<void> {
    this.#opening?.cancel();
    this.#pulse.stop();
    this.#skips.stop();
    for (const done of this.#acks.values()) done(undefined);
    this.#o.groups.connect(undefined);
    await Promise.all([this.#socket?.end(), this.#gate.close()]);
  }

  #socketEvents(): SocketEvents {
    const live =
      <A extends unknown[]>(tell: (...values: A) => void) =>
      (...values: A) => {
        if (!this.#over) tell(...values);
      };
    return {
      frame: live((node) => this.#frame(node)),
      send: (frame) => this.#gate.send(frame),
      qr: live((text) => this.#code(text)),
      paired: live(() => this.#paired()),
      open: live(() => this.#open()),
      closed: live(({ status, message }) => this.#endWith(status, message)),
      credsChanged: live(() => {
        // Before the phone accepted this device there is nothing worth keeping.
        if (isLinked(this.#creds)) this.#keys.credsChanged();
        this.#announce();
      }),
      decrypted: (before) => this.#gate.decrypted(before),
      givenUp: () => this.#gate.givenUp(),
      stored: (platformId) => this.#o.events.stored(this.#identity().e164, platformId),
      messages: live((messages, kind) => this.#messages(messages, kind)),
      receipts: live((updates) => {
        for (const { key, failed } of updates)
          if (key.fromMe && key.id && !failed) this.#o.events.confirmed(key.id, key.id);
      }),
      groupsChanged: live((ids) => ids.forEach((id) => this.#o.groups.changed(id))),
    };
  }

  #frame(node: { tag: string; attrs: Readonly<Record<string, string>> } | undefined): void {
    this.#pulse.frame();
    this.#o.events.activity();
    if (!node) return;
    this.#clock.hear(node);
    const { id = "", from = "", class: ofClass, error } = node.attrs;
    if (node.tag === "message" && isGroup(from)) this.#o.groups.expect(from);
    if (node.tag === "ack" && ofClass === "message") this.#acks.get(id)?.(error ? { error } : {});
  }

  #watchOpening(): void {
    this.#opening?.cancel();
    this.#opening = this.#o.world.after(openMs, () =>
      this.#endWith(timeoutStatus, `no connection within ${openMs / 1_000} s`),
    );
  }

  #code(text: string): void {
    const { events, login, world } = this.#o;
    if (!login) {
      return this.#end({
        kind: "terminal",
        reason: "not-linked",
        message: "This account is not linked.",
        fix: `Link it: ${this.#o.commands.login}`,
      });
    }
    this.#opening?.cancel();
    const first = this.#codes++ === 0;
    if (login.phone === undefined) {
      events.loginCode?.({ kind: "qr", text, expiresAt: world.now() + (first ? firstQrMs : nextQrMs) });
    } else if (first) {
      this.#socket?.requestPairingCode(login.phone.replace(/\D/gu, "")).then(
        (code) => {
          if (!this.#over) events.loginCode?.({ kind: "code", code, expiresAt: world.now() + pairingCodeMs });
        },
        (error: unknown) => this.#endWith(timeoutStatus, `no pairing code: ${String(error)}`),
      );
    }
  }

  #paired(): void {
    this.#linkedAt = this.#o.world.now();
    this.#keys.credsChanged();
    this.#watchOpening();
    this.#keys.commit().then(
      () => {
        if (!this.#over) this.#o.events.linked?.();
      },
      (error: unknown) => this.#end({ kind: "retry", message: `could not store the link: ${String(error)}` }),
    );
  }

  #open(): void {
    const { events } = this.#o;
    const { me } = this.#creds;
    const pn = bareJid(me?.id ?? "");
    const e164 = e164Of(pn) ?? pn;
    this.#own = { pn, lid: me?.lid ? bareJid(me.lid) : undefined, e164 };
    this.#opened = true;
    this.#opening?.cancel();
    this.#pulse.start();
    events.opened({ id: e164, e164, ...(me?.name && me.name !== "~" ? { name: me.name } : {}) });
    events.note({ linked: true, receiving: true, jid: pn, authSavedAt: this.#authSavedAt() });
    this.#announce();
  }

  /** Shows the account as present, once the platform told its name, without which the library says nothing. Never for the owner's
   *  private number: their phone would stop ringing. */
  #announce(): void {
    if (this.#announced || !this.#opened || !this.#creds.me?.name) return;
    this.#announced = true;
    if (this.#o.arrival(this.#identity()).selfChatMode) return;
    this.#socket?.presence("available").catch((error: unknown) => {
      this.#o.log.debug("not shown as present on WhatsApp", { error });
    });
  }

  /** When the credentials were written last. */
  #authSavedAt(): number {
    return this.#o.auth.meta()?.savedAt ?? this.#o.world.now();
  }

  #pnOfLid(lid: string): Promise<string | undefined> {
    return this.#socket?.pnOfLid(lid) ?? Promise.resolve(undefined);
  }

  #messages(messages: readonly WAMessage[], kind: "notify" | "append"): void {
    for (const message of messages) this.#see(message);
    // What we send comes by here too; it was not decrypted and needs no row.
    const incoming = messages.filter(
      ({ key }) => !(key.fromMe && this.#o.arrival(this.#identity()).sent.has(key.id ?? "")),
    );
    if (incoming.length === 0) return;
    this.#received += incoming.length;
    this.#gate.emerged(() => this.#store(incoming, kind === "append"));
  }

  /** Runs inside the library, which must not be disturbed by an odd message. */
  #see(message: WAMessage): void {
    try {
      this.#o.seen(message, this.#keys);
    } catch (error) {
      this.#o.log.warn("a message could not be remembered", { error });
    }
  }

  /** Durable when it resolves. */
  async #store(incoming: readonly WAMessage[], catchUp: boolean): Promise<void> {
    const own = this.#identity();
    const context: ArrivalContext = {
      own,
      groups: this.#o.groups,
      linkedAt: this.#linkedAt,
      now: () => this.#clock.now(),
      pnOfLid: (lid) => this.#pnOfLid(lid),
      unresolved: (lid) => this.#o.log.debug("no number is known for a local id", { lid }),
      ...this.#o.arrival(own),
    };
    const read = this.#reading.then(() => Promise.all(incoming.map((raw) => this.#read(raw, catchUp, context))));
    this.#reading = read.catch(() => {
      // Told to whoever waits for this message; the next one is read all the same.
    });
    const arrivals = await read;
    for (const arrival of arrivals) if ("skipped" in arrival) this.#skips.add(arrival.skipped);
    const stored = arrivals.flatMap((arrival) => ("message" in arrival ? [arrival.message] : []));
    if (stored.length === 0) return;
    if (this.#over) throw new Error("the connection is over");
    await this.#o.events.receive({ ownId: own.e164, messages: stored });
  }

  /** A message that cannot be read must not stop the ones after it: it would come again for ever. */
  async #read(raw: WAMessage, catchUp: boolean, context: ArrivalContext): Promise<Arrival> {
    try {
      return await readArrival(raw, catchUp, context);
    } catch (error) {
      this.#o.log.warn("a message could not be read", { error });
      return { skipped: "unreadable" };
    }
  }

  /** Messages may come before `open` is told. */
  #identity(): OwnIdentity {
    if (this.#own) return this.#own;
    const pn = bareJid(this.#creds.me?.id ?? "");
    return { pn, lid: this.#creds.me?.lid ? bareJid(this.#creds.me.lid) : undefined, e164: e164Of(pn) ?? pn };
  }
}
