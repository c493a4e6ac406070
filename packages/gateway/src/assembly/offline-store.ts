/** The store for commands that run without a gateway (R-DB-1): they take the lock of the state directory first, and say who
 *  holds it when it is held. */
import { join } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import { describeIssues, readConfig } from "../config/index.ts";
import { AgentDirectory } from "../features/agents/index.ts";
import type { KeyHome } from "../features/sessions/index.ts";
import { silentLogger } from "../kernel/log.ts";
import { commandLine, configPath, stateDir } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import { openStateLock, openStore, StateLockedError, type SqliteStore, type StateLock } from "../store/index.ts";
import { storeMigrations } from "./migrations.ts";
import { declared, type EffectiveConfig } from "./sections.ts";
import { readStatusFile } from "./status-file.ts";

export interface OfflineSettings {
  directory: AgentDirectory;
  keys: KeyHome;
}

/** What of the config such a command needs. Throws GatewayError("invalid") when it is broken. */
export function offlineSettings(world: World): OfflineSettings {
  const snapshot = readConfig(configPath(world), world, declared);
  if (snapshot.verdict !== "ok" && snapshot.verdict !== "missing")
    throw new GatewayError("invalid", describeIssues(snapshot));
  const current = snapshot.config as EffectiveConfig;
  const directory = new AgentDirectory({ current }, { ...world, env: snapshot.env });
  return { directory, keys: { scope: current.session.scope, defaultAgent: directory.defaultId() } };
}

/** Runs `work` with the store open and the state directory locked. Throws GatewayError("conflict") while a gateway runs. */
export async function withOfflineStore<T>(world: World, work: (store: SqliteStore) => Promise<T>): Promise<T> {
  const lock = takeLock(stateDir(world), world);
  try {
    const store = openStore({
      path: join(stateDir(world), "openclaw.db"),
      migrations: storeMigrations,
      world,
      log: silentLogger,
    });
    try {
      return await work(store);
    } finally {
      store.close();
    }
  } finally {
    lock.release();
  }
}

function takeLock(state: string, world: World): StateLock {
  try {
    return openStateLock(state);
  } catch (error) {
    if (!(error instanceof StateLockedError)) throw error;
    const owner = readStatusFile(state);
    const who = owner
      ? `pid ${owner.pid}, version ${owner.version}, ws://${owner.host}:${owner.port}, as reported`
      : "owner unknown";
    throw new GatewayError(
      "conflict",
      `A gateway is running (${who}) and owns ${state}.\nStop it (${commandLine(world, "gateway stop")}, or Ctrl-C where it runs) and run this again.`,
      { details: { code: "GATEWAY_RUNNING" } },
    );
  }
}
