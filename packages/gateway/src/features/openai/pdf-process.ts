/** PDFs are read in a process of their own, within a time and a size of memory: whatever a file does to its reader, the gateway goes
 *  on, and the request is refused (http.md §9.4, S15). */
import { GatewayError } from "@openclaw/protocol";
import { KeyedQueue, QueueFullError } from "../../kernel/queue.ts";
import type { World } from "../../kernel/world.ts";
import type { PdfOptions, PdfText } from "./pdf.ts";

export interface PdfProcessLimits {
  ms: number;
  /** Resident memory of one process, of which its runtime takes some 80. */
  megabytes: number;
  atOnce: number;
  waiting: number;
}

export const pdfProcessLimits: Readonly<PdfProcessLimits> = { ms: 10_000, megabytes: 384, atOnce: 2, waiting: 32 };

/** What runs there. Also the list of what is loaded only then. */
const readers = [{ id: "application/pdf", summary: "Text of a PDF", load: () => import("./pdf.ts") }] as const;

/** A thread watches over the memory and the time, since the reader may keep the process busy, and its gateway may be gone. A promise
 *  that fails where nobody looks, deep in PDF.js, does not end the reading. */
const program = `
const { Worker } = require("node:worker_threads");
const [maxBytes, maxMs] = process.argv.slice(1).map(Number);
new Worker(\`
  const { workerData: { maxBytes, endsAt } } = require("node:worker_threads");
  setInterval(() => {
    if (process.memoryUsage.rss() > maxBytes || Date.now() > endsAt) process.kill(process.pid, "SIGKILL");
  }, 20);
\`, { eval: true, workerData: { maxBytes, endsAt: Date.now() + maxMs } }).unref();
process.on("unhandledRejection", () => {});
process.once("message", ({ url, bytes, options }) => {
  import(url)
    .then(({ pdfReader }) => pdfReader.read(new Uint8Array(bytes), options))
    .then((found) => process.send(found, () => process.exit()))
    .catch(() => process.exit(1));
});
process.once("disconnect", () => process.exit(1));
`;

const tooMuch: PdfText = { refused: "The PDF takes too much time or memory to be read." };
const damaged: PdfText = { refused: "The PDF is damaged." };

type PdfWorld = Pick<World, "after" | "spawn" | "env">;

export class PdfProcesses {
  readonly #world: PdfWorld;
  readonly #limits: Readonly<PdfProcessLimits>;
  readonly #queue: KeyedQueue;
  #last = 0;

  constructor(world: PdfWorld, limits: Readonly<PdfProcessLimits> = pdfProcessLimits) {
    this.#world = world;
    this.#limits = limits;
    this.#queue = new KeyedQueue({ maxRunning: limits.atOnce, maxWaiting: limits.waiting });
  }

  /** Files that are read or wait for it. */
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
    const { ms, megabytes } = this.#limits;
    // Longer than the gateway waits: it counts only when the gateway is gone.
    const own = [String(megabytes * 1024 * 1024), String(ms + 5_000)];
    const flags = [`--max-old-space-size=${megabytes}`, "--disable-warning=ExperimentalWarning"];
    const child = this.#world.spawn(process.execPath, [...flags, "-e", program, ...own], {
      env: environment(this.#world.env),
      // What the reader prints is about the file, and goes nowhere.
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      serialization: "advanced",
    });
    const { promise, resolve } = Promise.withResolvers<PdfText>();
    const stop = () => resolve(tooMuch);
    const timer = this.#world.after(ms, stop);
    signal.addEventListener("abort", stop, { once: true });
    child
      .on("message", (found) => resolve(found as PdfText))
      .on("error", () => resolve(damaged))
      // Ended by a signal it was too big; by itself, the reader made a mistake that only this file brings about.
      .on("exit", (code) => resolve(code === 1 ? damaged : tooMuch));
    const gone = new Promise<void>((ended) => child.once("close", () => ended()).once("error", () => ended()));
    if (child.connected)
      child.send({ url, bytes, options }, () => {
        // A process that is gone already says so by its exit.
      });
    try {
      return await promise;
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", stop);
      child.kill("SIGKILL");
      await gone;
    }
  }
}

/** Nothing of the gateway's own; Windows starts no program without its root. */
function environment(env: World["env"]): Record<string, string> {
  const { SystemRoot } = env;
  return SystemRoot === undefined ? {} : { SystemRoot };
}
