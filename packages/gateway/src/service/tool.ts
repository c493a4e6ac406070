/** Runs a service manager's command-line tool to its end: bounded in time and output, in its C locale, never through a shell. */
import type { World } from "../kernel/world.ts";

export interface Ran {
  /** Null when it did not end in time. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** It could not be started: usually there is no such program. */
  missing: boolean;
}

export interface ToolOptions {
  timeoutMs?: number;
  env?: Readonly<Record<string, string | undefined>>;
  /** The person at the terminal may be asked for a password. */
  interactive?: boolean;
}

const toolTimeoutMs = 10_000;
const maxChars = 262_144;

/** Never rejects. */
export function runTool(
  world: Pick<World, "spawn" | "env" | "after">,
  command: string,
  args: readonly string[],
  { timeoutMs = toolTimeoutMs, env = {}, interactive = false }: ToolOptions = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    let stdout = "";
    let stderr = "";
    const notStarted = (error: unknown) =>
      resolve({
        code: null,
        stdout: "",
        stderr: error instanceof Error ? error.message : String(error),
        missing: true,
      });
    let child: ReturnType<World["spawn"]>;
    try {
      child = world.spawn(command, args, {
        env: { ...world.env, LC_ALL: "C", SYSTEMD_COLORS: "0", SYSTEMD_PAGER: "", ...env },
        stdio: interactive ? "inherit" : ["ignore", "pipe", "pipe"],
      });
    } catch (error) {
      // Some failures are thrown, others are events: a file that is being written, words that are too long.
      return notStarted(error);
    }
    const timer = world.after(timeoutMs, () => child.kill("SIGKILL"));
    child.stdout?.on("data", (chunk: Buffer) => (stdout = (stdout + chunk.toString("utf8")).slice(-maxChars)));
    child.stderr?.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString("utf8")).slice(-maxChars)));
    child.once("error", (error) => {
      timer.cancel();
      notStarted(error);
    });
    child.once("close", (code) => {
      timer.cancel();
      resolve({ code, stdout, stderr, missing: false });
    });
  });
}

/** What a tool said about its failure, in one line. */
export function complaint({ stdout, stderr, code }: Ran): string {
  const text = (stderr.trim() || stdout.trim()).split("\n").map((line) => line.trim());
  const said = text.filter(Boolean).join(" ").slice(0, 400);
  return said || (code === null ? "no answer in time" : `exit code ${code}`);
}
