/** What a command is: a row of the table, and a function loaded when the row is chosen. */
import type { Io } from "./io.ts";

export interface OptionSpec {
  /** Without the dashes. `no-x` declares the negation of a default that is on. */
  name: string;
  short?: string;
  /** Placeholder of its value; absent for a switch. */
  value?: string;
  text: string;
  /** Shown in help; the command applies it. */
  fallback?: string;
  choices?: readonly string[];
  /** May be given several times; the values are collected. */
  repeat?: boolean;
}

export interface ArgumentSpec {
  name: string;
  required?: boolean;
  /** The last one may be given several times. */
  many?: boolean;
}

export interface CommandRow {
  /** `gateway call` */
  path: string;
  summary: string;
  arguments?: readonly ArgumentSpec[];
  options?: readonly OptionSpec[];
  /** Line and what it does. */
  examples?: readonly (readonly [string, string])[];
  /** Accepted names of the last word besides its own. */
  aliases?: readonly string[];
  /** Works whatever the config says: help, diagnosis and repair. */
  anyConfig?: boolean;
  /** Absent on a group that only prints its help. */
  load?: () => Promise<CommandRun>;
}

/** Resolves with the exit code. Throws UsageError, RpcFailure or any Error; the runner prints it. */
export type CommandRun = (context: Context) => Promise<number>;

/** Option values after parsing: what was given, not the defaults. */
export class Options {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** A whole number ≥ `least`. Throws UsageError for anything else. */
  integer(name: string, fallback: number, least?: number): number;
  integer(name: string, fallback?: undefined, least?: number): number | undefined;
  integer(name: string, fallback?: number, least = 1): number | undefined {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = /^\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!(value >= least)) throw new UsageError(`Invalid --${name}: use a whole number, ${least} or more`);
    return value;
  }
}

export interface Context {
  io: Io;
  row: CommandRow;
  options: Options;
  arguments: readonly string[];
  /** `--json` was given: stdout is exactly one document. */
  json: boolean;
  print(...lines: string[]): void;
  printJson(value: unknown): void;
  /** Diagnostics: stderr. */
  note(...lines: string[]): void;
}

/** The command line is wrong; printed as it is, exit 1. */
export class UsageError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.name = "UsageError";
    this.hint = hint;
  }
}

/** The command failed in a way that needs no prefix; exit 1. `extra` joins the JSON document of `--json`. */
export class CommandError extends Error {
  readonly extra: Readonly<Record<string, unknown>>;
  constructor(message: string, extra: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = "CommandError";
    this.extra = extra;
  }
}

/** Ctrl-C; exit 130, nothing printed. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}
