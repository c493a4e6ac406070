/** PDFs are read in a thread of their own, within a time and a size of memory: whatever a file does to its reader, the gateway goes
 *  on, and the request is refused (http.md §9.4, S15). */
import { Worker } from "node:worker_threads";
import { GatewayError } from "@openclaw/protocol";
import { KeyedQueue, QueueFullError } from "../../kernel/queue.ts";
import type { World } from "../../kernel/world.ts";
import type { PdfOptions, PdfText } from "./pdf.ts";

export interface PdfThreadLimits {
  ms: number;
  /** Objects and buffers of one thread together. */
  megabytes: number;
  atOnce: number;
  waiting: number;
}

export const pdfThreadLimits: Readonly<PdfThreadLimits> = { ms: 10_000, megabytes: 256, atOnce: 2, waiting: 32 };

/** How often the memory of a thread is looked at. */
const lookMs = 50;
/** Where the engine itself stops a thread. It counts no buffers, and one large object that crosses this ends the whole process: so
 *  it is far beyond what is looked for. */
const engineMegabytes = 1_024;

/** What runs there. Also the list of what is loaded only then. */
const readers = [{ id: "application/pdf", summary: "Text of a PDF", load: () => import("./pdf.ts") }] as const;

/** A promise that fails where nobody looks, deep in PDF.js, does not end the reading. */
const program = `
const { parentPort, workerData } = require("node:worker_threads");
const { url, bytes, options } = workerData;
process.on("unhandledRejection", () => {});
import(url)
  .then(({ pdfReader }) => pdfReader.read(bytes, options))
  .then((found) => parentPort.postMessage(found))
  .catch((error) => process.nextTick(() => { throw error; }));
`;

const tooMuch: PdfText = { refused: "The PDF takes too much time or memory to be read." };
const damaged: PdfText = { refused: "The PDF is damaged." };

export class PdfThreads {
  readonly #world: Pick<World, "after" | "every">;
  readonly #limits: Readonly<PdfThreadLimits>;
  readonly #queue: KeyedQueue;
  #last = 0;

  constructor(world: Pick<World, "after" | "every">, limits: Readonly<PdfThreadLimits> = pdfThreadLimits) {
    this.#world = world;
    this.#limits = limits;
    this.#queue = new KeyedQueue({ maxRunning: limits.atOnce, maxWaiting: limits.waiting });
  }

  /** Threads that read or wait to. */
  get active(): number {
    return this.#queue.running + this.#queue.waiting;
  }

  /** Throws GatewayError("unavailable") when too many wait. When `signal` aborts, the answer is of no interest to anybody. */
  async read(bytes: Uint8Array, options: PdfOptions, signal: AbortSignal): Promise<PdfText> {
    const { url } = (await readers[0].load()).pdfReader;
    const done = Promise.withResolvers<PdfText>();
    try {
      this.#queue.add(String(++this.#last), async () => {
        done.resolve(signal.aborted ? tooMuch : await this.#run(url, bytes, options, signal));
      });
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      throw new GatewayError("unavailable", "Too many PDFs are being read. Try again later.", { retryAfterMs: 5_000 });
    }
    return done.promise;
  }

  async #run(url: string, bytes: Uint8Array, options: PdfOptions, signal: AbortSignal): Promise<PdfText> {
    const copy = new Uint8Array(bytes);
    const worker = new Worker(program, {
      eval: true,
      workerData: { url, bytes: copy, options },
      transferList: [copy.buffer],
      env: {},
      execArgv: [],
      // What the reader prints is about the file, and goes nowhere.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: engineMegabytes },
    });
    worker.unref();
    const { promise, resolve } = Promise.withResolvers<PdfText>();
    const stop = () => resolve(tooMuch);
    // A mistake of the reader, which only this file brings about.
    const fail = (error: unknown) => resolve(isOutOfMemory(error) ? tooMuch : damaged);
    const timer = this.#world.after(this.#limits.ms, stop);
    const looks = this.#world.every(lookMs, watch(worker, this.#limits.megabytes * 1024 * 1024, stop));
    signal.addEventListener("abort", stop, { once: true });
    worker.on("message", resolve).on("error", fail).on("messageerror", fail).on("exit", fail);
    try {
      return await promise;
    } finally {
      timer.cancel();
      looks.cancel();
      signal.removeEventListener("abort", stop);
      await worker.terminate();
    }
  }
}

/** One look at a time, since a busy thread answers late. */
function watch(worker: Worker, maxBytes: number, stop: () => void): () => void {
  let looking = false;
  return () => {
    if (looking) return;
    looking = true;
    worker
      .getHeapStatistics()
      .then(({ used_heap_size, external_memory }) => {
        if (used_heap_size + external_memory > maxBytes) stop();
      })
      .catch(() => {
        // It has ended, or has not begun.
      })
      .finally(() => (looking = false));
  };
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY";
}
