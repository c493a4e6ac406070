/** STORM (reliability.md §4.10): many starts at once, and restarts one after another under load. One owner always, one process id,
 *  a port that is never refused, and nothing that grows. */
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { openGateway } from "../support/gateway.ts";
import { freePort, makeHome, startGateway, token, type GatewayProcess } from "../support/process.ts";
import { Wire } from "../support/wire.ts";

export interface StormOptions {
  starts: number;
  restarts: number;
  clients: number;
  /** Also count what restarts leave on the heap. */
  heap?: boolean;
}

export interface StormReport {
  starts: number;
  slowestRefusalMs: number;
  restarts: number;
  /** From the signal until a new connection is served again. */
  backMedianMs: number;
  backMaxMs: number;
  turns: number;
  /** Descriptors without any client, before and after. */
  fds: [number, number];
  /** Resident kilobytes after the first tenth of the restarts and at the end. */
  rssKb: [number, number];
  /** What as many restarts under load in one process leave alive after a collection; 0 when not asked for. */
  heapGrowthKb: number;
  violations: string[];
}

/** The launcher bounds the space for young objects; about 200 MB are usual after a hundred restarts under load. */
const maxGrownKb = 2_048;
const maxRssKb = 280_000;
/** A log file, a watch and a connection that is being closed. */
const spareFds = 3;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function storm(options: StormOptions): Promise<StormReport> {
  const violations: string[] = [];
  const slowestRefusalMs = await startAtOnce(options.starts, violations);
  const restarted = await restartUnderLoad(options, violations);
  const heapGrowthKb = options.heap ? await heapGrowth(options, violations) : 0;
  return {
    starts: options.starts,
    slowestRefusalMs,
    restarts: options.restarts,
    ...restarted,
    heapGrowthKb,
    violations,
  };
}

/** Of many starts one serves; every other leaves and names it. */
async function startAtOnce(starts: number, violations: string[]): Promise<number> {
  const home = makeHome();
  try {
    const port = await freePort();
    const began = performance.now();
    let slowest = 0;
    const attempts = Array.from({ length: starts }, () =>
      startGateway(home, { port }).catch((error: Error) => {
        slowest = Math.max(slowest, performance.now() - began);
        return error;
      }),
    );
    const results = await Promise.all(attempts);
    const serving = results.filter((result): result is GatewayProcess => !(result instanceof Error));
    if (serving.length !== 1) violations.push(`${serving.length} of ${starts} starts serve`);
    const owner = serving[0]?.pid;
    for (const result of results) {
      if (result instanceof Error && !/already (running|listening)/u.test(result.message))
        violations.push(`a refused start said: ${result.message.slice(0, 300)}`);
      else if (result instanceof Error && /pid \d+/u.test(result.message) && !result.message.includes(`pid ${owner}`))
        violations.push(`a refused start named another owner: ${result.message.slice(0, 300)}`);
    }
    if (slowest > 10_000 + starts * 100) violations.push(`the slowest refusal took ${Math.round(slowest)} ms`);
    for (const gateway of serving) if ((await gateway.stop()) !== 0) violations.push("the owner did not stop with 0");
    return Math.round(slowest);
  } finally {
    home.remove();
  }
}

async function restartUnderLoad({ restarts, clients }: StormOptions, violations: string[]) {
  const home = makeHome({ commands: { restart: true } });
  const gateway = await startGateway(home);
  const ended = { code: undefined as number | string | undefined };
  void gateway.exited.then((code) => (ended.code = code));
  await (await connected(gateway.url)).close();
  const quiet = measure(gateway.pid);
  const load = new Load(gateway.url, clients);
  const port = new PortWatch(gateway.port);
  const backMs: number[] = [];
  let early = measure(gateway.pid);
  try {
    for (let n = 1; n <= restarts && ended.code === undefined; n++) {
      // Turns are always under way when the signal comes.
      const turns = load.turns + 2;
      await until(() => load.turns >= turns || ended.code !== undefined, 30_000, violations, "a turn");
      const began = performance.now();
      gateway.kill("SIGUSR1");
      await until(
        () => gateway.output().split("restarted; listening").length > n || ended.code !== undefined,
        30_000,
        violations,
        `restart ${n}`,
      );
      await (await connected(gateway.url)).close();
      backMs.push(performance.now() - began);
      if (n === Math.ceil(restarts / 10)) early = measure(gateway.pid);
    }
    // A shower of signals at any moment of a restart: they join, and the process stays what it is.
    for (let n = 0; n < 2 * restarts && ended.code === undefined; n++) {
      gateway.kill("SIGUSR1");
      await pause(n % 7);
    }
    await (await connected(gateway.url)).close();
    await load.stop();
    port.stop();
    violations.push(...load.violations, ...port.violations);
    if (ended.code !== undefined)
      violations.push(`the process ended (${ended.code}):\n${gateway.output().slice(-1_000)}`);
    if (gateway.output().includes("Debugger listening")) violations.push("the debug port was opened");
    const late = measure(gateway.pid);
    if (late.fds - quiet.fds > spareFds) violations.push(`descriptors grew from ${quiet.fds} to ${late.fds}`);
    // Collector and allocator keep what they once had, up to a bound; what stays alive is judged by `heapGrowth`.
    if (late.rssKb > maxRssKb) violations.push(`memory grew from ${early.rssKb} to ${late.rssKb} KB`);
    backMs.sort((a, b) => a - b);
    return {
      backMedianMs: Math.round(backMs[Math.floor(backMs.length / 2)] ?? 0),
      backMaxMs: Math.round(backMs.at(-1) ?? 0),
      turns: load.turns,
      fds: [quiet.fds, late.fds] as [number, number],
      rssKb: [early.rssKb, late.rssKb] as [number, number],
    };
  } finally {
    await load.stop();
    port.stop();
    if (ended.code === undefined && (await gateway.stop()) !== 0) violations.push("the gateway did not stop with 0");
    home.remove();
  }
}

/** What is alive after restarts under load that was not before: a generation must leave nothing behind. */
async function heapGrowth({ restarts, clients }: StormOptions, violations: string[]): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const gateway = await openGateway({ config: { commands: { restart: true } } });
  const count = () => gateway.log.filter((line) => line.includes("restarted; listening")).length;
  const alive = async () => {
    for (let round = 0; round < 3; round++) {
      collect();
      await pause(50);
    }
    return { heap: process.memoryUsage().heapUsed, fds: measure(process.pid).fds };
  };
  try {
    const restart = async (times: number) => {
      const load = new Load(gateway.url, clients);
      for (let n = 0; n < times; n++) {
        // The lines are bounded, and this counts them.
        gateway.log.length = 0;
        const turns = load.turns + 2;
        await until(() => load.turns >= turns, 30_000, violations, "a turn in this process");
        gateway.host.restarts.signal();
        await until(() => count() > 0, 10_000, violations, "a restart in this process");
      }
      await load.stop();
      violations.push(...load.violations);
    };
    await restart(20);
    const before = await alive();
    await restart(restarts);
    const after = await alive();
    const grownKb = Math.round((after.heap - before.heap) / 1024);
    // What lives at one instant varies by some MB with the turns of that instant. A leak grows again with as many restarts more.
    if (grownKb > maxGrownKb) {
      await restart(restarts);
      const againKb = Math.round(((await alive()).heap - after.heap) / 1024);
      if (againKb > maxGrownKb)
        violations.push(`${restarts} restarts left ${grownKb} KB alive, and ${restarts} more ${againKb} KB`);
    }
    if (after.fds - before.fds > spareFds)
      violations.push(`${restarts} restarts in one process left ${after.fds - before.fds} descriptors`);
    return grownKb;
  } finally {
    await gateway.stop();
  }
}

/** Clients that send turn after turn and come back whenever they are told to. */
class Load {
  turns = 0;
  readonly violations: string[] = [];
  readonly #over = new AbortController();
  readonly #ended: Promise<void>;

  constructor(url: string, clients: number) {
    this.#ended = Promise.all(Array.from({ length: clients }, (_, i) => this.#drive(url, i))).then(() => {});
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#ended;
  }

  async #drive(url: string, client: number): Promise<void> {
    for (let n = 0; !this.#over.signal.aborted; n++) {
      const key = `load-${client}-${n}`;
      const outcome = await this.#turn(url, key, client);
      this.turns++;
      if (outcome !== "ok") this.violations.push(`${key} ended as ${outcome}`);
    }
  }

  /** Sends until the key has an outcome; the gateway runs it once, however often it is sent. */
  async #turn(url: string, key: string, client: number): Promise<string> {
    for (;;) {
      try {
        const wire = await connected(url);
        for (;;) {
          const final = await wire.final("agent", {
            message: "sleep: 20",
            sessionKey: `load-${client}`,
            idempotencyKey: key,
          });
          if (!final.ok && final.error?.retryable) {
            await pause(20);
            continue;
          }
          await wire.close();
          return final.payload?.status === "ok" ? "ok" : JSON.stringify(final.payload ?? final.error);
        }
      } catch {
        // The socket closed for a restart; the same key is sent again.
      }
    }
  }
}

/** Asks for the port all the time: it must accept, whatever is behind it. */
class PortWatch {
  readonly violations: string[] = [];
  readonly #over = new AbortController();

  constructor(port: number) {
    void this.#watch(port);
  }

  stop(): void {
    this.#over.abort();
  }

  async #watch(port: number): Promise<void> {
    while (!this.#over.signal.aborted) {
      const refused = await new Promise<string | undefined>((resolve) => {
        const socket = connect({ port, host: "127.0.0.1" });
        socket.once("connect", () => resolve(undefined));
        socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
        socket.once("connect", () => socket.destroy());
      });
      if (refused === "ECONNREFUSED" && !this.#over.signal.aborted) this.violations.push("the port was refused");
      await pause(2);
    }
  }
}

async function connected(url: string): Promise<Wire> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await Wire.connect(url, { token });
    } catch (error) {
      if (attempt >= 2_000) throw error;
      await pause(2);
    }
  }
}

async function until(check: () => boolean, limitMs: number, violations: string[], what: string): Promise<void> {
  const began = performance.now();
  while (!check()) {
    if (performance.now() - began > limitMs) return void violations.push(`${what}: nothing after ${limitMs} ms`);
    await pause(2);
  }
}

/** Zeroes where the system does not tell. */
function measure(pid: number): { fds: number; rssKb: number } {
  try {
    const rss = /VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return { fds: readdirSync(`/proc/${pid}/fd`).length, rssKb: Number(rss ?? 0) };
  } catch {
    // Only Linux has /proc; elsewhere growth is not judged.
    return { fds: 0, rssKb: 0 };
  }
}
