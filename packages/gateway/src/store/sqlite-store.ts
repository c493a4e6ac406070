/** The open store: one connection, group commit, cached statements. Made by `openStore`. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { GatewayError } from "@openclaw/protocol";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import { CommitClock, type CommitTimes } from "./commit-times.ts";
import { isCorruption, isDiskFull, toGatewayError } from "./errors.ts";
import { Statements } from "./statements.ts";
import type { Row, Store, Tx } from "./store.ts";

interface Pending {
  run(tx: Tx): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Outcome {
  pending: Pending;
  value: unknown;
}

/** Units waiting for a transaction; beyond it `commit` refuses. */
const maxPending = 10_000;
/** A batch ends after this time, so that the loop is never held for long (R-LOOP-2). The rest goes into the next one. */
const batchMs = 15;
const slowCommitMs = 50;

export class SqliteStore implements Store {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #world: Pick<World, "monotonic" | "mark" | "env">;
  readonly #log: Logger;
  readonly #clock = new CommitClock();
  #queue: Pending[] = [];
  #scheduled = false;
  #closed = false;
  #trouble: string | undefined;

  constructor(options: {
    path: string;
    database: DatabaseSync;
    world: Pick<World, "monotonic" | "mark" | "env">;
    log: Logger;
  }) {
    this.path = options.path;
    this.#database = options.database;
    this.#statements = new Statements(options.database);
    this.#world = options.world;
    this.#log = options.log;
  }

  get<T = Row>(sql: string, ...params: SQLInputValue[]): T | undefined {
    try {
      return this.#statements.prepare(sql).get(...params) as T | undefined;
    } catch (error) {
      throw this.#noted(error);
    }
  }

  all<T = Row>(sql: string, ...params: SQLInputValue[]): T[] {
    try {
      return this.#statements.prepare(sql).all(...params) as T[];
    } catch (error) {
      throw this.#noted(error);
    }
  }

  commit<T>(unit: (tx: Tx) => T): Promise<T> {
    if (this.#closed)
      return Promise.reject(new GatewayError("unavailable", "The store is closed; the gateway is stopping."));
    if (this.#queue.length >= maxPending) {
      return Promise.reject(
        new GatewayError("unavailable", "Too many writes are waiting for the disk. Try again.", {
          details: { code: "STORE_BUSY" },
          retryAfterMs: 1_000,
        }),
      );
    }
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run: unit, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  check(): string {
    const rows = this.#database.prepare("PRAGMA integrity_check(20)").all();
    return rows.map((row) => String(row.integrity_check)).join("\n");
  }

  /** Commit durations (R-DB-5). */
  stats(): CommitTimes {
    return this.#clock.times(this.#world.monotonic());
  }

  /** Grows with every transaction: what was read stays true while it does not. */
  get generation(): number {
    return this.#clock.commits;
  }

  /** Size of the database file, without its log. */
  sizeBytes(): number {
    return (
      this.get<{ bytes: number }>("SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size")
        ?.bytes ?? 0
    );
  }

  /** Why the store is not well, for `health`: damage, a full disk, slow commits, more than 1 GiB. Undefined when it is. */
  health(): string | undefined {
    if (this.#trouble) return this.#trouble;
    const { measured, p99Ms } = this.stats();
    if (measured >= 20 && p99Ms > slowCommitMs)
      return `slow-disk: 1 % of the commits take ${Math.round(p99Ms)} ms or more`;
    let gibibytes: number;
    try {
      gibibytes = this.sizeBytes() / 2 ** 30;
    } catch (error) {
      // Whoever asks for the health must hear of it, whatever else fails.
      return `unreadable: ${error instanceof Error ? error.message : String(error)}`;
    }
    return gibibytes > 1
      ? `large: the database holds ${gibibytes.toFixed(1)} GiB; delete sessions that are not needed`
      : undefined;
  }

  /** Commits what waits, writes the log back into the database and closes. Idempotent. */
  close(): void {
    if (this.#closed) return;
    while (this.#queue.length > 0) this.#flush();
    this.#closed = true;
    this.#statements.clear();
    try {
      this.#database.exec("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      // Nothing is lost: the log is replayed at the next open.
      this.#log.warn("the log of the store could not be written back", { error });
    }
    this.#database.close();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#queue.length > 0) this.#flush();
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  /** One transaction: takes units from the head of the queue, settles each of their promises. Does not throw. */
  #flush(): void {
    const started = this.#world.monotonic();
    const done: Outcome[] = [];
    const hooks: (() => void)[] = [];
    // Units queued by a unit belong to the next transaction.
    const waiting = this.#queue.length;
    let taken = 0;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      while (taken < waiting && (taken === 0 || this.#world.monotonic() - started < batchMs)) {
        const pending = this.#queue[taken++];
        if (pending) this.#runUnit(pending, done, hooks);
      }
      this.#world.mark("store.commit.before");
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      // When the transaction could not even begin, everybody hears it: nobody waits for a store that does not work.
      const refused = this.#queue.splice(0, taken === 0 ? this.#queue.length : taken);
      for (const pending of refused) pending.reject(this.#noted(error));
      return;
    }
    this.#queue.splice(0, taken);
    const ended = this.#world.monotonic();
    this.#clock.record(ended, ended - started, taken);
    this.#world.mark("store.commit.after");
    this.#recovered();
    for (const hook of hooks) {
      try {
        hook();
      } catch (error) {
        this.#log.error("a hook after a commit threw", { error });
      }
    }
    for (const { pending, value } of done) pending.resolve(value);
  }

  /** Runs one unit behind its own savepoint. A unit that fails is rejected and leaves nothing behind. Throws when the failure
   *  took the whole transaction along. */
  #runUnit(pending: Pending, done: Outcome[], hooks: (() => void)[]): void {
    this.#database.exec("SAVEPOINT unit");
    const scope = new Scope(this.#statements);
    try {
      const value = pending.run(scope);
      if (value instanceof Promise) {
        // Its outcome is not awaited; a rejection must not end the process.
        value.catch(() => {});
        throw new TypeError("a unit of commit must be synchronous");
      }
      scope.end();
      this.#database.exec("RELEASE unit");
      done.push({ pending, value });
      hooks.push(...scope.hooks);
    } catch (error) {
      scope.end();
      if (!this.#database.isTransaction) throw error;
      this.#database.exec("ROLLBACK TO unit; RELEASE unit");
      pending.reject(this.#noted(error));
    }
  }

  /** Remembers and logs trouble once, until a commit succeeds again. */
  #noted(error: unknown): unknown {
    const trouble = isDiskFull(error) ? "disk-full" : isCorruption(error) ? "damaged" : undefined;
    if (trouble && this.#trouble !== trouble) {
      this.#trouble = trouble;
      this.#log.error(`the store is in trouble: ${trouble}`, { error });
    }
    return toGatewayError(error, this.#world);
  }

  #recovered(): void {
    if (this.#trouble !== "disk-full") return;
    this.#trouble = undefined;
    this.#log.info("the store can write again");
  }
}

/** The Tx of one unit; useless once the unit ended. */
class Scope implements Tx {
  readonly hooks: (() => void)[] = [];
  readonly #statements: Statements;
  #open = true;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  end(): void {
    this.#open = false;
  }

  get<T = Row>(sql: string, ...params: SQLInputValue[]): T | undefined {
    return this.#prepare(sql).get(...params) as T | undefined;
  }

  all<T = Row>(sql: string, ...params: SQLInputValue[]): T[] {
    return this.#prepare(sql).all(...params) as T[];
  }

  run(sql: string, ...params: SQLInputValue[]): { changes: number; lastInsertRowid: number } {
    const { changes, lastInsertRowid } = this.#prepare(sql).run(...params);
    return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
  }

  afterCommit(run: () => void): void {
    this.#assertOpen();
    this.hooks.push(run);
  }

  #prepare(sql: string) {
    this.#assertOpen();
    return this.#statements.prepare(sql);
  }

  #assertOpen(): void {
    if (!this.#open) throw new Error("this transaction has ended; a tx is valid only inside its unit");
  }
}
