/** Host: what lives as long as the process — state lock, port, log, status file, reload and restart. A Gateway generation plugs
 *  into it; a restart in process replaces the generation and keeps the port (settled.md 23). */
import { stopBudgetMs } from "../kernel/lifecycle.ts";
import { createLogger, type Logger, type Sink } from "../kernel/log.ts";
import { configPath, profileName, stateDir } from "../kernel/paths.ts";
import { Redactor } from "../kernel/redact.ts";
import type { Timer, World } from "../kernel/world.ts";
import { readConfig, type ConfigSnapshot } from "../config/index.ts";
import { escapedFrom } from "../features/channels/index.ts";
import type { Listener } from "../server/index.ts";
import type { StateLock } from "../store/index.ts";
import { bind, ensureStateDir, takeLock } from "./claim.ts";
import { Gateway } from "./gateway.ts";
import { judge } from "./judge.ts";
import { ensureLogFolder, fileSink } from "./log-sinks.ts";
import { Reloader } from "./reload.ts";
import { Restarts } from "./restart.ts";
import { SafeMode } from "./safe-mode.ts";
import { declared, type EffectiveConfig } from "./sections.ts";
import type { Endpoint, LaunchFlags } from "./startup-checks.ts";
import { writeStatusFile, type StatusFile } from "./status-file.ts";
import { Exposure } from "./tailscale.ts";
import { loadTls } from "./tls.ts";

const statusEveryMs = 60_000;
/** What clients are told; a restart takes a fraction of it. */
const restartExpectedMs = 1_500;

export interface HostOptions {
  world: World;
  flags: LaunchFlags;
  version: string;
  verbose: boolean;
  /** With `verbose`: a line per WebSocket frame instead of one per request. */
  logFrames?: boolean;
  /** Console output; tests pass their own. */
  sinks: readonly Sink[];
  redactor?: Redactor;
  /** A restart left nothing running, or hangs: the process must end with 1 (lifecycle.md §6.3). */
  failed?: (error: Error) => void;
}

interface Fixed {
  log: Logger;
  redactor: Redactor;
  state: string;
  logFile: () => string;
  flushLog: () => void;
  lock: StateLock;
  live: { current: EffectiveConfig };
}

export class Host {
  readonly world: World;
  readonly log: Logger;
  readonly redactor: Redactor;
  readonly state: string;
  readonly logFile: () => string;
  readonly flushLog: () => void;
  readonly restarts: Restarts;
  readonly #options: HostOptions;
  readonly #lock: StateLock;
  readonly #live: { current: EffectiveConfig };
  readonly #reloader: Reloader;
  readonly #safe: SafeMode;
  readonly #exposure: Exposure;
  readonly #startedAt: number;
  #listener: Listener;
  #endpoint: Endpoint;
  #gateway: Gateway | undefined;
  #statusTimer: Timer | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(
    options: HostOptions,
    fixed: Fixed,
    snapshot: ConfigSnapshot,
    endpoint: Endpoint,
    listener: Listener,
  ) {
    const { world } = options;
    this.#options = options;
    this.world = world;
    this.log = fixed.log;
    this.redactor = fixed.redactor;
    this.state = fixed.state;
    this.logFile = fixed.logFile;
    this.flushLog = fixed.flushLog;
    this.#lock = fixed.lock;
    this.#live = fixed.live;
    this.#listener = listener;
    this.#endpoint = endpoint;
    this.#exposure = new Exposure({ world, log: this.log.child("tailscale") });
    this.#startedAt = world.now();
    const changed = () => this.#gateway?.stateChanged();
    this.#safe = new SafeMode({
      state: this.state,
      world,
      log: this.log,
      limits: this.#live.current.gateway.safeMode,
      changed,
    });
    this.restarts = new Restarts({
      world,
      log: this.log,
      external: () => this.#live.current.commands.restart,
      perform: (reason, cancelled) => this.#restart(reason, cancelled),
    });
    this.#reloader = new Reloader(
      {
        world,
        log: this.log.child("reload"),
        declared,
        read: () => readConfig(configPath(world), world, declared),
        refusal: (next) => this.#refusal(next),
        apply: async (next, plan) => {
          const failed = (await this.#gateway?.reload(next, plan)) ?? [];
          this.#live.current = next.config as EffectiveConfig;
          this.#safe.leave("config change");
          return failed;
        },
        restart: (reason) => this.restarts.requestReload(reason),
        cancelRestart: () => this.restarts.cancelReload(),
        changed,
      },
      snapshot,
    );
  }

  /** Config → lock → bind → store → services → ready (R-OWN-4). Throws StartRefused with the text for the terminal. */
  static async start(options: HostOptions): Promise<Host> {
    const { world } = options;
    const redactor = options.redactor ?? new Redactor();
    redactor.addEnvironment(world.env);
    const state = stateDir(world);
    const snapshot = readConfig(configPath(world), world, declared);
    const endpoint = judge(snapshot, options.flags, world);
    register(endpoint, redactor);
    ensureStateDir(state, world);
    const live = { current: snapshot.config as EffectiveConfig };
    const logs = ensureLogFolder(world, state);
    const file = fileSink({
      threshold: () => live.current.logging.level,
      file: () => live.current.logging.file,
      folder: logs.folder,
      profile: profileName(world),
      redactor,
      world,
    });
    const log = createLogger({ subsystem: "gateway", sinks: [...options.sinks, file.sink], now: world.now });
    if (logs.reason !== undefined) log.warn(`${logs.reason} Log files go to ${logs.folder}.`);
    const lock = await takeLock(state, endpoint, world);
    try {
      const listener = await bind(endpoint, log, world, state);
      try {
        const fixed = { log, redactor, state, logFile: file.path, flushLog: file.flushSync, lock, live };
        const host = new Host(options, fixed, snapshot, endpoint, listener);
        await host.#begin(snapshot);
        host.#reloader.start();
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

  get listener(): Listener {
    return this.#listener;
  }

  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  /** The config that runs, replaced as a whole by a reload or restart. */
  get config(): EffectiveConfig {
    return this.#live.current;
  }

  async #begin(snapshot: ConfigSnapshot): Promise<void> {
    this.#gateway = await Gateway.start({
      world: this.world,
      log: this.log,
      redactor: this.redactor,
      listener: this.#listener,
      snapshot,
      endpoint: this.#endpoint,
      version: this.#options.version,
      logFile: this.logFile,
      verbose: this.#options.verbose,
      logFrames: this.#options.logFrames ?? false,
      process: { restarts: this.restarts, configState: () => this.#reloader.state, safe: () => this.#safe.state },
    });
    void this.#exposure.apply(this.#endpoint.tailscale, this.#listener.port, this.#listener.secure);
    await this.#writeStatus("running");
    this.#statusTimer = this.world.every(statusEveryMs, () => void this.#writeStatus("running"));
  }

  /** Drain → announce and stop the old generation → start the new one on the same lock and port, on the file as it is now.
   *  Until the old one stops, anything wrong calls it off. Never rejects. */
  async #restart(reason: string, cancelled: AbortSignal): Promise<void> {
    const old = this.#gateway;
    if (!old || this.#stopping) return;
    try {
      if ((await this.#candidate()) === undefined) return;
      await drained(old, this.#live.current.gateway.reload.deferralTimeoutMs, cancelled);
      if (this.#stopping) return;
      if (cancelled.aborted) {
        this.log.info(`restart called off (${reason}); its reason is gone`);
        return old.resume();
      }
      // The file may have been edited during the drain.
      const candidate = await this.#candidate();
      if (candidate === undefined) return old.resume();
      await this.#replace(old, candidate);
    } catch (error) {
      this.log.fatal(`Gateway failed to start: ${error instanceof Error ? error.message : String(error)}`);
      this.#options.failed?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #replace(old: Gateway, next: Candidate): Promise<void> {
    const { world } = this;
    const watchdog = world.after(2 * stopBudgetMs, () =>
      this.#options.failed?.(new Error("shutdown timed out; exiting without full cleanup")),
    );
    const former = this.#listener;
    const moved = bindingOf(next.endpoint) !== bindingOf(this.#endpoint);
    // New before old, unless both want the same port on different addresses.
    const early = moved && next.endpoint.port !== former.port;
    try {
      const listener = early ? await this.#bindOrCallOff(old, next.endpoint) : former;
      if (!listener) return;
      this.#statusTimer?.cancel();
      this.#gateway = undefined;
      await old.stop({ reason: "gateway restarting", restartExpectedMs, deadlineMs: stopBudgetMs });
      if (moved && !early) await former.close();
      if (!moved) this.#renewCertificate(next.endpoint);
      this.#listener = moved && !early ? await bind(next.endpoint, this.log, world, this.state) : listener;
      this.#endpoint = next.endpoint;
      register(next.endpoint, this.redactor);
      this.#live.current = next.snapshot.config as EffectiveConfig;
      if (this.#stopping) return;
      await this.#begin(next.snapshot);
      this.#safe.leave("restart");
      this.#reloader.adopt(next.snapshot);
      this.log.info(`restarted; listening on ${this.#listener.url} (PID ${world.pid})`);
    } finally {
      watchdog.cancel();
      if (this.#listener !== former) await former.close();
    }
  }

  async #bindOrCallOff(old: Gateway, endpoint: Endpoint): Promise<Listener | undefined> {
    try {
      return await bind(endpoint, this.log, this.world, this.state);
    } catch (error) {
      this.#callOff((error as Error).message);
      old.resume();
      return undefined;
    }
  }

  /** The files behind an unchanged setting may hold a new pair. */
  #renewCertificate(endpoint: Endpoint): void {
    const tls = loadTls(endpoint.tls, this.state, this.world);
    if (tls) this.#listener.renew(tls);
  }

  /** The file as it is now, if the gateway could start on it; otherwise the reason is logged and kept. */
  async #candidate(): Promise<Candidate | undefined> {
    const snapshot = readConfig(configPath(this.world), this.world, declared);
    try {
      const endpoint = judge(snapshot, this.#options.flags, this.world);
      loadTls(endpoint.tls, this.state, this.world);
      return { snapshot, endpoint };
    } catch (error) {
      this.#callOff((error as Error).message);
      return undefined;
    }
  }

  #callOff(text: string): void {
    const message = text.replaceAll("\n", " ");
    this.log.error(`restart refused; the running gateway goes on: ${message}`);
    this.#reloader.refuse(`restart refused: ${message}`);
  }

  /** The checks of a start, run dry against a new config: also that a new port can be had (R-REL-5). */
  async #refusal(snapshot: ConfigSnapshot): Promise<string | undefined> {
    try {
      const next = judge(snapshot, this.#options.flags, this.world);
      loadTls(next.tls, this.state, this.world);
      if (next.port !== this.#endpoint.port) await (await bind(next, this.log, this.world, this.state)).close();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Admits nothing new and resolves when the running turns are over, or their budget is used up (settled.md 8). A stop follows. */
  async drain(): Promise<void> {
    const gateway = this.#gateway;
    if (gateway)
      await drained(gateway, this.#live.current.gateway.reload.deferralTimeoutMs, new AbortController().signal);
  }

  /** A rejection nobody caught: true when a channel's SDK let it escape. Then that channel connects anew, and no more happens. */
  escaped(error: unknown): boolean {
    const channel = escapedFrom(error);
    if (channel !== undefined) this.#gateway?.renewChannel(channel, error);
    return channel !== undefined;
  }

  /** The part of a stop that must not be lost; `stop` begins with it. */
  async durable(): Promise<void> {
    await this.#gateway?.durable({ reason: "gateway stopping", deadlineMs: stopBudgetMs });
  }

  /** Announces, writes what must be durable, stops in reverse, closes sockets with 1012. Ends a drain at once. Idempotent. */
  stop(reason = "gateway stopping"): Promise<void> {
    this.#stopping ??= (async () => {
      this.#statusTimer?.cancel();
      this.#reloader.stop();
      // A generation that is being replaced comes to its end first.
      await this.restarts.stop();
      this.#statusTimer?.cancel();
      const gateway = this.#gateway;
      this.#gateway = undefined;
      if (gateway) await gateway.stop({ reason, deadlineMs: stopBudgetMs });
      await this.#exposure.stop(stopBudgetMs / 5);
      await this.#writeStatus("stopped", gateway);
      this.#safe.stop();
      await this.#listener.close();
      this.#lock.release();
      this.flushLog();
    })();
    return this.#stopping;
  }

  /** Never rejects: a store that cannot even be asked how it is must not end the process that tells so. */
  async #writeStatus(state: StatusFile["state"], gateway = this.#gateway): Promise<void> {
    try {
      await writeStatusFile(this.state, {
        pid: this.world.pid,
        version: this.#options.version,
        host: this.#endpoint.host,
        port: this.#listener.port,
        startedAt: this.#startedAt,
        writtenAt: this.world.now(),
        state,
        configPath: configPath(this.world),
        logFile: this.logFile(),
        problems: gateway?.problems() ?? [],
      });
    } catch (error) {
      this.log.warn("status file not written", { error });
    }
  }
}

interface Candidate {
  snapshot: ConfigSnapshot;
  endpoint: Endpoint;
}

/** What cannot change without binding anew. */
const bindingOf = ({ host, port, tls }: Endpoint): string => JSON.stringify([host, port, tls]);

function register(endpoint: Endpoint, redactor: Redactor): void {
  for (const secret of [endpoint.auth.token, endpoint.auth.password]) if (secret) redactor.add(secret);
}

/** Resolves when the running turns are over, the budget is used up, or nobody wants the restart any more. */
async function drained(gateway: Gateway, budgetMs: number, cancelled: AbortSignal): Promise<void> {
  const called = new Promise<void>((resolve) => {
    if (cancelled.aborted) resolve();
    else cancelled.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([gateway.drain(budgetMs), called]);
}
