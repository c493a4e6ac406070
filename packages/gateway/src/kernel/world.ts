/** World: everything the gateway takes from outside. Rooms receive it; tests pass a fake one. Clock, randomness,
 *  environment, network and processes are read here and nowhere else (`test/house` checks it). */
import { randomBytes, randomUUID } from "node:crypto";
import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { arch, homedir, hostname, tmpdir } from "node:os";

export interface Timer {
  /** Idempotent. */
  cancel(): void;
}

export interface World {
  /** Wall clock, ms since the epoch: for display, cron and stored stamps only. */
  now(): number;
  /** ms of a clock that never jumps: for deadlines and intervals. */
  monotonic(): number;
  /** Calls `run` once after `ms`; delays above 2^31-1 ms are chained. Does not keep the process alive. */
  after(ms: number, run: () => void): Timer;
  /** Calls `run` every `ms`. Does not keep the process alive. */
  every(ms: number, run: () => void): Timer;
  /** Resolves after `ms`. Keeps the process alive, unlike the timers above: for waits before anything is open. */
  sleep(ms: number): Promise<void>;
  /** A random UUID v4. */
  uuid(): string;
  randomBytes(size: number): Buffer;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly nodeVersion: string;
  hostname(): string;
  /** `HOME`, else the account's home directory. */
  homedir(): string;
  tmpdir(): string;
  cwd(): string;
  fetch(input: string | URL, init?: RequestInit): Promise<Response>;
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** A named crash point (reliability.md §4.0). Does nothing in the real World. */
  mark(name: string): void;
}

const maxDelayMs = 2 ** 31 - 1;

function after(ms: number, run: () => void): Timer {
  let left = Math.max(0, ms);
  let handle: NodeJS.Timeout;
  const arm = () => {
    const step = Math.min(left, maxDelayMs);
    left -= step;
    handle = setTimeout(() => (left > 0 ? arm() : run()), step);
    handle.unref();
  };
  arm();
  return { cancel: () => clearTimeout(handle) };
}

export function systemWorld(env: Readonly<Record<string, string | undefined>> = process.env): World {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after,
    every(ms, run) {
      const handle = setInterval(run, ms);
      handle.unref();
      return { cancel: () => clearInterval(handle) };
    },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    uuid: () => randomUUID(),
    randomBytes: (size) => randomBytes(size),
    env,
    pid: process.pid,
    platform: process.platform,
    arch: arch(),
    nodeVersion: process.version,
    hostname: () => hostname(),
    homedir: () => env.HOME || homedir(),
    tmpdir: () => tmpdir(),
    cwd: () => process.cwd(),
    fetch: (input, init) => fetch(input, init),
    spawn: (command, args, options) => spawn(command, [...args], options),
    mark: () => {},
  };
}
