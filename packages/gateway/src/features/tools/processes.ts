/** Processes: every command exec started. Each runs in its own process group, is written down for the next generation, and
 *  dies with its run, its timeout or the gateway: SIGTERM, then SIGKILL to the group (R-PROC-1 to R-PROC-4, R-STOP-2). */
import { closeSync, openSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { ConfigSource } from "../../config/section.ts";
import type { Service } from "../../kernel/lifecycle.ts";
import type { Logger } from "../../kernel/log.ts";
import type { Timer, World } from "../../kernel/world.ts";
import { groupRuns, inheritedDescriptors, signalGroup, startChild } from "./child.ts";
import { type ChildLedger, processStartTime } from "./leftovers.ts";
import { plainText } from "./output-tail.ts";
import { ProcessSession } from "./process-session.ts";
import type { ToolsConfig } from "./tools.config.ts";

const maxForeground = 32;
const maxBackground = 32;
const maxFinished = 32;
const noticeTailChars = 400;
const groupPollMs = 50;
/** After SIGKILL only processes stuck in the kernel remain; they are not waited for any longer. */
const forcedEndMs = 1_000;

export interface ProcessesOptions {
  world: World;
  log: Logger;
  config: ConfigSource<{ tools: ToolsConfig }>;
  /** Queues a line for the session's next prompt; the run may be long over. */
  systemEvent?: (sessionKey: string, text: string) => void;
  ledger?: ChildLedger;
}

export interface LaunchRequest {
  agentId: string;
  sessionKey: string;
  command: string;
  cwd: string;
  env: Record<string, string>;
  terminal: boolean;
  input: boolean;
  background: boolean;
  /** No limit when undefined. */
  timeoutMs: number | undefined;
}

export class Processes implements Service {
  readonly name = "processes";
  readonly #options: ProcessesOptions;
  readonly #sessions = new Map<string, ProcessSession>();
  readonly #timers = new Map<string, Timer>();
  /** Groups being ended; each entry resolves when nothing of the group is left. */
  readonly #ending = new Map<number, Promise<void>>();
  #inherited: readonly number[] | undefined;
  #nullDescriptor: number | undefined;
  #starting = 0;
  #stopped = false;

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** Starts a command. Throws with a text for the model when there is no room, no such directory or no shell. */
  async launch(request: LaunchRequest): Promise<ProcessSession> {
    const { world, log } = this.#options;
    if (this.#stopped) throw new Error("the gateway is stopping; no command was started");
    const limit = request.background ? maxBackground : maxForeground;
    if (this.#running(request.background) + this.#starting >= limit) {
      throw new Error(
        `${limit} ${request.background ? "background" : "foreground"} commands are running already. End one with process kill, or wait.`,
      );
    }
    this.#starting++;
    try {
      const directory = await stat(request.cwd).catch(() => undefined);
      if (!directory?.isDirectory()) throw new Error(`the working directory ${request.cwd} does not exist`);
      const started = world.monotonic();
      const session = new ProcessSession({
        sessionId: this.#newId(),
        agentId: request.agentId,
        sessionKey: request.sessionKey,
        command: request.command,
        cwd: request.cwd,
        startedAt: world.now(),
      });
      session.background = request.background;
      const child = await startChild(world, log, {
        ...request,
        inherited: (this.#inherited ??= inheritedDescriptors(world.platform)),
        nullDescriptor: () => (this.#nullDescriptor ??= openSync("/dev/null", "r+")),
        onOutput: (text) => session.receive(text),
        onExit: (exit) => this.#exited(session, { ...exit, durationMs: Math.round(world.monotonic() - started) }),
      });
      session.child = child;
      session.terminal = child.terminal;
      session.terminalMissing = request.terminal && !child.terminal;
      const startTime = processStartTime(child.pid, world.platform);
      this.#options.ledger?.recordChild({ pid: child.pid, ...(startTime === undefined ? {} : { startTime }) });
      this.#sessions.set(session.facts.sessionId, session);
      if (request.timeoutMs !== undefined) {
        this.#timers.set(
          session.facts.sessionId,
          world.after(request.timeoutMs, () => {
            session.timedOut = true;
            void this.end(session);
          }),
        );
      }
      if (this.#stopped) void this.end(session);
      return session;
    } finally {
      this.#starting--;
    }
  }

  /** Lets a command go on after its run. False when there is no room for another one in the background. */
  moveToBackground(session: ProcessSession): boolean {
    if (this.#running(true) >= maxBackground) return false;
    session.background = true;
    return true;
  }

  /** A command of this agent; another agent's does not exist for it. */
  get(agentId: string, sessionId: string): ProcessSession | undefined {
    const session = this.#sessions.get(sessionId);
    return session?.facts.agentId === agentId ? session : undefined;
  }

  /** Background commands of this agent, running and finished, oldest first. */
  list(agentId: string): ProcessSession[] {
    return [...this.#sessions.values()].filter((session) => session.background && session.facts.agentId === agentId);
  }

  /** Ends a command and its whole group. Resolves when the group is gone; idempotent. */
  async end(session: ProcessSession): Promise<void> {
    const { child } = session;
    if (!child) return;
    if (!session.timedOut) session.killed = true;
    await this.#endGroup(child.pid);
  }

  /** Forgets a finished command. */
  forget(session: ProcessSession): void {
    if (session.exit) this.#drop(session.facts.sessionId);
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    const graceMs = Math.min(this.#options.config.current.tools.exec.killGraceMs, Math.max(0, deadlineMs - 500));
    for (const session of this.#sessions.values()) {
      if (!session.child) continue;
      session.killed = true;
      void this.#endGroup(session.child.pid, graceMs);
    }
    await Promise.all(this.#ending.values());
    for (const id of this.#sessions.keys()) this.#drop(id);
    if (this.#nullDescriptor !== undefined) closeSync(this.#nullDescriptor);
    this.#nullDescriptor = undefined;
  }

  #running(background: boolean): number {
    let count = 0;
    for (const session of this.#sessions.values()) if (session.child && session.background === background) count++;
    return count;
  }

  #newId(): string {
    for (;;) {
      const id = this.#options.world.randomBytes(4).toString("hex");
      if (!this.#sessions.has(id)) return id;
    }
  }

  #exited(session: ProcessSession, exit: { exitCode: number | null; signal: string | null; durationMs: number }): void {
    const { world, config, ledger } = this.#options;
    const { exec } = config.current.tools;
    const { pid } = session;
    const id = session.facts.sessionId;
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
    const leftBehind = pid > 0 && groupRuns(world, pid);
    if (leftBehind) void this.#endGroup(pid);
    else ledger?.forgetChild(pid);
    session.finish({
      ...exit,
      timedOut: session.timedOut,
      killed: session.killed,
      leftBehind: leftBehind && !session.killed && !session.timedOut,
    });
    if (!session.background) return this.#drop(id);
    this.#timers.set(
      id,
      world.after(exec.cleanupMs, () => this.#drop(id)),
    );
    const finished = [...this.#sessions.values()].filter((other) => other.exit);
    for (const old of finished.slice(0, -maxFinished)) this.#drop(old.facts.sessionId);
    if (exec.notifyOnExit && !this.#stopped) this.#notify(session);
  }

  #notify(session: ProcessSession): void {
    const tail = plainText(session.output.tail(noticeTailChars * 2))
      .trim()
      .slice(-noticeTailChars)
      .toWellFormed();
    const text = `exec finished (session ${session.facts.sessionId}, ${session.status()})${tail === "" ? "" : `: ${tail}`}`;
    try {
      this.#options.systemEvent?.(session.facts.sessionKey, text);
    } catch (error) {
      this.#options.log.warn("the end of a background command could not be announced", { error });
    }
  }

  #drop(id: string): void {
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
    this.#sessions.delete(id);
  }

  #endGroup(pid: number, graceMs = this.#options.config.current.tools.exec.killGraceMs): Promise<void> {
    const running = this.#ending.get(pid);
    if (running) return running;
    const { world, ledger } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ending.set(pid, promise);
    const forceAt = world.monotonic() + graceMs;
    const giveUpAt = forceAt + forcedEndMs;
    let forced = false;
    const look = () => {
      const now = world.monotonic();
      if (!groupRuns(world, pid) || now >= giveUpAt) {
        this.#ending.delete(pid);
        ledger?.forgetChild(pid);
        return resolve();
      }
      if (now >= forceAt && !forced) {
        forced = true;
        signalGroup(world, pid, "SIGKILL");
      }
      world.after(now < forceAt ? Math.min(groupPollMs, forceAt - now) : groupPollMs, look);
    };
    signalGroup(world, pid, "SIGTERM");
    world.after(1, look);
    return promise;
  }
}
