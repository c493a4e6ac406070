/** The end of the gateway's log, followed while the page is visible. Bounded: the oldest lines leave first. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { isUnknownMethod, plainError, type GatewayLink } from "../../gateway/index.ts";
import { parseLine, type LogLine } from "./log-line.ts";

export interface LogState {
  lines: readonly LogLine[];
  file: string;
  /** Lines were left out, because there were more than asked for or kept. */
  truncated: boolean;
  readAt: number | undefined;
  error: string | undefined;
  notOffered: boolean;
}

export const keptLines = 2_000;
const everyMs = 2_000;
const limit = 500;
const maxBytes = 250_000;

export class LogTail {
  readonly #link: GatewayLink;
  readonly #state = signal<LogState>({
    lines: [],
    file: "",
    truncated: false,
    readAt: undefined,
    error: undefined,
    notOffered: false,
  });
  #cursor: number | undefined;
  #lastId = 0;
  #reading = false;
  #paused = false;

  constructor(link: GatewayLink) {
    this.#link = link;
  }

  get state(): ReadonlySignal<LogState> {
    return this.#state;
  }

  /** Begins to follow; returns what ends it. */
  open(): () => void {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible" && !this.#paused) void this.read();
    }, everyMs);
    const end = this.#link.onRefresh(() => void this.read());
    void this.read();
    return () => {
      clearInterval(timer);
      end();
    };
  }

  /** While paused nothing is read; what was written meanwhile comes afterwards. */
  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) void this.read();
  }

  /** Forgets what is on screen; the log itself is untouched. */
  clear(): void {
    this.#set({ lines: [], truncated: false });
  }

  /** Reads what is new. Never rejects. */
  async read(): Promise<void> {
    if (this.#reading || !this.#link.connected.peek()) return;
    this.#reading = true;
    try {
      const cursor = this.#cursor;
      const answer = await this.#link.call("logs.tail", {
        limit,
        maxBytes,
        ...(cursor === undefined ? {} : { cursor }),
      });
      this.#cursor = answer.cursor;
      const fresh = answer.lines.map((line) => parseLine(line, (this.#lastId += 1)));
      // A new file, or one that was cut: what is on screen is not its beginning any more.
      const { file, lines: before } = this.#state.peek();
      const anew = answer.reset || (file !== "" && file !== answer.file);
      const all = anew ? fresh : [...before, ...fresh];
      this.#set({
        lines: fresh.length === 0 && !anew ? before : all.slice(-keptLines),
        file: answer.file,
        truncated: answer.truncated || all.length > keptLines || (!anew && this.#state.peek().truncated),
        readAt: Date.now(),
        error: undefined,
        notOffered: false,
      });
    } catch (error) {
      this.#set({ error: plainError(error), notOffered: isUnknownMethod(error) });
    } finally {
      this.#reading = false;
    }
  }

  #set(changes: Partial<LogState>): void {
    this.#state.value = { ...this.#state.peek(), ...changes };
  }
}
