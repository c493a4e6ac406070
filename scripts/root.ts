/** Where the checkout is, and how scripts run other programs of it. */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Stamps, manifests and temporary output. Not committed. */
export const buildDir = join(root, ".openclaw-build");
export const bin = (name: string): string => join(root, "node_modules", ".bin", name);

export interface Finished {
  /** Exit code; 128 + n when signal n ended the process. */
  code: number;
  output: string;
}

/** Runs a program to its end and collects stdout and stderr as one text. */
export function run(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      cwd: root,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code: code ?? signalExit(signal), output: Buffer.concat(chunks).toString() }),
    );
  });
}

/** Runs a program on this terminal, passes SIGINT and SIGTERM through, and resolves to its exit code. */
export function runHere(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { cwd: root, env: options.env ?? process.env, stdio: "inherit" });
    // Ctrl-C reaches the whole foreground group: the child already has it, we only must not die before it does.
    const ignore = () => {};
    const forward = (signal: NodeJS.Signals) => child.kill(signal);
    process
      .on("SIGINT", process.stdin.isTTY ? ignore : forward)
      .on("SIGTERM", forward)
      .on("SIGHUP", forward);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      process.off("SIGINT", ignore).off("SIGINT", forward).off("SIGTERM", forward).off("SIGHUP", forward);
      resolve(code ?? signalExit(signal));
    });
  });
}

function signalExit(signal: NodeJS.Signals | null): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
  return 128 + (signal ? (numbers[signal] ?? 0) : 0);
}
