/** How messages end that get no run, or lose it before it began: each in one commit with whatever is said about it (I4). */
import { GatewayError } from "@openclaw/protocol";
import type { Tx } from "../../../store/store.ts";
import type { InboundRow } from "../inbound.ts";
import type { PipelineOptions } from "./ports.ts";
import { plainParts } from "./reply-parts.ts";
import { targetOf } from "./routing.ts";

type Needs = Pick<PipelineOptions, "store" | "world" | "log" | "inbox" | "outbox" | "channel">;

const retryMs = 5_000;

/** Whether a refusal is about the moment, a full disk or too many runs, rather than about what was asked. */
export const passes = (error: unknown): boolean => error instanceof GatewayError && error.kind === "unavailable";

/** Whether a message in this state has yet to come to its end. */
export const isOpen = (state: InboundRow["state"]): boolean =>
  state === "stored" || state === "command" || state === "waiting";

export class Ends {
  readonly #o: Needs;
  #stopped = false;

  constructor(options: Needs) {
    this.#o = options;
  }

  /** Nobody answers these, and nobody has to know. */
  ignore(rows: readonly InboundRow[], reason: string, also?: (tx: Tx) => void): void {
    this.commit((tx) => {
      for (const row of rows) this.end(tx, row, reason);
      also?.(tx);
    });
  }

  /** A row that was judged before may wait already: then it is dropped rather than ignored. */
  end(tx: Tx, row: InboundRow, reason: string): void {
    const to = row.state === "stored" ? "ignored" : row.state === "command" ? "silent" : "dropped";
    this.#o.inbox.move(tx, row.id, to, { reason });
  }

  /** They were to be answered and will not be; the reason is told elsewhere. */
  drop(tx: Tx, rows: readonly InboundRow[], reason: string): void {
    for (const { id } of rows) {
      this.#o.inbox.move(tx, id, "waiting");
      this.#o.inbox.move(tx, id, "dropped", { reason });
    }
  }

  /** Says something in the chat of a message, once per message and `family`. */
  notice(
    tx: Tx,
    { id, channel, accountId, message }: InboundRow,
    family: string,
    text: string,
    sessionKey?: string,
  ): void {
    const parts = plainParts(this.#o.channel(channel), accountId, targetOf(message), text);
    if (parts.length === 0) return;
    this.#o.outbox.insert(tx, {
      key: String(id),
      family,
      principal: "gateway",
      channel,
      accountId,
      kind: "notice",
      parts,
      ...(sessionKey ? { sessionKey } : {}),
    });
  }

  /** The gateway itself failed on these. */
  giveUp(rows: readonly InboundRow[]): void {
    this.#refuse(
      rows,
      "failed",
      "⚠️ Your message could not be handled because of an internal error; the log of the gateway has the details.",
    );
  }

  /** The process ended each time when this was about to be handled. */
  exhausted(row: InboundRow): void {
    this.#o.log.error("a message was taken up too often without coming to an end", { id: row.id });
    this.#refuse(
      [row],
      "attempts-used-up",
      "⚠️ The gateway stopped several times when it was about to handle your message. It is not tried again by itself; send it again if it still matters.",
    );
  }

  #refuse(rows: readonly InboundRow[], reason: string, text: string): void {
    const [first] = rows;
    if (!first) return;
    this.commit((tx) => {
      this.drop(tx, rows, reason);
      this.notice(tx, first, "inbound-failed", text);
    });
  }

  /** The run of this row is over, and left it without an end. All rows of the run end with one notice. */
  lost(row: InboundRow): void {
    const { id, runRowId } = row;
    this.#o.log.warn("a message belongs to a run that is over", { id });
    const text =
      "⚠️ The answer to your message was lost when the gateway stopped. Send the message again if it still matters.";
    this.commit((tx) => {
      const rows = (runRowId === undefined ? [] : this.#o.inbox.byRun(runRowId, tx)).filter(({ state }) =>
        isOpen(state),
      );
      const [first] = rows;
      if (!first) return;
      for (const { id: one, state } of rows)
        this.#o.inbox.move(tx, one, state === "command" ? "answered" : "noticed", { reason: "run-lost" });
      this.notice(tx, first, "run-lost", text);
    });
  }

  /** What a disk refuses is tried again; what is not written until the stop stays open in the ledger for the next start. */
  commit(unit: (tx: Tx) => void): void {
    this.#o.store.commit(unit).catch((error: unknown) => {
      const again = passes(error) && !this.#stopped;
      this.#o.log.warn(`the end of a message could not be stored; it ${again ? "is tried again" : "stays open"}`, {
        error,
      });
      if (again) this.#o.world.after(retryMs, () => void (this.#stopped || this.commit(unit)));
    });
  }

  stop(): void {
    this.#stopped = true;
  }
}
