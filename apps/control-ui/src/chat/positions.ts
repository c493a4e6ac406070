/** Where somebody was reading, by session: kept while the tab lives, over reloads too. Nobody is remembered at the end. */
import { isRecord, readJson, writeJson } from "../gateway/index.ts";

/** A row and how far its top is above the window's top. */
export interface Anchor {
  key: string;
  offset: number;
}

const storageKey = "openclaw.positions";
const maxKept = 50;

export class Positions {
  readonly #anchors = new Map<string, Anchor>();

  constructor() {
    const stored = readJson("session", storageKey, isRecord) ?? {};
    for (const [session, anchor] of Object.entries(stored))
      if (isRecord(anchor) && typeof anchor.key === "string" && typeof anchor.offset === "number")
        this.#anchors.set(session, { key: anchor.key, offset: anchor.offset });
    addEventListener("pagehide", () => writeJson("session", storageKey, Object.fromEntries(this.#anchors)));
  }

  get(sessionKey: string): Anchor | undefined {
    return this.#anchors.get(sessionKey);
  }

  /** Undefined: at the end. */
  set(sessionKey: string, anchor: Anchor | undefined): void {
    this.#anchors.delete(sessionKey);
    if (anchor) this.#anchors.set(sessionKey, anchor);
    const oldest = this.#anchors.keys().next().value;
    if (oldest !== undefined && this.#anchors.size > maxKept) this.#anchors.delete(oldest);
  }
}
