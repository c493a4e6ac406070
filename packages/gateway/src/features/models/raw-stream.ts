/** What models answered, event by event, in a file: for finding out whether a strange text came from the model or from us
 *  (`gateway run --raw-stream`, lifecycle.md §2.2.3). It holds conversations, so it is the owner's alone and off by default. */
import { constants, createWriteStream, mkdirSync, openSync, type WriteStream } from "node:fs";
import { dirname, join } from "node:path";
import type { Logger } from "../../kernel/log.ts";
import { stateDir } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import type { ModelEvent } from "./provider.ts";

/** Bytes of the file: what a forgotten flag may cost. */
const maxFileBytes = 256 * 1024 * 1024;
/** Appending keeps what a former start wrote. A link is not followed, since the text is private; a pipe nobody reads is refused. */
const appendOnly =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_APPEND |
  (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NONBLOCK ?? 0);
/** Bytes waiting for a slow disk; what comes on top is left out, and counted. */
const maxWaitingBytes = 8 * 1024 * 1024;

/** `OPENCLAW_RAW_STREAM_PATH`, else `<state>/logs/raw-stream.jsonl`. Undefined unless `OPENCLAW_RAW_STREAM` is set. */
export function rawStreamPath(world: World): string | undefined {
  const { OPENCLAW_RAW_STREAM: wanted = "", OPENCLAW_RAW_STREAM_PATH: path = "" } = world.env;
  if (!/^(1|true|yes|on)$/i.test(wanted.trim())) return undefined;
  return path.trim() || join(stateDir(world), "logs", "raw-stream.jsonl");
}

/** One line of JSON per event: `{ time, agentId, model, event }`. Never throws, never delays the answer; a file that cannot be
 *  written is one warning. */
export class RawStream {
  readonly #world: World;
  readonly #log: Logger;
  readonly #path: string;
  readonly #maxFileBytes: number;
  #file: WriteStream | undefined;
  #bytes = 0;
  #left = 0;
  #ended = false;

  constructor(options: { world: World; log: Logger; path: string; maxFileBytes?: number }) {
    this.#world = options.world;
    this.#log = options.log;
    this.#path = options.path;
    this.#maxFileBytes = options.maxFileBytes ?? maxFileBytes;
  }

  /** The same events, written down as they pass. */
  async *tee(agentId: string, events: AsyncIterable<ModelEvent>): AsyncGenerator<ModelEvent> {
    let model = "";
    for await (const event of events) {
      if (event.type === "start") model = event.ref;
      this.#write(`${JSON.stringify({ time: new Date(this.#world.now()).toISOString(), agentId, model, event })}\n`);
      yield event;
    }
  }

  #write(line: string): void {
    if (this.#ended) return;
    const file = (this.#file ??= this.#open());
    if (file === undefined) return;
    if (this.#bytes + line.length > this.#maxFileBytes) {
      this.#end(`is full (${this.#maxFileBytes} bytes): nothing more is written to it until the next start`);
      return;
    }
    if (file.writableLength > maxWaitingBytes) {
      this.#left++;
      return;
    }
    if (this.#left > 0) file.write(`${JSON.stringify({ leftOut: this.#left })}\n`);
    this.#left = 0;
    this.#bytes += line.length;
    file.write(line);
  }

  #open(): WriteStream | undefined {
    let file: WriteStream;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      file = createWriteStream(this.#path, { fd: openSync(this.#path, appendOnly, 0o600) });
    } catch (error) {
      this.#end("cannot be written", error);
      return undefined;
    }
    file.on("error", (error) => this.#end("cannot be written", error));
    return file;
  }

  #end(why: string, error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#file?.end();
    this.#log.warn(`the raw stream ${this.#path} ${why}`, error === undefined ? {} : { error });
  }
}
