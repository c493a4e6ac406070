/** Code of the person who runs the gateway that shapes a webhook's payload (http.md §12.9). It runs in a thread of its own with a
 *  bound on memory and time and without the gateway's environment, so that a mistake in it stops nothing else. */
import { realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { Timer, World } from "../../../kernel/world.ts";

export interface TransformInput {
  payload: unknown;
  headers: Readonly<Record<string, string | undefined>>;
  url: string;
  path: string;
}

export interface TransformOptions {
  world: Pick<World, "after">;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

interface Running {
  worker: Worker;
  pending: Map<number, Pending>;
  idle: Timer | undefined;
}

export const transformMs = 10_000;
const idleMs = 60_000;
const maxPending = 64;
const maxMegabytes = 128;

/** Loads the module once and answers call after call. */
const program = `
const { parentPort, workerData } = require("node:worker_threads");
const loaded = import(workerData.url).then((module) => {
  const named = workerData.name;
  const found = named === undefined ? (module.default ?? module.transform) : module[named];
  if (typeof found !== "function") throw new Error("the module has no such function");
  return found;
});
loaded.catch(() => {});
parentPort.on("message", async ({ id, input }) => {
  try {
    const transform = await loaded;
    parentPort.postMessage({ id, value: await transform(input) });
  } catch (error) {
    parentPort.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
`;

/** The file of a transform, inside the folder whatever links say. Throws when it is not there. */
export async function transformFile(folder: string, module: string): Promise<string> {
  const root = await realpath(folder);
  const file = await realpath(resolve(root, module));
  if (!file.startsWith(root + sep)) throw new Error("the module lies outside of hooks.transformsDir");
  return file;
}

export class Transforms {
  readonly #o: TransformOptions;
  readonly #running = new Map<string, Running>();
  #ids = 0;

  constructor(options: TransformOptions) {
    this.#o = options;
  }

  /** What the function returns: overrides, or null. Throws when it does not, within the time. */
  async run(folder: string, module: string, name: string | undefined, input: TransformInput): Promise<unknown> {
    const file = await transformFile(folder, module);
    const key = `${file}\0${name ?? ""}`;
    const running = this.#running.get(key) ?? this.#start(key, file, name);
    if (running.pending.size >= maxPending) throw new Error("too many calls wait for this transform");
    running.idle?.cancel();
    const id = ++this.#ids;
    const { promise, resolve: settle, reject } = Promise.withResolvers<unknown>();
    running.pending.set(id, { resolve: settle, reject });
    const timer = this.#o.world.after(transformMs, () => this.#end(key, new Error("it took longer than 10 s")));
    try {
      running.worker.postMessage({ id, input }, []);
      return await promise;
    } finally {
      timer.cancel();
      running.pending.delete(id);
      // One that was ended meanwhile has no say in the next thread of this module.
      if (running.pending.size === 0 && this.#running.get(key) === running)
        running.idle = this.#o.world.after(idleMs, () => this.#end(key, undefined, running));
    }
  }

  /** Modules are loaded anew after this. */
  stop(): void {
    for (const key of this.#running.keys()) this.#end(key, new Error("the config was reloaded"));
  }

  #start(key: string, file: string, name: string | undefined): Running {
    const worker = new Worker(program, {
      eval: true,
      workerData: { url: pathToFileURL(file).href, name },
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: maxMegabytes },
    });
    worker.unref();
    const running: Running = { worker, pending: new Map(), idle: undefined };
    this.#running.set(key, running);
    worker.on("message", ({ id, value, error }: { id: number; value?: unknown; error?: string }) => {
      const waiting = running.pending.get(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
    worker.on("error", (error) => this.#end(key, error, running));
    worker.on("messageerror", (error) => this.#end(key, error, running));
    worker.on("exit", () => this.#end(key, new Error("it ended the thread"), running));
    return running;
  }

  #end(key: string, error?: Error, only?: Running): void {
    const running = only ?? this.#running.get(key);
    if (!running) return;
    if (this.#running.get(key) === running) this.#running.delete(key);
    running.idle?.cancel();
    for (const { reject } of running.pending.values()) reject(error ?? new Error("stopped"));
    running.pending.clear();
    void running.worker.terminate();
  }
}
