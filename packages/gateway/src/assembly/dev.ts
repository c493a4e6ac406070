/** `gateway --dev`: a config and a workspace to develop with, made when missing; `--reset` moves the old ones to the trash first
 *  (lifecycle.md §13.2). */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readConfig } from "../config/index.ts";
import { Workspaces } from "../features/agents/index.ts";
import { silentLogger } from "../kernel/log.ts";
import { commandLine, configPath, defaultWorkspace, displayPath, expandHome, stateDir } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import { openStateLock, StateLockedError } from "../store/index.ts";
import { declared, type EffectiveConfig } from "./sections.ts";
import { StartRefused } from "./startup-checks.ts";
import { moveToTrash } from "./trash.ts";

/** What holds credentials, sessions and pairing; logs and TLS keys stay. */
const statePieces = ["credentials", "agents", "openclaw.db", "openclaw.db-wal", "openclaw.db-shm"];

const identityFile = `# IDENTITY.md

- Name: C3-PO
- Theme: protocol droid
- Emoji: 🤖

The agent of the development profile: fluent in many forms of communication, and easily worried about the code it is run from.
`;

/** Lines for the person at the terminal. With `reset` throws StartRefused while a gateway runs on the state, or when neither
 *  the profile `dev` nor a state directory of one's own is active. */
export async function prepareDev(options: { reset: boolean }, world: World): Promise<string[]> {
  const show = (path: string) => displayPath(path, world);
  const lines = options.reset
    ? reset(world).map(([from, to]) => `Moved to the trash: ${show(from)} (now ${show(to)})`)
    : [];
  const path = configPath(world);
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${JSON.stringify(devConfig(world), null, 2)}\n`, { mode: 0o600, flag: "wx", flush: true });
  }
  lines.push(`Dev config ready: ${show(path)}`);
  const workspace = workspaceOf(world);
  // One that is there is somebody's: nothing is added to it.
  if (!existsSync(workspace)) {
    mkdirSync(workspace, { recursive: true, mode: 0o700 });
    // With a file of its own in it the workspace is not new, so no first-run conversation is prepared (BOOTSTRAP.md).
    writeFileSync(join(workspace, "IDENTITY.md"), identityFile, { mode: 0o600, flag: "wx" });
    await new Workspaces(world, silentLogger).setUp(workspace, { skipBootstrap: false });
  }
  lines.push(`Dev workspace ready: ${show(workspace)}`);
  return lines;
}

function devConfig(world: World): Record<string, unknown> {
  const workspace = displayPath(defaultWorkspace(world), world);
  return {
    gateway: {
      mode: "local",
      bind: "loopback",
      // Nothing starts without a secret, loopback or not.
      auth: { mode: "token", token: world.randomBytes(24).toString("hex") },
    },
    agents: {
      defaults: { workspace, skipBootstrap: true },
      list: [
        { id: "dev", default: true, workspace, identity: { name: "C3-PO", theme: "protocol droid", emoji: "🤖" } },
      ],
    },
  };
}

/** As the config says; a config that cannot be read is refused by the start that follows. */
function workspaceOf(world: World): string {
  const { verdict, config } = readConfig(configPath(world), world, declared);
  const named = verdict === "ok" ? (config as EffectiveConfig).agents.defaults.workspace : undefined;
  return expandHome(named ?? defaultWorkspace(world), world);
}

/** What was moved, and where it is now. */
function reset(world: World): [from: string, to: string][] {
  const profile = world.env.OPENCLAW_PROFILE;
  const ownPlace = !profile && Boolean(world.env.OPENCLAW_STATE_DIR);
  // A flag typed after the command selects no profile: one forgotten word must not move somebody's main gateway away.
  if (profile !== "dev" && !ownPlace) {
    throw new StartRefused(
      `--reset moves a development gateway away, but the active profile is ${profile || "the main one"}. Use: openclaw --dev gateway --dev --reset`,
    );
  }
  const state = stateDir(world);
  // Only the default workspace goes: a config may point at a checkout full of somebody's work.
  const pieces = [configPath(world), ...statePieces.map((name) => join(state, name)), defaultWorkspace(world)];
  const move = () =>
    pieces.flatMap((from): [string, string][] => {
      const to = moveToTrash(from, world);
      return to === undefined ? [] : [[from, to]];
    });
  if (!existsSync(state)) return move();
  let lock: ReturnType<typeof openStateLock>;
  try {
    lock = openStateLock(state);
  } catch (error) {
    if (!(error instanceof StateLockedError)) throw error;
    throw new StartRefused(
      `A gateway is running on ${displayPath(state, world)}. Stop it before --reset: ${commandLine(world, "gateway stop")}`,
    );
  }
  try {
    return move();
  } finally {
    lock.release();
  }
}
