/** One bot: its queue of updates, who polls it, and the ledger of what was delivered and confirmed. */
import { ApiError, type BotOptions, type Json, type UpdateFate } from "./types.ts";

interface Poll {
  answer: (updates: Json[]) => void;
  refuse: (error: ApiError) => void;
}

const defaultKinds = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "callback_query",
  "my_chat_member",
  "poll",
  "poll_answer",
];

export class FakeBot {
  readonly token: string;
  readonly id: number;
  readonly username: string;
  readonly canReadAllGroupMessages: boolean;
  revoked = false;
  webhook: { url: string; secret?: string; allowed?: string[] } | undefined;
  /** Kinds the last getUpdates asked for; remembered as the platform does. */
  allowed: string[] | undefined;
  commands: Json[] = [];
  /** Polls that were ended because a second one came. */
  conflicts = 0;
  /** Greatest offset a poll ever named. */
  confirmedOffset = 0;
  readonly #fates = new Map<number, UpdateFate>();
  #queue: Json[] = [];
  #poll: Poll | undefined;
  #nextUpdateId: number;
  readonly #changed: () => void;

  constructor(options: BotOptions, changed: () => void) {
    this.token = options.token ?? "100001:fake-token-AAAAAAAAAAAAAAAAAAAAAAAAAAA";
    this.id = options.id ?? Number(this.token.split(":")[0]);
    this.username = options.username ?? "fake_bot";
    this.canReadAllGroupMessages = options.canReadAllGroupMessages ?? true;
    this.#nextUpdateId = 500_000_000 + (this.id % 1_000) * 1_000;
    this.#changed = changed;
  }

  get me(): Json {
    return {
      id: this.id,
      is_bot: true,
      first_name: "Fake",
      username: this.username,
      can_join_groups: true,
      can_read_all_group_messages: this.canReadAllGroupMessages,
      supports_inline_queries: false,
    };
  }

  /** Whether a poll waits right now. */
  get polling(): boolean {
    return this.#poll !== undefined;
  }

  get pending(): number {
    return this.#queue.length;
  }

  /** Every update so far, in order. */
  get ledger(): UpdateFate[] {
    return [...this.#fates.values()];
  }

  /** The next id; lower than the ones before it is what happens after a quiet week. */
  set nextUpdateId(id: number) {
    this.#nextUpdateId = id;
  }

  /** Queues an update given without its id, which is returned. */
  push(update: Json): number {
    const updateId = this.#nextUpdateId++;
    this.#queue.push({ update_id: updateId, ...update });
    this.#fates.set(updateId, { updateId, delivered: 0, confirmed: false });
    this.#deliver();
    this.#changed();
    return updateId;
  }

  /** The long poll. Resolves with updates, or with none after `timeoutMs` or once `gone` aborts. */
  async getUpdates(params: Json, gone: AbortSignal): Promise<Json[]> {
    // Two polls meet only when the client of the first is still there: what its connection has said by now is heard first.
    if (this.#poll) await turns();
    if (gone.aborted) return [];
    if (this.webhook)
      throw new ApiError(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    const offset = Number(params["offset"] ?? 0);
    if (offset > 0) this.#confirm(offset);
    if (offset < 0) {
      const kept = this.#queue.slice(offset);
      const first = kept[0];
      if (first) this.#confirm(Number(first["update_id"]));
    }
    if (Array.isArray(params["allowed_updates"])) this.allowed = params["allowed_updates"].map(String);
    if (this.#poll) this.conflicts++;
    this.#poll?.refuse(
      new ApiError(
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
      ),
    );
    const limit = Math.min(100, Math.max(1, Number(params["limit"] ?? 100)));
    const timeoutMs = Math.min(50, Math.max(0, Number(params["timeout"] ?? 0))) * 1_000;
    return await new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        gone.removeEventListener("abort", leave);
        if (this.#poll === poll) this.#poll = undefined;
        this.#changed();
      };
      const poll: Poll = {
        answer: (updates) => {
          end();
          resolve(updates.slice(0, limit));
        },
        refuse: (error) => {
          end();
          reject(error);
        },
      };
      const leave = () => poll.answer([]);
      const timer = setTimeout(() => poll.answer([]), timeoutMs);
      gone.addEventListener("abort", leave);
      this.#poll = poll;
      if (gone.aborted) leave();
      else this.#deliver();
      this.#changed();
    });
  }

  /** The answer with these updates was written in full. */
  delivered(updates: readonly Json[]): void {
    for (const update of updates) {
      const fate = this.#fates.get(Number(update["update_id"]));
      if (fate) fate.delivered++;
    }
    this.#changed();
  }

  dropPending(): void {
    this.#queue = [];
  }

  revoke(): void {
    this.revoked = true;
    this.#poll?.refuse(new ApiError(401, "Unauthorized"));
  }

  /** Wakes a waiting poll so that its promise ends. */
  close(): void {
    this.#poll?.answer([]);
  }

  #confirm(offset: number): void {
    this.confirmedOffset = Math.max(this.confirmedOffset, offset);
    this.#queue = this.#queue.filter((update) => Number(update["update_id"]) >= offset);
    for (const fate of this.#fates.values()) if (fate.updateId < offset) fate.confirmed = true;
  }

  #deliver(): void {
    const kinds = this.allowed && this.allowed.length > 0 ? this.allowed : defaultKinds;
    const due = this.#queue.filter((update) => Object.keys(update).some((key) => kinds.includes(key)));
    if (due.length > 0) this.#poll?.answer(due);
  }
}

/** Lets everything that lies ready at open connections be read. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
