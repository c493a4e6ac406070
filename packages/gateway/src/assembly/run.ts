/** `openclaw gateway run`: the foreground process. Signals, console, exit codes (lifecycle.md §6). */
import { GatewayError } from "@openclaw/protocol";
import type { RunOptions } from "./run-options.ts";
import { VERSION } from "../kernel/version.ts";
import { Redactor } from "../kernel/redact.ts";
import { systemWorld, type World } from "../kernel/world.ts";
import { stopBudgetMs } from "../kernel/lifecycle.ts";
import { createLogger } from "../kernel/log.ts";
import { prepareDev } from "./dev.ts";
import { handleFaults } from "./faults.ts";
import { freePort } from "./force.ts";
import { Host } from "./host.ts";
import { configuredPort } from "./judge.ts";
import { consoleSink } from "./log-sinks.ts";
import { notifyManager } from "../service/index.ts";
import { standardOutput } from "./standard-output.ts";
import { StartFailed, StartRefused } from "./startup-checks.ts";
import { StoreCorruptError, StoreFullError, StoreTooNewError } from "../store/index.ts";
import { welcome } from "./welcome.ts";

type Signal = "SIGTERM" | "SIGINT" | "SIGUSR1" | "SIGUSR2";

/** Resolves with the exit code. */
export async function runGateway(options: RunOptions): Promise<number> {
  // Before anything else: from here on no signal is lost (R-SIG-1).
  const signals = new Signals();
  const world = systemWorld();
  const redactor = new Redactor();
  process.title = "openclaw-gateway";
  let running: Host | undefined;
  const console = consoleSink({
    threshold: () => (options.verbose ? "debug" : (running?.config.logging.consoleLevel ?? "info")),
    style: () => running?.config.logging.consoleStyle ?? (process.stdout.isTTY ? "pretty" : "compact"),
    color: useColor(world),
    redactor,
    write: standardOutput(),
  });
  let host: Host;
  const failure = Promise.withResolvers<Error>();
  try {
    if (options.dev) for (const line of await prepareDev(options, world)) process.stdout.write(`${line}\n`);
    if (options.force) {
      const log = createLogger({ subsystem: "gateway", sinks: [console], now: world.now });
      await freePort({ port: configuredPort(options, world), world, log });
    }
    const failed = (error: Error) => failure.resolve(error);
    host = await Host.start({
      world,
      flags: options,
      version: VERSION,
      verbose: options.verbose,
      logFrames: options.wsLog === "full",
      sinks: [console],
      redactor,
      failed,
    });
    running = host;
  } catch (error) {
    return refuse(error, world, redactor);
  }
  const removeFaults = handleFaults({
    log: host.log,
    state: host.state,
    redactor,
    world,
    version: VERSION,
    escaped: (error) => host.escaped(error),
    crash: () => {
      host.flushLog();
      process.exit(1);
    },
  });
  await notifyManager(world, ["--ready", `--status=listening on ${host.listener.url}`]);
  await welcome(host, world);
  const code = await Promise.race([
    serve(host, signals),
    failure.promise.then((error) => failedRestart(error, host, redactor)),
  ]);
  removeFaults();
  signals.dispose();
  return code;
}

async function serve(host: Host, signals: Signals): Promise<number> {
  for (;;) {
    const signal = await signals.next();
    if (signal === "SIGUSR1") {
      host.restarts.signal();
      continue;
    }
    if (signal === "SIGUSR2") {
      host.log.info("signal SIGUSR2 received; stopping once the running turns are over");
      const urgent = await Promise.race([host.drain().then(() => undefined), stopSignal(signals)]);
      host.log.info(urgent === undefined ? "drained; shutting down" : `received ${urgent}; shutting down`);
      void notifyManager(host.world, ["--stopping"]);
      return stop(host, signals);
    }
    host.log.info(`signal ${signal} received`);
    host.log.info(`received ${signal}; shutting down`);
    void notifyManager(host.world, ["--stopping"]);
    return stop(host, signals);
  }
}

/** A stop that is asked for during a drain does not wait for it. */
async function stopSignal(signals: Signals): Promise<Signal> {
  for (;;) {
    const signal = await signals.next();
    if (signal === "SIGTERM" || signal === "SIGINT") return signal;
  }
}

/** The old generation is gone and the new one did not come up: a supervisor starts a fresh process. */
function failedRestart(error: Error, host: Host, redactor: Redactor): number {
  process.stderr.write(`${redactor.clean(`Gateway failed to start: ${error.message}`)}\n`);
  host.flushLog();
  process.exit(1);
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

/** Their texts name cause and next step; a stack would only hide them. */
const explainedErrors = [GatewayError, StoreCorruptError, StoreFullError, StoreTooNewError];

function refuse(error: unknown, world: World, redactor: Redactor): number {
  const text = error instanceof Error ? error.message : String(error);
  const refused = error instanceof StartRefused;
  const prefix = refused && !(error instanceof StartFailed) ? "" : "Gateway failed to start: ";
  const explained = refused || explainedErrors.some((kind) => error instanceof kind);
  const detail = !explained && error instanceof Error ? (error.stack ?? text) : text;
  process.stderr.write(`${redactor.clean(prefix + detail)}\n`);
  const configuration = refused && error.configuration;
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
    this.#handlers = (["SIGTERM", "SIGINT", "SIGUSR1", "SIGUSR2"] as const).map((signal) => [
      signal,
      () => this.#received(signal),
    ]);
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
