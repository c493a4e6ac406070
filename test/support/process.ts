/** A real gateway process for tests: own home, own port, killed by pid when the test is over. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
export const launcher = join(root, "packages", "gateway", "bin", "openclaw");
export const token = "test-token-0123456789abcdef";

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

export interface Home {
  path: string;
  state: string;
  /** Environment of every process of this home: nothing of the caller's but PATH. */
  env: Record<string, string>;
  /** Processes started for this home. */
  readonly children: Set<ChildProcess>;
  /** Kills what a failed test left running, then removes the folder. */
  remove(): void;
}

/** What V8 made of our modules is kept from one process to the next: a suite starts hundreds. Never where time is measured. */
export const compileCache: Record<string, string> = process.env["VITEST"]
  ? { NODE_COMPILE_CACHE: join(tmpdir(), "openclaw-test-compile-cache") }
  : {};

/** A temporary home with a config. `config` is merged over gateway.mode and token. */
export function makeHome(config: Record<string, unknown> = {}, env: Record<string, string> = {}): Home {
  const path = mkdtempSync(join(tmpdir(), "openclaw-test-"));
  const state = join(path, ".openclaw");
  const children = new Set<ChildProcess>();
  mkdirSync(state, { mode: 0o700 });
  const gateway = { mode: "local", auth: { token }, ...(config.gateway as object | undefined) };
  const agents = {
    defaults: { workspace: join(path, "workspace"), skipBootstrap: true },
    ...(config.agents as object | undefined),
  };
  writeFileSync(join(state, "openclaw.json"), JSON.stringify({ ...config, gateway, agents }), { mode: 0o600 });
  return {
    path,
    state,
    env: { PATH: process.env.PATH ?? "", HOME: path, TMPDIR: path, NO_COLOR: "1", ...compileCache, ...env },
    children,
    remove: () => {
      for (const child of children) child.kill("SIGKILL");
      rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
    },
  };
}

export interface GatewayProcess {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, then waits. */
  stop(): Promise<number | string>;
}

/** Starts `openclaw gateway` and resolves once it listens. Rejects with its output when it ends before. */
export async function startGateway(
  home: Home,
  options: { port?: number; args?: string[]; env?: Record<string, string> } = {},
): Promise<GatewayProcess> {
  const port = options.port ?? (await freePort());
  const args = ["gateway", "--port", String(port), ...(options.args ?? [])];
  const child = spawn(launcher, args, {
    cwd: home.path,
    env: { ...home.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  home.children.add(child);
  child.once("exit", () => home.children.delete(child));
  let text = "";
  let listening: () => void;
  let failed: (error: Error) => void;
  const ready = new Promise<void>((resolve, reject) => {
    listening = resolve;
    failed = reject;
  });
  const hear = (chunk: Buffer) => {
    text += chunk.toString("utf8");
    if (/listening on wss?:/u.test(text) && text.includes(`://127.0.0.1:${port} (PID`)) listening();
  };
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  const exited = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => {
      failed(new Error(`the gateway ended before it listened (${code ?? signal}):\n${text}`));
      resolve(code ?? signal ?? "unknown");
    });
  });
  await ready;
  return {
    pid: child.pid ?? 0,
    port,
    url: `ws://127.0.0.1:${port}`,
    child,
    output: () => text,
    exited,
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

export interface Ran {
  code: number | string;
  stdout: string;
  stderr: string;
}

/** Runs one CLI command to its end. */
export function runCli(
  home: Home,
  args: string[],
  options: { env?: Record<string, string>; input?: string; timeoutMs?: number } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(launcher, args, {
      cwd: home.path,
      env: { ...home.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 15_000);
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    child.stdin.on("error", () => {
      // The command ended without reading its input.
    });
    child.stdin.end(options.input ?? "");
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? signal ?? "unknown", stdout, stderr });
    });
  });
}

/** Whether the bundle has been built; `npm test` builds it first. */
export const isBuilt = (): boolean => existsSync(join(root, "packages", "gateway", "dist", "main.js"));
