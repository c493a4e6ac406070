/** Host: what lives as long as the process — state lock, listener, signals, log, status file. A Gateway generation plugs into
 *  it; a restart in process replaces the generation and keeps the port (settled.md 23). */
import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { createLogger, type Logger, type Sink } from "../kernel/log.ts";
import { configPath, stateDir } from "../kernel/paths.ts";
import { Redactor } from "../kernel/redact.ts";
import type { Timer, World } from "../kernel/world.ts";
import { describeIssues, readConfig, type ConfigSnapshot } from "../config/index.ts";
import { ListenError, Listener } from "../server/index.ts";
import { openStateLock, StateLockedError, type StateLock } from "../store/index.ts";
import { Gateway } from "./gateway.ts";
import { fileSink, logFolder } from "./log-sinks.ts";
import { declared, type EffectiveConfig } from "./sections.ts";
import { resolveEndpoint, StartRefused, type Endpoint, type LaunchFlags } from "./startup-checks.ts";
import { readStatusFile, writeStatusFile, type StatusFile } from "./status-file.ts";

/** All stop budgets derive from these two (R-SHUT-1). */
export const stopBudgetMs = 5_000;
const statusEveryMs = 60_000;

export interface HostOptions {
  world: World;
  flags: LaunchFlags;
  version: string;
  verbose: boolean;
  /** Console output; tests pass their own. */
  sinks: readonly Sink[];
  redactor?: Redactor;
}

export class Host {
  readonly world: World;
  readonly log: Logger;
  readonly redactor: Redactor;
  readonly state: string;
  readonly listener: Listener;
  readonly endpoint: Endpoint;
  readonly logFile: () => string;
  readonly flushLog: () => void;
  readonly #options: HostOptions;
  readonly #lock: StateLock;
  readonly #startedAt: number;
  #gateway: Gateway | undefined;
  #statusTimer: Timer | undefined;

  private constructor(options: HostOptions, parts: Pick<Host, "log" | "redactor" | "state" | "listener" | "endpoint" | "logFile" | "flushLog"> & { lock: StateLock }) {
    this.#options = options;
    this.world = options.world;
    this.log = parts.log;
    this.redactor = parts.redactor;
    this.state = parts.state;
    this.listener = parts.listener;
    this.endpoint = parts.endpoint;
    this.logFile = parts.logFile;
    this.flushLog = parts.flushLog;
    this.#lock = parts.lock;
    this.#startedAt = options.world.now();
  }

  /** Config → lock → bind → store → services → ready (R-OWN-4). Throws StartRefused with the text for the terminal. */
  static async start(options: HostOptions): Promise<Host> {
    const { world } = options;
    const redactor = options.redactor ?? new Redactor();
    const state = stateDir(world);
    const snapshot = judged(world);
    const config = snapshot.config as EffectiveConfig;
    const endpoint = resolveEndpoint(options.flags, config.gateway, snapshot.exists, snapshot.path, world);
    for (const secret of [endpoint.auth.token, endpoint.auth.password]) if (secret) redactor.add(secret);
    ensureStateDir(state, world);
    const live = { current: config };
    const file = fileSink({
      threshold: () => live.current.logging.level,
      file: () => live.current.logging.file,
      folder: logFolder(world, state),
      redactor,
      world,
    });
    const log = createLogger({ subsystem: "gateway", sinks: [...options.sinks, file.sink], now: world.now });
    const lock = await takeLock(state, endpoint, world);
    try {
      const listener = await bind(endpoint, log, world, state);
      const parts = { log, redactor, state, listener, endpoint, logFile: file.path, flushLog: file.flushSync, lock };
      const host = new Host(options, parts);
      try {
        await host.#begin(snapshot);
        return host;
      } catch (error) {
        await listener.close();
        throw error;
      }
    } catch (error) {
      lock.release();
      file.flushSync();
      throw error;
    }
  }

  get gateway(): Gateway {
    if (!this.#gateway) throw new Error("no generation is running");
    return this.#gateway;
  }

  async #begin(snapshot: ConfigSnapshot): Promise<void> {
    this.#gateway = await Gateway.start({
      world: this.world,
      log: this.log,
      redactor: this.redactor,
      listener: this.listener,
      snapshot,
      endpoint: this.endpoint,
      version: this.#options.version,
      logFile: this.logFile,
      verbose: this.#options.verbose,
    });
    await this.#writeStatus("running");
    this.#statusTimer = this.world.every(statusEveryMs, () => void this.#writeStatus("running"));
  }

  /** A new generation on the same lock and port, the config read fresh. When it cannot start, the error rises. */
  async restart(): Promise<void> {
    const snapshot = judged(this.world);
    this.#statusTimer?.cancel();
    await this.gateway.stop({ reason: "gateway restarting", restartExpectedMs: 1_500, deadlineMs: stopBudgetMs });
    this.#gateway = undefined;
    await this.#begin(snapshot);
  }

  /** The part of a stop that must not be lost; `stop` begins with it. */
  async durable(): Promise<void> {
    await this.#gateway?.durable({ reason: "gateway stopping", deadlineMs: stopBudgetMs });
  }

  /** Announces, writes what must be durable, stops in reverse, closes sockets with 1012. Idempotent. */
  async stop(reason = "gateway stopping"): Promise<void> {
    this.#statusTimer?.cancel();
    const gateway = this.#gateway;
    this.#gateway = undefined;
    if (gateway) await gateway.stop({ reason, deadlineMs: stopBudgetMs });
    await this.#writeStatus("stopped", gateway);
    await this.listener.close();
    this.#lock.release();
    this.flushLog();
  }

  async #writeStatus(state: StatusFile["state"], gateway = this.#gateway): Promise<void> {
    const now = this.world.now();
    const status: StatusFile = {
      pid: this.world.pid,
      version: this.#options.version,
      host: this.endpoint.host,
      port: this.listener.port,
      startedAt: this.#startedAt,
      writtenAt: now,
      state,
      configPath: configPath(this.world),
      logFile: this.logFile(),
      problems: gateway?.problems() ?? [],
    };
    await writeStatusFile(this.state, status).catch((error: unknown) => this.log.warn("status file not written", { error }));
  }
}

/** Reads the config and refuses what is not usable; missing is legal. */
function judged(world: World): ConfigSnapshot {
  const snapshot = readConfig(configPath(world), world, declared);
  if (snapshot.verdict === "ok" || snapshot.verdict === "missing") return snapshot;
  throw new StartRefused(`${describeIssues(snapshot)}\nRun "openclaw doctor" to repair, then retry.`);
}

/** R-CON-2: one line with path, owner needed and command. */
function ensureStateDir(state: string, world: World): void {
  try {
    mkdirSync(state, { recursive: true, mode: 0o700 });
    accessSync(state, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const uid = process.getuid?.() ?? 0;
    const gid = process.getgid?.() ?? 0;
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new StartRefused(`State directory ${state} cannot be written (${code}). It must belong to ${uid}:${gid}: chown -R ${uid}:${gid} ${state}`);
  }
  if (world.platform === "win32") return;
  const mode = statSync(state).mode & 0o777;
  if ((mode & 0o022) !== 0) {
    throw new StartRefused(`State directory ${state} may be written by others (mode ${mode.toString(8)}). Run: chmod 700 ${state}`);
  }
}

const lockWaitMs = 5_000;
const lockPollMs = 100;

/** A second start names the owner at once when it listens; only while the owner restarts it waits (R-OWN-3). */
async function takeLock(state: string, endpoint: Endpoint, world: World): Promise<StateLock> {
  const deadline = world.monotonic() + lockWaitMs;
  for (;;) {
    try {
      return openStateLock(state);
    } catch (error) {
      if (!(error instanceof StateLockedError)) throw error;
      const owner = readStatusFile(state);
      if (owner && (await listens(owner.host, owner.port))) throw alreadyRunning(state, owner);
      if (world.monotonic() >= deadline) throw alreadyRunning(state, owner);
      await world.sleep(lockPollMs);
    }
  }
}

function alreadyRunning(state: string, owner: StatusFile | undefined): StartRefused {
  const who = owner ? `pid ${owner.pid}, version ${owner.version}, ws://${owner.host}:${owner.port}, as reported` : "owner unknown";
  return new StartRefused(
    `gateway already running (${who}); it owns ${state}.\nStop it (openclaw gateway stop) or use another profile: openclaw --profile <name> gateway.`,
  );
}

async function listens(host: string, port: number): Promise<boolean> {
  const { connect } = process.getBuiltinModule("node:net");
  const target = host === "0.0.0.0" ? "127.0.0.1" : host;
  return new Promise((resolve) => {
    const socket = connect({ host: target, port, timeout: 500 });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("timeout", () => done(false));
    socket.once("error", () => done(false));
  });
}

async function bind(endpoint: Endpoint, log: Logger, world: World, state: string): Promise<Listener> {
  try {
    return await Listener.bind({ host: endpoint.host, port: endpoint.port, log: log.child("listener"), world });
  } catch (error) {
    if (error instanceof ListenError && error.code === "EADDRINUSE") {
      const owner = readStatusFile(state);
      const hint = owner?.state === "running" && owner.port === endpoint.port ? ` (last reported owner: pid ${owner.pid})` : "";
      throw new StartRefused(
        `another gateway instance is already listening on ws://${endpoint.host}:${endpoint.port}${hint}\nPort ${endpoint.port} is already in use. Stop what listens there, or choose another port with --port.`,
        false,
      );
    }
    throw new StartRefused(`failed to bind gateway socket on ws://${endpoint.host}:${endpoint.port}: ${(error as Error).message}`, true);
  }
}
