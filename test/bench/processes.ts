/** Real processes in their own home: the built gateway, and the floor beside it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const root = dirname(dirname(here));
export const gatewayMain = join(root, "packages/gateway/dist/main.js");
/** What the launcher gives the runtime. */
export const nodeFlags = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=4"];
export const token = "bench-token-0123456789abcdef";

/** A home directory with a config, and the environment that points at it. */
export interface Home {
  path: string;
  stateDir: string;
  env: NodeJS.ProcessEnv;
  remove(): void;
}

export function createHome(config: Record<string, unknown> = {}): Home {
  const path = mkdtempSync(join(tmpdir(), "openclaw-bench-"));
  const stateDir = join(path, ".openclaw");
  mkdirSync(stateDir, { mode: 0o700 });
  const gateway = { mode: "local", auth: { mode: "token", token } };
  writeFileSync(join(stateDir, "openclaw.json"), JSON.stringify({ gateway, ...config }), { mode: 0o600 });
  // Nothing of the person who runs this: no keys, no other gateway.
  const env = { PATH: process.env.PATH, HOME: path, OPENCLAW_STATE_DIR: stateDir, NO_COLOR: "1" };
  return { path, stateDir, env, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export interface Running {
  url: string;
  port: number;
  pid: number;
  /** `performance.now()` at spawn. */
  spawnedAt: number;
  stop(): Promise<void>;
}

const startMs = 30_000;

/** Resolves when the process says where it listens. Throws with its output when it does not. */
async function listening(child: ChildProcess, spawnedAt: number): Promise<Running> {
  let output = "";
  const address = await new Promise<{ url: string; port: number }>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${why}:\n${output}`));
    const deadline = setTimeout(() => fail("did not listen in time"), startMs);
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const match = /listening on (wss?:\/\/[^\s:]+:(\d+))/.exec(output);
      if (match?.[1]) resolve({ url: match[1], port: Number(match[2]) });
      if (match) clearTimeout(deadline);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", (code) => fail(`ended with ${code} before it listened`));
  });
  // What comes later must be drained, not kept.
  child.stdout?.removeAllListeners("data").resume();
  child.stderr?.removeAllListeners("data").resume();
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    const kill = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await gone;
    clearTimeout(kill);
  };
  return { ...address, pid: child.pid ?? 0, spawnedAt, stop };
}

export async function startGateway(home: Home, nodeArgs: readonly string[] = []): Promise<Running> {
  const port = await freePort();
  const spawnedAt = performance.now();
  const args = [...nodeFlags, ...nodeArgs, gatewayMain, "gateway", "run", "--port", String(port)];
  return listening(
    spawn(process.execPath, args, { env: home.env, cwd: home.path, stdio: ["ignore", "pipe", "pipe"] }),
    spawnedAt,
  );
}

export async function startFloor(): Promise<Running> {
  const spawnedAt = performance.now();
  return listening(
    spawn(process.execPath, [join(here, "floor.mjs")], { stdio: ["ignore", "pipe", "pipe"] }),
    spawnedAt,
  );
}
