/** What a command takes from outside: streams, environment, clock, Ctrl-C. `World` would do, but loads the process spawner,
 *  which costs a one-shot command more than the rest of it. Tests pass their own. */
import type { World } from "../kernel/world.ts";

export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Undefined when not a terminal. */
  readonly columns: number | undefined;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Profile flags and dotenv files add to it before a command runs. */
  readonly env: Record<string, string | undefined>;
  readonly platform: string;
  readonly pid: number;
  /** What process lists show; arguments, and secrets among them, disappear from there. */
  setTitle(title: string): void;
  cwd(): string;
  homedir(): string;
  hostname(): string;
  /** ms since the epoch. */
  now(): number;
  /** ms of a clock that never jumps. */
  monotonic(): number;
  after(ms: number, run: () => void): () => void;
  random(): number;
  uuid(): string;
  /** IPv4 addresses of this machine's interfaces. */
  addresses(): string[];
  /** Ctrl-C. Returns a function that gives the signal back its usual meaning. */
  onInterrupt(run: () => void): () => void;
  /** Whether a reader that closed stdout ends the program (true at first). A gateway keeps running. */
  endOnBrokenPipe: boolean;
  /** Puts a question to the person at the terminal; resolves with undefined at the end of the input. Absent when nobody sits
   *  there. */
  readonly ask?: ((question: string) => Promise<string | undefined>) | undefined;
  /** Folder that stands for `/` where the machine's own files are looked at, and the account; only tests have one. */
  readonly machine?: { root: string; uid: number } | undefined;
  /** The full World, for the commands that start a gateway or write files. */
  world(): Promise<World>;
}

/** The real one. Everything that costs time to touch is touched on first use. */
export function processIo(): Io {
  const os = () => process.getBuiltinModule("node:os");
  const output = (name: "stdout" | "stderr"): Output => {
    let stream: NodeJS.WriteStream | undefined;
    const open = () => {
      if (stream) return stream;
      stream = process[name];
      stream.on("error", ({ code = "" }: NodeJS.ErrnoException) => {
        if (!io.endOnBrokenPipe) return;
        // EPIPE and EIO: the reader is gone. There is nobody left to tell.
        if (code === "EPIPE" || code === "EIO") process.exit(0);
        // A disk that is full: a script must not take half of an answer for the whole.
        if (name === "stdout") process.stderr.write(`The output could not be written (${code}).\n`);
        process.exit(1);
      });
      return stream;
    };
    return {
      write: (text) => void open().write(text),
      get isTTY() {
        return open().isTTY === true;
      },
      get columns() {
        return open().columns;
      },
    };
  };
  const io: Io = {
    stdout: output("stdout"),
    stderr: output("stderr"),
    env: process.env,
    platform: process.platform,
    pid: process.pid,
    setTitle(title) {
      process.title = title;
    },
    cwd: () => process.cwd(),
    homedir: () => process.env.HOME || os().homedir(),
    hostname: () => os().hostname(),
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after(ms, run) {
      const handle = setTimeout(run, ms);
      return () => clearTimeout(handle);
    },
    random: () => Math.random(),
    uuid: () => process.getBuiltinModule("node:crypto").randomUUID(),
    addresses() {
      const found = Object.values(os().networkInterfaces()).flat();
      return found.flatMap((entry) => (entry && entry.family === "IPv4" ? [entry.address] : []));
    },
    onInterrupt(run) {
      process.on("SIGINT", run);
      return () => void process.off("SIGINT", run);
    },
    endOnBrokenPipe: true,
    get ask() {
      return process.stdin.isTTY ? askOnTerminal : undefined;
    },
    world: async () => (await import("../kernel/world.ts")).systemWorld(),
  };
  return io;
}

/** The question goes to stderr, so that a redirected stdout stays clean. */
function askOnTerminal(question: string): Promise<string | undefined> {
  const { createInterface } = process.getBuiltinModule("node:readline");
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    reader.once("close", () => resolve(undefined));
    reader.once("SIGINT", () => reader.close());
    reader.question(question, (answer) => {
      resolve(answer);
      reader.close();
    });
  });
}
