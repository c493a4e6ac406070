/** Keys of the link during one connection. The library writes here and reads its own writes back at once; `commit` makes them
 *  durable up to a position. What was not committed when the connection ends is forgotten, which is safe: no frame that used it
 *  has left (R-WA-1), and no message it decrypted was acknowledged (R-WA-8). */
import type { AuthStore, KeyWrite, LinkMeta } from "./auth.store.ts";
import { credsKind } from "./auth.store.ts";
import { decodeKey, encodeKey } from "./key-codec.ts";

export type KeyData = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

export class LinkKeys {
  readonly #store: AuthStore;
  readonly #meta: () => LinkMeta;
  readonly #creds: object;
  /** Writes not yet durable, in order; the first one has position `#committed`. */
  #log: KeyWrite[] = [];
  #committed = 0;
  /** The newest value of each key in the log. */
  readonly #newest = new Map<string, { write: KeyWrite; position: number }>();
  #turn: Promise<void> = Promise.resolve();
  #closed = false;
  #changed: () => void = () => {};

  /** `creds` is the object the library works on; it is written as it stands when `credsChanged` is called. */
  constructor(store: AuthStore, creds: object, meta: () => LinkMeta) {
    this.#store = store;
    this.#creds = creds;
    this.#meta = meta;
  }

  /** Called after each write; replaces an earlier listener. */
  onChange(listener: () => void): void {
    this.#changed = listener;
  }

  /** Writes so far; what is to be durable is named by it. */
  get position(): number {
    return this.#committed + this.#log.length;
  }
  get dirty(): boolean {
    return this.#log.length > 0;
  }

  get(kind: string, ids: readonly string[]): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    for (const id of ids) {
      const newest = this.#newest.get(keyOf(kind, id));
      const value = newest ? newest.write.value && decodeKey(newest.write.value) : this.#store.read(kind, id);
      if (value !== undefined) found[id] = value;
    }
    return found;
  }

  set(data: KeyData): void {
    if (this.#closed) return;
    for (const [kind, values] of Object.entries(data)) {
      for (const [id, value] of Object.entries(values ?? {})) this.#append(kind, id, value);
    }
    this.#changed();
  }

  credsChanged(): void {
    if (this.#closed) return;
    this.#append(credsKind, "", this.#creds);
    this.#changed();
  }

  /** Everything before `position` is durable when it resolves; earlier calls end first. Rejects when the store cannot write;
   *  nothing is lost then, and nothing may leave. */
  commit(position = this.position): Promise<void> {
    const done = this.#turn.then(() => this.#write(position));
    this.#turn = done.catch(() => {
      // Whoever asked for this commit was told; the next one tries all of it again.
    });
    return done;
  }

  /** Forgets what is not durable. Later writes and commits do nothing. */
  close(): void {
    this.#closed = true;
    this.#log = [];
    this.#newest.clear();
    this.#changed = () => {};
  }

  #append(kind: string, id: string, value: unknown): void {
    const write = { kind, id, value: value === null || value === undefined ? undefined : encodeKey(value) };
    this.#newest.set(keyOf(kind, id), { write, position: this.position });
    this.#log.push(write);
  }

  async #write(position: number): Promise<void> {
    const count = position - this.#committed;
    if (this.#closed || count <= 0) return;
    const latest = new Map<string, KeyWrite>();
    for (const write of this.#log.slice(0, count)) latest.set(keyOf(write.kind, write.id), write);
    const meta = latest.has(keyOf(credsKind, "")) ? this.#meta() : undefined;
    await this.#store.write([...latest.values()], meta);
    if (this.#closed) return;
    this.#log.splice(0, count);
    this.#committed += count;
    for (const key of latest.keys()) {
      const newest = this.#newest.get(key);
      if (newest && newest.position < this.#committed) this.#newest.delete(key);
    }
  }
}

const keyOf = (kind: string, id: string) => `${kind} ${id}`;
