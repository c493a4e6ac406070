/** Groups that got another id on their platform (channels.md §7.4): the config names them by the new one, and the conversation goes on
 *  under its key. The platform says it once, so the message stays open until both are done. */
import type { Logger } from "../../../kernel/log.ts";
import type { World } from "../../../kernel/world.ts";
import type { Store } from "../../../store/store.ts";
import type { Sessions } from "../../sessions/index.ts";
import type { AccountSettings } from "../channel.ts";
import type { InboundRow } from "../inbound.ts";
import type { Ends } from "./ends.ts";
import type { GroupMove } from "./ports.ts";

const maxFormer = 1_000;
const lookEveryMs = 1_000;

export interface GroupMovesOptions {
  store: Store;
  log: Logger;
  ends: Ends;
  world: Pick<World, "after">;
  /** Whether anything of a session runs, waits or begins. */
  isBusy: (sessionKey: string) => boolean;
  sessions: Pick<Sessions, "rename">;
  systemEvent: (sessionKey: string, text: string) => void;
  groupMoved: ((move: GroupMove) => Promise<void>) | undefined;
}

export class GroupMoves {
  readonly #o: GroupMovesOptions;
  /** Former ids by channel, account and new id. */
  readonly #former = new Map<string, string>();
  /** Keys that conversations will have, and those they still have. */
  readonly #pending = new Map<string, string>();
  readonly #waiting = new Set<() => void>();
  #stopped = false;

  constructor(options: GroupMovesOptions) {
    this.#o = options;
  }

  /** `from` and `to` are session keys of one agent. Never throws. */
  async take(
    row: InboundRow,
    from: string,
    to: { chatId: string; sessionKey: string; configWrites: boolean },
  ): Promise<void> {
    const { store, log, ends, sessions, systemEvent, groupMoved } = this.#o;
    const { channel, accountId, message } = row;
    const move = { channel, accountId, from: message.chat.id, to: to.chatId };
    this.#pending.set(to.sessionKey, from);
    this.#former.set(keyOf(row, to.chatId), move.from);
    const [oldest] = this.#former.keys();
    if (this.#former.size > maxFormer && oldest !== undefined) this.#former.delete(oldest);
    const byHand = `a group got another id; rename its entry in channels.${channel}.groups, where it has one`;
    if (!to.configWrites) log.warn(byHand, { ...move });
    else await groupMoved?.(move).catch((error: unknown) => log.warn(byHand, { ...move, error }));
    // A turn that ends writes under the key it began with.
    if (!(await this.#quiet(from))) return;
    try {
      const renamed = await store.commit((tx) => {
        ends.end(tx, row, "event");
        return sessions.rename(tx, from, to.sessionKey);
      });
      if (renamed && message.event !== undefined) systemEvent(to.sessionKey, message.event);
    } catch (error) {
      log.error("a conversation could not be moved; it is tried again at the next start", { ...move, error });
    }
    this.#pending.delete(to.sessionKey);
  }

  /** The key a conversation has now: a message that is faster than its move must not begin another one. */
  keyNow(sessionKey: string): string {
    return this.#pending.get(sessionKey) ?? sessionKey;
  }

  /** The settings as they hold for this message: those of a moved group stand under its former id until the config that was written
   *  is the one in use. */
  settings(row: InboundRow, settings: AccountSettings): AccountSettings {
    const { id } = row.message.chat;
    const former = this.#former.get(keyOf(row, id));
    const { groups } = settings.access;
    const known = former === undefined ? undefined : groups?.[former];
    if (!known || groups?.[id]) return settings;
    return { ...settings, access: { ...settings.access, groups: { ...groups, [id]: known } } };
  }

  /** What still waits is found in the ledger at the next start. */
  stop(): void {
    this.#stopped = true;
    for (const end of this.#waiting) end();
  }

  /** Resolves when nothing of the conversation runs, waits or begins, at two looks in a row. False when stopped before. */
  async #quiet(sessionKey: string): Promise<boolean> {
    for (let looks = 0; looks < 2 && !this.#stopped;) {
      await this.#pause();
      looks = this.#o.isBusy(sessionKey) ? 0 : looks + 1;
    }
    return !this.#stopped;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel();
        this.#waiting.delete(end);
        resolve();
      };
      const timer = this.#o.world.after(lookEveryMs, end);
      this.#waiting.add(end);
    });
  }
}

const keyOf = ({ channel, accountId }: InboundRow, chatId: string) => JSON.stringify([channel, accountId, chatId]);
