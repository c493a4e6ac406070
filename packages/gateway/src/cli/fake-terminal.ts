/** For tests: the command line in this process, against a scripted gateway, with a home of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { systemWorld } from "../kernel/world.ts";
import { fakeGateway } from "../../../client/src/fake-gateway.ts";
import type { FakeGateway, Peer, Request } from "../../../client/src/fake-gateway.ts";
import type { Io } from "./io.ts";
import { runCli } from "./run-cli.ts";

/** Changes with every test. */
export let home = "";
const cleanups: (() => unknown)[] = [];
/** A test file calls it once, at its top. */
export function withHome(): void {
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "openclaw-cli-"));
  });
  afterEach(async () => {
    for (const clean of cleanups.splice(0).toReversed()) await clean();
    rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  });
}

interface Run {
  code: number;
  out: string;
  err: string;
  env: Record<string, string | undefined>;
}

interface Setting {
  env?: Record<string, string>;
  tty?: boolean;
  columns?: number;
  /** What the person at the terminal answers to each question; after them the input ends. Absent: nobody sits there. */
  answers?: readonly string[];
  /** Linux without. */
  platform?: NodeJS.Platform;
  /** Where the machine's own files are; those of this one without. */
  machine?: { root: string; uid: number };
  /** Divides every delay. */
  speed?: number;
  /** Gets the function that presses Ctrl-C. */
  onReady?: (interrupt: () => void) => void;
}

export async function cli(words: string, setting: Setting = {}): Promise<Run> {
  return cliArgs(words.split(" ").filter(Boolean), setting);
}

export async function cliArgs(
  argv: readonly string[],
  { env = {}, tty = false, columns, answers, platform = "linux", machine, speed = 1, onReady }: Setting = {},
): Promise<Run> {
  let out = "";
  let err = "";
  const world = { ...systemWorld({ HOME: home, ...env }), platform };
  let timers = 0;
  const left = answers && [...answers];
  const interrupts = new Set<() => void>();
  const io: Io = {
    stdout: { write: (text) => void (out += text), isTTY: tty, columns },
    stderr: { write: (text) => void (err += text), isTTY: tty, columns },
    env: { HOME: home, ...env },
    platform,
    machine,
    pid: 1,
    setTitle: () => {},
    cwd: () => home,
    homedir: () => home,
    hostname: () => "box",
    now: () => 1_770_000_000_000,
    monotonic: () => performance.now(),
    after(ms, run) {
      timers += 1;
      const handle = setTimeout(run, ms / speed);
      return () => clearTimeout(handle);
    },
    random: () => 0.5,
    uuid: () => "00000000-0000-4000-8000-000000000001",
    addresses: () => [],
    onInterrupt(run) {
      interrupts.add(run);
      return () => void interrupts.delete(run);
    },
    endOnBrokenPipe: true,
    ask: left && (async (question) => ((err += question), left.shift())),
    world: async () => world,
  };
  onReady?.(() => {
    for (const run of Array.from(interrupts)) run();
  });
  const code = await runCli(argv, io);
  expect(interrupts.size).toBe(0);
  expect(timers).toBeLessThan(100);
  return { code, out, err, env: io.env };
}

export async function gateway(
  onRequest: (request: Request, peer: Peer) => boolean | void = () => {},
): Promise<FakeGateway> {
  const fake = await fakeGateway(onRequest);
  cleanups.push(() => fake.close());
  return fake;
}

export const at = (fake: FakeGateway, extra: Record<string, string> = {}) => ({
  OPENCLAW_GATEWAY_PORT: String(fake.port),
  OPENCLAW_GATEWAY_TOKEN: "T",
  ...extra,
});

/** Answers by method name. */
export const answering = (answers: Record<string, unknown>) => (request: Request, peer: Peer) => {
  if (Object.hasOwn(answers, request.method)) peer.answer(request, answers[request.method]);
  else if (request.method !== "connect")
    peer.refuse(request, { code: "INVALID_REQUEST", message: `unknown method: ${request.method}` });
};

export function writeConfig(text: string): void {
  mkdirSync(join(home, ".openclaw"), { recursive: true });
  writeFileSync(join(home, ".openclaw", "openclaw.json"), text);
}
