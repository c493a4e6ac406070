/** A real `systemd --user` for tests, in namespaces of its own (systemd-user.sh), and commands run beside it. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launcher, type Ran } from "./process.ts";

/** It needs root for its namespaces, and systemd installed; not running. */
export const hasSystemdUser =
  process.platform === "linux" && process.getuid?.() === 0 && existsSync("/lib/systemd/systemd");

const script = join(import.meta.dirname, "systemd-user.sh");
/** Reads `<id> <command>` lines, runs each in the background, and tells `<id> <exit code>` when it ends. */
const loop = `while IFS= read -r line; do
  id=\${line%% *}
  ( eval "\${line#* }" >"$HOME/ran/$id.out" 2>"$HOME/ran/$id.err" </dev/null; echo "$id $?" ) &
done
wait`;
const commandMs = 60_000;

export class SystemdUser {
  readonly home: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<string, { ended: (code: number) => void; failed: (error: Error) => void }>();
  readonly #ended: Promise<void>;
  #next = 0;
  #log = "";

  private constructor() {
    this.home = mkdtempSync(join(tmpdir(), "openclaw-systemd-"));
    mkdirSync(join(this.home, "ran"));
    this.#child = spawn(script, ["sh", "-c", loop], {
      cwd: this.home,
      env: { HOME: this.home, PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", TMPDIR: this.home, NO_COLOR: "1" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let rest = "";
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [id = "", code] = line.split(" ");
        this.#waiting.get(id)?.ended(Number(code));
      }
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.#log += String(chunk)));
    this.#ended = new Promise((resolve) => {
      this.#child.once("exit", () => {
        for (const { failed } of this.#waiting.values()) failed(new Error(`systemd --user ended\n${this.#log}`));
        resolve();
      });
    });
  }

  /** Resolves when the manager answers. */
  static async start(): Promise<SystemdUser> {
    const user = new SystemdUser();
    const up = await user.run("systemctl --user show --property=Version");
    if (up.code !== 0) throw new Error(`systemd --user did not come up: ${up.stderr}`);
    return user;
  }

  /** Runs one line of shell in the namespace. */
  run(command: string, { timeoutMs = commandMs } = {}): Promise<Ran> {
    const id = String(++this.#next);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => failed(new Error(`no end in time: ${command}\n${this.#log}`)), timeoutMs);
      const done = () => {
        clearTimeout(late);
        this.#waiting.delete(id);
      };
      const failed = (error: Error) => {
        done();
        reject(error);
      };
      const ended = (code: number) => {
        done();
        const read = (name: string) => readFileSync(join(this.home, "ran", `${id}.${name}`), "utf8");
        resolve({ code, stdout: read("out"), stderr: read("err") });
      };
      this.#waiting.set(id, { ended, failed });
      this.#child.stdin?.write(`${id} ${command}\n`);
    });
  }

  /** Runs one command of the program. */
  openclaw(words: string, options?: { timeoutMs?: number }): Promise<Ran> {
    return this.run(`${launcher} ${words}`, options);
  }

  /** One property of a unit, as the manager tells it. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.run(`systemctl --user show ${unit} --property=${name} --value`)).stdout.trim();
  }

  /** State directory of a profile with a config of its own; returns the config's path. */
  configure(profile: string | undefined, config: unknown): string {
    const state = join(this.home, profile ? `.openclaw-${profile}` : ".openclaw");
    mkdirSync(state, { recursive: true, mode: 0o700 });
    const path = join(state, "openclaw.json");
    writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config), { mode: 0o600 });
    return path;
  }

  /** Ends the manager and everything it started. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), 20_000);
    await this.#ended;
    clearTimeout(kill);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }
}
