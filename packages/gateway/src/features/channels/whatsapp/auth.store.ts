/** Table `whatsapp_auth`: the link of an account, one row per key (R-WA-1). Kinds are the library's own names, besides `creds`
 *  and `meta`. What was set aside stands under another account id and is never read again. */
import type { Reader, Store, Tx } from "../../../store/store.ts";
import { decodeKey, encodeKey } from "./key-codec.ts";

export interface KeyWrite {
  kind: string;
  id: string;
  /** Undefined: the key is gone. */
  value: Buffer | undefined;
}

export const credsKind = "creds";
const metaKind = "meta";

export interface LinkMeta {
  /** Directory this link was looked for in; another one means another device. */
  dir: string;
  /** ms since the epoch: when the credentials were written last. */
  savedAt?: number;
  /** ms since the epoch: when the phone accepted this device. */
  linkedAt?: number;
}

/** Sets kept of links that ended. */
const keptAside = 3;

export class AuthStore {
  readonly #store: Store;
  readonly #accountId: string;

  constructor(store: Store, accountId: string) {
    this.#store = store;
    this.#accountId = accountId;
  }

  read(kind: string, id: string): unknown {
    const row = this.#store.get<{ value: Uint8Array }>(
      "SELECT value FROM whatsapp_auth WHERE account_id = ? AND kind = ? AND id = ?",
      this.#accountId,
      kind,
      id,
    );
    return row && decodeKey(row.value);
  }

  creds(): Record<string, unknown> | undefined {
    const value = this.read(credsKind, "");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  }

  meta(): LinkMeta | undefined {
    return this.read(metaKind, "") as LinkMeta | undefined;
  }

  /** Durable when it resolves. All or nothing. */
  write(writes: readonly KeyWrite[], meta?: LinkMeta): Promise<void> {
    return this.#store.commit((tx) => {
      for (const write of writes) this.#put(tx, write);
      if (meta) this.#put(tx, { kind: metaKind, id: "", value: encodeKey(meta) });
    });
  }

  /** Sets the link aside: it is not used any more, but not lost. The oldest of several such sets goes. */
  setAside(at: number): Promise<boolean> {
    return this.#store.commit((tx) => {
      const aside = `${this.#accountId} aside ${String(at).padStart(15, "0")}`;
      const moved = tx.run(
        "UPDATE OR REPLACE whatsapp_auth SET account_id = ? WHERE account_id = ? AND kind <> ?",
        aside,
        this.#accountId,
        metaKind,
      ).changes;
      for (const old of this.#asides(tx).slice(keptAside)) {
        tx.run("DELETE FROM whatsapp_auth WHERE account_id = ?", old);
      }
      return moved > 0;
    });
  }

  /** Deletes the link and all its keys. */
  forget(): Promise<boolean> {
    return this.#store.commit(
      (tx) =>
        tx.run("DELETE FROM whatsapp_auth WHERE account_id = ? AND kind <> ?", this.#accountId, metaKind).changes > 0,
    );
  }

  /** Newest first. */
  asides(): string[] {
    return this.#asides(this.#store);
  }

  #asides(reader: Reader): string[] {
    return reader
      .all<{ accountId: string }>(
        `SELECT account_id AS accountId FROM whatsapp_auth
         WHERE account_id > ? AND account_id < ? AND kind = ? ORDER BY account_id DESC LIMIT 256`,
        `${this.#accountId} aside `,
        `${this.#accountId} aside~`,
        credsKind,
      )
      .map((row) => row.accountId);
  }

  #put(tx: Tx, { kind, id, value }: KeyWrite): void {
    if (value) {
      tx.run(
        `INSERT INTO whatsapp_auth (account_id, kind, id, value) VALUES (?, ?, ?, ?)
         ON CONFLICT (account_id, kind, id) DO UPDATE SET value = excluded.value`,
        this.#accountId,
        kind,
        id,
        value,
      );
    } else {
      tx.run("DELETE FROM whatsapp_auth WHERE account_id = ? AND kind = ? AND id = ?", this.#accountId, kind, id);
    }
  }
}
