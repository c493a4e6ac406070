/** `openclaw setup` (settled.md 11): config, token, workspace and store folder. Adds what is missing, never overwrites, and says
 *  what it wrote. */
import { mkdirSync } from "node:fs";
import { readConfig, editConfigFile, describeIssues, type Edit } from "../config/index.ts";
import { configPath, defaultWorkspace, displayPath, expandHome, stateDir } from "../kernel/paths.ts";
import { systemWorld, type World } from "../kernel/world.ts";
import { GatewayError } from "@openclaw/protocol";
import { Workspaces } from "../features/agents/index.ts";
import { silentLogger } from "../kernel/log.ts";
import { declared, type EffectiveConfig } from "./sections.ts";

export interface SetupOptions {
  workspace?: string;
  mode?: "local" | "remote";
}

/** Lines for the person at the terminal. Throws GatewayError when the present config is broken. */
export async function runSetup(options: SetupOptions = {}, world: World = systemWorld()): Promise<string[]> {
  const path = configPath(world);
  const show = (file: string) => displayPath(file, world);
  const before = readConfig(path, world, declared);
  if (before.verdict !== "missing" && before.verdict !== "ok") {
    throw new GatewayError(
      "invalid",
      `${describeIssues(before)}\nRepair the file, or move it away and run setup again.`,
    );
  }
  const authored = before.parsed as {
    gateway?: { mode?: string; auth?: { token?: string; password?: string } };
    agents?: { defaults?: { workspace?: string } };
  };
  const edits: Edit[] = [];
  if (!authored.gateway?.mode) edits.push({ path: ["gateway", "mode"], value: options.mode ?? "local" });
  const secret = authored.gateway?.auth?.token ?? authored.gateway?.auth?.password;
  if (!secret && !world.env.OPENCLAW_GATEWAY_TOKEN && !world.env.OPENCLAW_GATEWAY_PASSWORD) {
    edits.push({ path: ["gateway", "auth", "token"], value: world.randomBytes(24).toString("hex") });
  }
  const workspace = expandHome(
    options.workspace ?? authored.agents?.defaults?.workspace ?? defaultWorkspace(world),
    world,
  );
  if (options.workspace || !authored.agents?.defaults?.workspace) {
    edits.push({ path: ["agents", "defaults", "workspace"], value: show(workspace) });
  }
  const lines: string[] = [];
  if (edits.length > 0) {
    await editConfigFile(path, edits, world, declared);
    lines.push(`Wrote ${show(path)}: ${edits.map((edit) => edit.path.join(".")).join(", ")}`);
  } else lines.push(`Config OK: ${show(path)}`);

  const config = readConfig(path, world, declared).config as EffectiveConfig;
  const created = await new Workspaces(world, silentLogger).setUp(workspace, {
    skipBootstrap: config.agents.defaults.skipBootstrap,
  });
  lines.push(`Workspace OK: ${show(workspace)}${created.length > 0 ? ` (created ${created.join(", ")})` : ""}`);
  mkdirSync(stateDir(world), { recursive: true, mode: 0o700 });
  lines.push(`Sessions OK: ${show(stateDir(world))}`);
  return lines;
}
