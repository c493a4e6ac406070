/** What is known of groups: subject and members (channels.md §6.7), asked for anew after 5 min. Asked when a message of a group
 *  arrives, before it is decrypted, because nothing can be asked while its receipt is held; a message waits for the answer only when
 *  nothing is known and the question has left. Facts are stored, so that the first message after a restart has them. */
import type { World } from "../../../kernel/world.ts";
import { bareJid, e164Of } from "./jid.ts";
import type { GroupMetadata } from "./socket.ts";

const freshMs = 5 * 60_000;
const kept = 1_000;
/** A message goes on without the facts after this. */
const patienceMs = 1_500;
const shownMembers = 256;

export interface GroupFacts {
  subject: string | undefined;
  /** E.164 where known, else local ids. */
  members: string[];
}

interface Entry {
  metadata: GroupMetadata | undefined;
  /** Monotonic; undefined: from an earlier connection. */
  at: number | undefined;
  asking: Promise<void> | undefined;
  /** The question is on its way, not held back. */
  soon: boolean;
}

export interface GroupSource {
  /** `soon`: the question has left. */
  ask: (jid: string) => { answer: Promise<GroupMetadata>; soon: boolean };
  remember: (jid: string, metadata: GroupMetadata) => void;
}

export class Groups {
  readonly #world: World;
  readonly #entries = new Map<string, Entry>();
  readonly #recall: (jid: string) => GroupMetadata | undefined;
  #source: GroupSource | undefined;

  /** `recall` reads what was remembered. */
  constructor(world: World, recall: (jid: string) => GroupMetadata | undefined) {
    this.#world = world;
    this.#recall = recall;
  }

  /** The connection that can be asked; undefined when there is none. */
  connect(source: GroupSource | undefined): void {
    this.#source = source;
    for (const entry of this.#entries.values()) entry.asking = undefined;
  }

  /** Asks, unless it is known. */
  expect(jid: string): void {
    const entry = this.#entry(jid);
    const source = this.#source;
    if (entry.asking || !source || this.#isFresh(entry)) return;
    const { answer, soon } = source.ask(jid);
    entry.soon = soon;
    const asking = answer.then(
      (metadata) => {
        if (entry.asking !== asking) return;
        source.remember(jid, metadata);
        entry.metadata = metadata;
        entry.at = this.#world.monotonic();
        entry.asking = undefined;
      },
      () => {
        // Messages go on without; the next one asks again.
        if (entry.asking === asking) entry.asking = undefined;
      },
    );
    entry.asking = asking;
  }

  /** Facts of a group; undefined when they are unknown and do not come soon. */
  async get(jid: string): Promise<GroupFacts | undefined> {
    const entry = this.#entries.get(jid);
    if (!entry) return undefined;
    if (!entry.metadata && entry.asking && entry.soon) await this.#atMost(entry.asking);
    const { metadata } = entry;
    if (!metadata) return undefined;
    return {
      subject: metadata.subject || undefined,
      members: metadata.participants.slice(0, shownMembers).map((member) => {
        const pn = member.phoneNumber ?? member.id;
        return e164Of(pn) ?? bareJid(member.id);
      }),
    };
  }

  /** Number of a member known by local id. */
  pnOf(jid: string, lid: string): string | undefined {
    return this.#entries.get(jid)?.metadata?.participants.find((member) => bareJid(member.lid ?? member.id) === lid)
      ?.phoneNumber;
  }

  /** For the library, which otherwise asks before it sends. */
  metadata(jid: string): GroupMetadata | undefined {
    const entry = this.#entries.get(jid);
    return entry && this.#isFresh(entry) ? entry.metadata : undefined;
  }

  /** The next message asks again. */
  changed(jid: string): void {
    const entry = this.#entries.get(jid);
    if (entry) entry.at = undefined;
  }

  #isFresh({ metadata, at }: Entry): boolean {
    return metadata !== undefined && at !== undefined && this.#world.monotonic() - at < freshMs;
  }

  #entry(jid: string): Entry {
    const known = this.#entries.get(jid);
    if (known) return known;
    const entry: Entry = { metadata: this.#recall(jid), at: undefined, asking: undefined, soon: false };
    this.#entries.set(jid, entry);
    if (this.#entries.size > kept) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    return entry;
  }

  #atMost(asking: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#world.after(patienceMs, late.resolve);
    return Promise.race([asking, late.promise]).finally(() => timer.cancel());
  }
}
