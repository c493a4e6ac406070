/** Groups that got another id on their platform (channels.md §7.4): the config names them by the new one, and the conversation goes on
 *  under its key. The platform says it once, so the message stays open until both are done. */
import type { Logger } from "../../../kernel/log.ts";
import type { Store } from "../../../store/store.ts";
import type { Agents } from "../../agents/index.ts";
import type { Sessions } from "../../sessions/index.ts";
import type { AccountSettings } from "../channel.ts";
import type { InboundRow } from "../inbound.ts";
import type { Ends } from "./ends.ts";
import type { GroupMove } from "./ports.ts";

const maxFormer = 1_000;

export interface GroupMovesOptions {
  store: Store;
  log: Logger;
  ends: Ends;
  agents: Pick<Agents, "isBusy"> & { runs: Pick<Agents["runs"], "onIdle"> };
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
  /** What waits for a turn to end. */
  readonly #waiting = new Set<() => void>();

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
    if (!(await this.#idle(from))) return;
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
    for (const giveUp of this.#waiting) giveUp();
  }

  /** False when stopped before. */
  #idle(sessionKey: string): Promise<boolean> {
    const { agents } = this.#o;
    if (!agents.isBusy(sessionKey)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (idle: boolean) => {
        unsubscribe();
        this.#waiting.delete(giveUp);
        resolve(idle);
      };
      const giveUp = () => done(false);
      const unsubscribe = agents.runs.onIdle((key) => {
        if (key === sessionKey && !agents.isBusy(key)) done(true);
      });
      this.#waiting.add(giveUp);
    });
  }
}

const keyOf = ({ channel, accountId }: InboundRow, chatId: string) => JSON.stringify([channel, accountId, chatId]);
