/** Prepared statements by their text, least recently used first out. Statements with literals inside would churn it:
 *  values belong into parameters. */
import type { DatabaseSync, StatementSync } from "node:sqlite";

export class Statements {
  readonly #database: DatabaseSync;
  readonly #max: number;
  readonly #bySql = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, max = 256) {
    this.#database = database;
    this.#max = max;
  }

  get size(): number {
    return this.#bySql.size;
  }

  prepare(sql: string): StatementSync {
    const known = this.#bySql.get(sql);
    if (known) {
      this.#bySql.delete(sql);
      this.#bySql.set(sql, known);
      return known;
    }
    const statement = this.#database.prepare(sql);
    this.#bySql.set(sql, statement);
    if (this.#bySql.size > this.#max) {
      const oldest = this.#bySql.keys().next();
      if (!oldest.done) this.#bySql.delete(oldest.value);
    }
    return statement;
  }

  clear(): void {
    this.#bySql.clear();
  }
}
