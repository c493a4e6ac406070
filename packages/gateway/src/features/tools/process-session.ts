/** One command of exec: its output so far, its end, and what may still be done to it. */
import { OutputTail } from "./output-tail.ts";
import type { Child } from "./child.ts";

const maxOutputChars = 200_000;
const maxUnreadChars = 30_000;

export interface Exit {
  exitCode: number | null;
  signal: string | null;
  timedOut: boolean;
  /** Ended from here: by the run's abort, by `process kill` or because the gateway stops. */
  killed: boolean;
  /** Members of its process group outlived it and were ended. */
  leftBehind: boolean;
  durationMs: number;
}

export interface SessionFacts {
  sessionId: string;
  agentId: string;
  sessionKey: string;
  command: string;
  cwd: string;
  /** Wall clock. */
  startedAt: number;
}

export class ProcessSession {
  readonly facts: SessionFacts;
  readonly output = new OutputTail(maxOutputChars);
  readonly unread = new OutputTail(maxUnreadChars);
  readonly ended: Promise<Exit>;
  readonly #end: (exit: Exit) => void;
  child: Child | undefined;
  exit: Exit | undefined;
  /** A real terminal: its output is kept raw. */
  terminal = false;
  /** A terminal was asked for and could not be had. */
  terminalMissing = false;
  /** Survives the run that started it. */
  background = false;
  timedOut = false;
  killed = false;
  /** Called at every piece of output while someone follows. */
  onOutput: (() => void) | undefined;

  constructor(facts: SessionFacts) {
    this.facts = facts;
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.ended = promise;
    this.#end = resolve;
  }

  get pid(): number {
    return this.child?.pid ?? -1;
  }

  receive(text: string): void {
    this.output.push(text);
    this.unread.push(text);
    this.onOutput?.();
  }

  finish(exit: Exit): void {
    this.exit = exit;
    this.child = undefined;
    this.onOutput = undefined;
    this.#end(exit);
  }

  /** "running", or how it ended in a few words. */
  status(): string {
    const { exit } = this;
    if (!exit) return "running";
    if (exit.timedOut) return "timed out and was ended";
    if (exit.killed) return "was ended";
    return exit.exitCode === null ? `ended by ${exit.signal ?? "a signal"}` : `exited with code ${exit.exitCode}`;
  }
}
