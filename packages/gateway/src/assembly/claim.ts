/** What a start must get hold of before anything is written: a usable state directory, its lock, the port (R-OWN-1, R-OWN-3,
 *  R-OWN-4). Throws StartFailed with the text for the terminal. */
import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import type { Logger } from "../kernel/log.ts";
import { commandLine } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import { ListenError, Listener } from "../server/index.ts";
import { openStateLock, StateLockedError, type StateLock } from "../store/index.ts";
import { StartFailed, type Endpoint } from "./startup-checks.ts";
import { holdersOf, portLines } from "./doctor/listeners.ts";
import { readStatusFile, type StatusFile } from "./status-file.ts";
import { loadTls } from "./tls.ts";

/** R-CON-2: one line with path, owner needed and command. */
export function ensureStateDir(state: string, world: World): void {
  try {
    mkdirSync(state, { recursive: true, mode: 0o700 });
    accessSync(state, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const uid = process.getuid?.() ?? 0;
    const gid = process.getgid?.() ?? 0;
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new StartFailed(
      `State directory ${state} cannot be written (${code}). It must belong to ${uid}:${gid}: chown -R ${uid}:${gid} ${state}`,
    );
  }
  if (world.platform === "win32") return;
  const mode = statSync(state).mode & 0o777;
  if ((mode & 0o022) !== 0) {
    throw new StartFailed(
      `State directory ${state} may be written by others (mode ${mode.toString(8)}). Run: chmod 700 ${state}`,
    );
  }
}

const lockWaitMs = 5_000;
const lockPollMs = 100;

/** A second start names the owner at once when it listens; only while the owner restarts it waits (R-OWN-3). */
export async function takeLock(state: string, endpoint: Endpoint, world: World): Promise<StateLock> {
  const deadline = world.monotonic() + lockWaitMs;
  for (;;) {
    try {
      return openStateLock(state);
    } catch (error) {
      if (!(error instanceof StateLockedError)) throw error;
      const owner = readStatusFile(state);
      if (owner && (await listens(owner.host, owner.port))) throw alreadyRunning(state, owner, world);
      if (world.monotonic() >= deadline) throw alreadyRunning(state, owner, world);
      await world.sleep(lockPollMs);
    }
  }
}

function alreadyRunning(state: string, owner: StatusFile | undefined, world: World): StartFailed {
  const who = owner
    ? `pid ${owner.pid}, version ${owner.version}, ws://${owner.host}:${owner.port}, as reported`
    : "owner unknown";
  return new StartFailed(
    `gateway already running (${who}); it owns ${state}.\n${superviseHint(world)}\nOr use another profile: openclaw --profile <name> gateway.`,
  );
}

const superviseHint = (world: World): string =>
  `If the gateway is supervised, stop it with: ${commandLine(world, "gateway stop")}`;

/** lifecycle.md §2.2 step 11, §9.9: how to stop it, who holds the port, what to do instead. */
function portTaken(port: number, world: World): string {
  const lines = [superviseHint(world), `Port ${port} is already in use.`, ...portLines(holdersOf(port), world)];
  return [...lines, "Or choose another port with --port."].join("\n");
}

async function listens(host: string, port: number): Promise<boolean> {
  const { connect } = process.getBuiltinModule("node:net");
  const target = host === "0.0.0.0" ? "127.0.0.1" : host;
  return new Promise((resolve) => {
    const socket = connect({ host: target, port, timeout: 500 });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("timeout", () => done(false));
    socket.once("error", () => done(false));
  });
}

export async function bind(endpoint: Endpoint, log: Logger, world: World, state: string): Promise<Listener> {
  const tls = loadTls(endpoint.tls, state, world);
  const scheme = tls ? "wss" : "ws";
  try {
    const listener = await Listener.bind({
      host: endpoint.host,
      port: endpoint.port,
      log: log.child("listener"),
      world,
      ...(tls ? { tls } : {}),
    });
    if (tls) log.info(`TLS certificate SHA-256 fingerprint: ${tls.fingerprint}`);
    return listener;
  } catch (error) {
    if (error instanceof ListenError && error.code === "EADDRINUSE") {
      const owner = readStatusFile(state);
      const hint =
        owner?.state === "running" && owner.port === endpoint.port ? ` (last reported owner: pid ${owner.pid})` : "";
      throw new StartFailed(
        `another gateway instance is already listening on ${scheme}://${endpoint.host}:${endpoint.port}${hint}\n${portTaken(endpoint.port, world)}`,
        false,
      );
    }
    throw new StartFailed(
      `failed to bind gateway socket on ${scheme}://${endpoint.host}:${endpoint.port}: ${(error as Error).message}`,
      true,
    );
  }
}
