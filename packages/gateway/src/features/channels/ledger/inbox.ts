/** The inbound ledger: what a platform delivered, durable before the platform may forget it (reliability.md §3.2). */
import type { Logger } from "../../../kernel/log.ts";
import type { World } from "../../../kernel/world.ts";
import type { Reader, Store, Tx } from "../../../store/store.ts";
import type { InboundBatch, InboundRow, InboundState } from "../inbound.ts";
import { isOpen, mayMoveInbound, phaseOf, stepsTo } from "./inbound-state.ts";
import { InboundTable, type StoredInbound } from "./inbound.store.ts";

export const inboxLimits = {
  /** Backlog of one account at which fetching pauses (R-IN-4). */
  backlogRows: 10_000,
  backlogBytes: 64 * 2 ** 20,
  /** Automatic attempts of one message (I3). */
  attempts: 3,
  /** Ended rows are the memory of ids: this long, and never more than this many. */
  keepMs: 7 * 24 * 3_600_000,
  keepRows: 50_000,
  /** Platforms forget where we stopped after a week; an older cursor would skip or repeat messages (R-IN-2). */
  cursorMs: 6 * 24 * 3_600_000,
  /** Distinct reasons counted per account; further ones count as `other`. */
  reasons: 100,
} as const;

const pageRows = 256;
const sweepRows = 200;

export interface InboundFields {
  sessionKey?: string;
  /** Null takes the row out of its run. */
  runRowId?: number | null;
  reason?: string;
  attempts?: number;
}

export type RunEnding = "answered" | "silent" | "noticed" | "dropped" | "quarantined";

interface Tally {
  rows: number;
  bytes: number;
}

export class Inbox {
  /** Moves that were refused: each is a bug of the caller. */
  refused = 0;
  readonly #store: Store;
  readonly #world: World;
  readonly #log: Logger;
  readonly #table: InboundTable;
  /** Open rows per account; one entry per account of the config. */
  readonly #tallies = new Map<string, Tally>();

  constructor(options: { store: Store; world: World; log: Logger }) {
    this.#store = options.store;
    this.#world = options.world;
    this.#log = options.log;
    this.#table = new InboundTable(options.store);
  }

  /** Stores the messages and the cursor in one commit, durable when it resolves (R-IN-1). Returns the fresh rows in order of
   *  the batch; ids seen before are only counted (I5). Rejects when the store cannot write: then nothing is stored and the
   *  platform must not be acknowledged. An adapter hands over at most some hundred messages at once. */
  async receive(channel: string, accountId: string, batch: InboundBatch): Promise<InboundRow[]> {
    const skipped = Object.entries(batch.skipped ?? {});
    const rows = await this.#store.commit((tx) => {
      const receivedAt = this.#world.now();
      const { ownId } = batch;
      const fresh: StoredInbound[] = [];
      for (const message of batch.messages) {
        const row = this.#table.insert(tx, { channel, accountId, ownId, message, receivedAt });
        if (row) fresh.push(row);
      }
      const passedOver = skipped.reduce((sum, [, n]) => sum + n, 0);
      this.#table.count(tx, channel, accountId, "received", batch.messages.length + passedOver);
      this.#skip(tx, channel, accountId, "duplicate", batch.messages.length - fresh.length);
      for (const [reason, n] of skipped) this.#skip(tx, channel, accountId, reason, n);
      if (batch.cursor !== undefined) {
        const at = { channel, accountId, ownId };
        this.#table.putCursor(tx, at, batch.cursor, receivedAt);
        this.#table.dropCursors(tx, at, receivedAt - inboxLimits.cursorMs);
      }
      this.#tally(tx, channel, accountId, {
        rows: fresh.length,
        bytes: fresh.reduce((sum, { bytes }) => sum + bytes, 0),
      });
      this.#world.mark("inbound.before-commit");
      return fresh;
    });
    this.#world.mark("inbound.after-commit");
    for (const [reason, count] of skipped)
      if (count > 0) this.#log.debug(`passed over: ${reason}`, { channel, accountId, count });
    return rows;
  }

  /** Where the last receive of this own id stopped. Undefined when there was none, or it is too old to be used; both start
   *  fresh and say so (R-IN-2). */
  cursor(channel: string, accountId: string, ownId: string): { value: string; storedAt: number } | undefined {
    const found = this.#table.cursor(channel, accountId, ownId);
    if (found && this.#world.now() - found.storedAt <= inboxLimits.cursorMs) return found;
    if (found) this.#log.info("the cursor is older than six days; receiving starts fresh", { channel, accountId });
    else if (this.#table.hasCursorOfAnother(channel, accountId, ownId))
      this.#log.info("the account has another own id than before; receiving starts fresh", { channel, accountId });
    return undefined;
  }

  /** Whether a message with this id is stored. */
  has(channel: string, accountId: string, ownId: string, platformId: string): boolean {
    return this.#table.has(channel, accountId, ownId, platformId);
  }

  /** Rows that have not ended, by id: for the replay at start. */
  open(afterId: number, limit: number = pageRows): InboundRow[] {
    return this.#table.open(afterId, Math.min(limit, pageRows));
  }

  get(id: number, reader?: Reader): InboundRow | undefined {
    return this.#table.byId(id, reader);
  }

  /** Rows that belong to a run, by id; at most 256. */
  byRun(runRowId: number, reader?: Reader): InboundRow[] {
    return this.#table.byRun(runRowId, 0, pageRows, reader);
  }

  /** What waits to be handled. `full` asks the adapter to pause fetching, or the pipeline to delay runs (R-IN-4). */
  backlog(channel: string, accountId: string): { rows: number; bytes: number; full: boolean } {
    const name = `${channel}\0${accountId}`;
    let tally = this.#tallies.get(name);
    if (!tally) {
      tally = this.#table.backlog(channel, accountId);
      this.#tallies.set(name, tally);
    }
    const full = tally.rows >= inboxLimits.backlogRows || tally.bytes >= inboxLimits.backlogBytes;
    return { ...tally, full };
  }

  /** Moves a row as reliability §3.2 lists. A pair that is not listed, or a fourth attempt, is a bug: it is logged and counted,
   *  and the row stays as it was. Returns whether the row has changed. */
  move(tx: Tx, id: number, to: InboundState, fields: InboundFields = {}): boolean {
    const row = this.#table.byId(id, tx);
    if (!row) return this.#refuse(`no row ${id}`, { id, to });
    return this.#moveRow(tx, row, to, fields);
  }

  /** Ends every row of a run in the commit that ends the run (R-DB-7). */
  endRun(tx: Tx, runRowId: number, to: RunEnding, reason?: string): void {
    let after = 0;
    for (;;) {
      const page = this.#table.byRun(runRowId, after, pageRows, tx);
      for (const row of page)
        if (row.state === "waiting") this.#moveRow(tx, row, to, reason === undefined ? {} : { reason });
      if (page.length < pageRows) return;
      after = page.at(-1)?.id ?? after;
    }
  }

  /** `received` = `handled` + `pending` + every `skipped.<reason>` (R-IN-3). Ids seen before are `skipped.duplicate`. */
  counts(channel: string, accountId: string): Record<string, number> {
    const { received = 0, handled = 0, ...skipped } = this.#table.counts(channel, accountId);
    return { received, handled, pending: this.backlog(channel, accountId).rows, ...skipped };
  }

  /** Forgets ended rows that are old or too many. Short commits with pauses between them; call it at start and hourly. */
  async sweep(): Promise<void> {
    const { keepMs, keepRows } = inboxLimits;
    for (;;) {
      const gone = await this.#store.commit((tx) =>
        this.#table.sweep(tx, { before: this.#world.now() - keepMs, keepRows, limit: sweepRows }),
      );
      if (gone < sweepRows) return;
    }
  }

  #moveRow(tx: Tx, row: StoredInbound, to: InboundState, fields: InboundFields): boolean {
    const { runRowId: wantedRun, ...rest } = fields;
    const runRowId = wantedRun === undefined ? row.runRowId : (wantedRun ?? undefined);
    const attempts = fields.attempts ?? row.attempts;
    let at = phaseOf(row.state, row.runRowId);
    for (const step of stepsTo(at, phaseOf(to, runRowId))) {
      if (!mayMoveInbound(at, step))
        return this.#refuse(`an inbound row cannot go from ${at} to ${step}`, { id: row.id, to });
      at = step;
    }
    if (attempts > inboxLimits.attempts)
      return this.#refuse(`an inbound row has at most ${inboxLimits.attempts} attempts`, { id: row.id, to });
    const { runRowId: _run, ...kept } = row;
    const next: StoredInbound = {
      ...kept,
      ...rest,
      ...(runRowId === undefined ? {} : { runRowId }),
      state: to,
      attempts,
    };
    const ended = isOpen(row.state) && !isOpen(to);
    this.#table.update(tx, next, ended ? this.#world.now() : undefined);
    if (!ended) return true;
    if (to === "ignored") this.#skip(tx, row.channel, row.accountId, next.reason ?? "policy", 1);
    else this.#table.count(tx, row.channel, row.accountId, "handled", 1);
    this.#tally(tx, row.channel, row.accountId, { rows: -1, bytes: -row.bytes });
    return true;
  }

  #refuse(problem: string, fields: { id: number; to: InboundState }): false {
    this.refused++;
    this.#log.error(`refused: ${problem}`, fields);
    return false;
  }

  #skip(tx: Tx, channel: string, accountId: string, reason: string, n: number): void {
    if (n <= 0) return;
    const name = `skipped.${reason.slice(0, 60)}`;
    const known = this.#table.counts(channel, accountId, tx);
    const room = name in known || Object.keys(known).length < inboxLimits.reasons;
    this.#table.count(tx, channel, accountId, room ? name : "skipped.other", n);
  }

  #tally(tx: Tx, channel: string, accountId: string, change: Tally): void {
    tx.afterCommit(() => {
      // An account nobody has asked about is counted when somebody does.
      const tally = this.#tallies.get(`${channel}\0${accountId}`);
      if (!tally) return;
      tally.rows += change.rows;
      tally.bytes += change.bytes;
    });
  }
}
