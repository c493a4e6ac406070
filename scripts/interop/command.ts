/** Runs one command of a client in a home of its own, with or without a terminal. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { bin } from "../root.ts";
import type { Case } from "./cases.ts";

export interface Outcome {
  /** Exit code, the name of the signal, or "timeout". */
  exit: number | string;
  /** Both streams; of a terminal what was drawn, without control sequences. */
  output: string;
}

const timeoutMs = 90_000;

/** A home below `parent` with a config that names the gateway. Kept from command to command, as a person's is: the second one
 *  finds the device identity and the token of the first. */
export function clientHome(parent: string, gateway: { port: number; token: string }, mode: "local" | "remote"): string {
  const home = join(parent, `client-${mode}`);
  const { port, token } = gateway;
  const config =
    mode === "local"
      ? { gateway: { mode, port, auth: { mode: "token", token } } }
      : { gateway: { mode, remote: { url: `ws://127.0.0.1:${port}`, token } } };
  const state = join(home, ".openclaw");
  mkdirSync(state, { mode: 0o700, recursive: true });
  writeFileSync(join(state, "openclaw.json"), JSON.stringify(config), { mode: 0o600 });
  return home;
}

export function runCommand(entry: string, home: string, item: Case): Promise<Outcome> {
  const [file, args] = item.types
    ? inTerminal([bin("node"), entry, ...item.command])
    : [bin("node"), [entry, ...item.command]];
  const child = spawn(file, args, {
    cwd: home,
    env: environment(home),
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const pending = [...(item.types ?? [])];
  let output = "";
  let mark = 0;
  const hear = (chunk: Buffer) => {
    output += chunk.toString("utf8");
    const next = pending[0];
    if (!next || !next.once.test(plain(output.slice(mark)))) return;
    pending.shift();
    mark = output.length;
    child.stdin.write(next.keys);
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  child.stdin.on("error", () => {
    // The command ended while keys were on their way; its exit code tells the rest.
  });
  if (!item.types) child.stdin.end();
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      // The group: a client may have started a process of its own.
      if (child.pid) process.kill(-child.pid, "SIGKILL");
    }, timeoutMs);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({
        exit: late ? "timeout" : (code ?? signal ?? "unknown"),
        output: plain(output),
      });
    });
  });
}

/** `script` gives the command a terminal of 120 x 40 and passes its exit code on. */
function inTerminal(command: string[]): [string, string[]] {
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  return [
    "script",
    ["--quiet", "--flush", "--return", "--command", `stty cols 120 rows 40; exec ${quoted}`, "/dev/null"],
  ];
}

/** Nothing of the caller's but PATH; what is known to reach out is switched off. */
function environment(home: string): Record<string, string> {
  return {
    HOME: home,
    TMPDIR: home,
    PATH: [dirname(bin("node")), process.env.PATH].join(delimiter),
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
    NO_COLOR: "1",
    CI: "1",
    OPENCLAW_SKIP_UPDATE_CHECK: "1",
    OPENCLAW_NO_UPDATE_CHECK: "1",
    NO_UPDATE_NOTIFIER: "1",
    // Whatever still wants the internet finds a closed port instead.
    HTTP_PROXY: "http://127.0.0.1:9",
    HTTPS_PROXY: "http://127.0.0.1:9",
    NO_PROXY: "127.0.0.1,localhost",
    npm_config_registry: "http://127.0.0.1:9",
  };
}

/** Text without terminal control sequences. */
function plain(text: string): string {
  return text
    .replaceAll(
      /\u001B\][^\u0007\u001B]*(?:\u0007|\u001B\\)|\u001B[_P^][^\u001B]*\u001B\\|\u001B\[[0-9;?<>=]*[ -/]*[@-~]|\u001B./gu,
      "",
    )
    .replaceAll("\r\n", "\n");
}
