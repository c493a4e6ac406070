/** `openclaw gateway run`: the foreground process. Signals, console, exit codes (lifecycle.md §6). */
import type { RunOptions } from "./run-options.ts";
import { VERSION } from "../kernel/version.ts";
import { Redactor } from "../kernel/redact.ts";
import { systemWorld, type World } from "../kernel/world.ts";
import { handleFaults } from "./faults.ts";
import { Host, stopBudgetMs } from "./host.ts";
import { consoleSink } from "./log-sinks.ts";
import { runSetup } from "./setup.ts";
import { StartRefused } from "./startup-checks.ts";
import { welcome } from "./welcome.ts";

type Signal = "SIGTERM" | "SIGINT" | "SIGUSR1";

/** Resolves with the exit code. */
export async function runGateway(options: RunOptions): Promise<number> {
  // Before anything else: without a handler SIGUSR1 would open the runtime's debug port (R-SIG-1).
  const signals = new Signals();
  const world = systemWorld();
  const redactor = new Redactor();
  process.title = "openclaw-gateway";
  const console = consoleSink({
    threshold: () => (options.verbose ? "debug" : "info"),
    style: () => (process.stdout.isTTY ? "pretty" : "compact"),
    color: useColor(world),
    redactor,
    write: (stream, text) => void process[stream].write(text),
  });
  let host: Host;
  try {
    if (options.force) throw new StartRefused("--force is not offered yet. Stop what listens on the port (lsof -nP -iTCP:<port> -sTCP:LISTEN), then start again.");
    if (options.dev) for (const line of await runSetup({}, world)) process.stdout.write(`dev: ${line}\n`);
    host = await Host.start({ world, flags: options, version: VERSION, verbose: options.verbose, sinks: [console], redactor });
  } catch (error) {
    return refuse(error, world, redactor);
  }
  const removeFaults = handleFaults({
    log: host.log,
    state: host.state,
    redactor,
    world,
    version: VERSION,
    crash: () => {
      host.flushLog();
      process.exit(1);
    },
  });
  await welcome(host, world);
  const code = await serve(host, signals);
  removeFaults();
  signals.dispose();
  return code;
}

async function serve(host: Host, signals: Signals): Promise<number> {
  for (;;) {
    const signal = await signals.next();
    host.log.info(`signal ${signal} received`);
    if (signal === "SIGUSR1") {
      if (!host.gateway.config.current.commands.restart) {
        host.log.warn("SIGUSR1 restart ignored (not authorized; enable commands.restart or use gateway tool).");
        continue;
      }
      host.log.info("received SIGUSR1; restarting");
      await host.restart();
      continue;
    }
    host.log.info(`received ${signal}; shutting down`);
    return stop(host, signals);
  }
}

/** Exit 0 within the stop budget; a second Ctrl-C after the durable step ends at once with 130 (settled.md 8). */
async function stop(host: Host, signals: Signals): Promise<number> {
  const watchdog = host.world.after(stopBudgetMs, () => {
    host.log.warn("shutdown timed out; exiting without full cleanup");
    host.flushLog();
    process.exit(0);
  });
  const impatient = (async () => {
    for (;;) {
      const signal = await signals.next();
      if (signal === "SIGINT") return 130;
      host.log.info(`received ${signal} during shutdown; ignoring`);
    }
  })();
  const durable = host.durable();
  const code = await Promise.race([host.stop().then(() => 0), Promise.all([durable, impatient]).then(() => 130)]);
  watchdog.cancel();
  return code;
}

function refuse(error: unknown, world: World, redactor: Redactor): number {
  const text = error instanceof Error ? error.message : String(error);
  const prefix = error instanceof StartRefused && !text.startsWith("gateway already") && !text.startsWith("another gateway") ? "" : "Gateway failed to start: ";
  const detail = error instanceof StartRefused ? text : error instanceof Error ? (error.stack ?? text) : text;
  process.stderr.write(`${redactor.clean(prefix + (error instanceof StartRefused ? text : detail))}\n`);
  const configuration = error instanceof StartRefused && error.configuration;
  return configuration && world.env.OPENCLAW_SERVICE_MARKER ? 78 : 1;
}

function useColor(world: World): boolean {
  if (world.env.NO_COLOR || world.env.TERM === "dumb") return false;
  return process.stdout.isTTY === true || (world.env.FORCE_COLOR !== undefined && world.env.FORCE_COLOR !== "0");
}

/** Signals as a queue: none is lost between two waits. Bounded by coalescing equal ones. */
class Signals {
  #queue: Signal[] = [];
  #waiting: ((signal: Signal) => void) | undefined;
  readonly #handlers: [Signal, () => void][];

  constructor() {
    this.#handlers = (["SIGTERM", "SIGINT", "SIGUSR1"] as const).map((signal) => [signal, () => this.#received(signal)]);
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
  }

  #received(signal: Signal): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(signal);
    else if (!this.#queue.includes(signal)) this.#queue.push(signal);
  }

  next(): Promise<Signal> {
    const signal = this.#queue.shift();
    if (signal) return Promise.resolve(signal);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  dispose(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }
}
