/** What the set-up steps know of this machine, and how they write: workspace, key, config. The config is written last and at
 *  once; what fails before leaves it as it was. */
import { mkdirSync, statSync } from "node:fs";
import { GatewayError } from "@openclaw/protocol";
import {
  describeIssues,
  editConfigFile,
  readConfig,
  replaceConfigFile,
  type ConfigSnapshot,
  type Edit,
} from "../config/index.ts";
import { Workspaces } from "../features/agents/index.ts";
import { catalogue, discoverLocal } from "../features/models/index.ts";
import type { Facts, Plan, Present, ProviderChoice, SetupPorts } from "../features/setup/index.ts";
import { silentLogger } from "../kernel/log.ts";
import { commandLine, configPath, defaultWorkspace, displayPath, expandHome, stateDir } from "../kernel/paths.ts";
import { VERSION } from "../kernel/version.ts";
import type { World } from "../kernel/world.ts";
import { inDotenv, setInDotenv } from "./dotenv.ts";
import { checkKey } from "./key-check.ts";
import { declared } from "./sections.ts";

export { configureSteps, onboardSteps, Wizard } from "../features/setup/index.ts";
export type { Draft, Step } from "../features/setup/index.ts";

export interface SetupPortOptions {
  /** Where a typed key goes: `dotenv` is read at the next start, `config` by a running gateway at once. */
  keys: "dotenv" | "config";
  /** Somebody sits there: keys are tried out, and model servers on this machine looked for. */
  interactive: boolean;
  /** For `wizard.lastRunCommand`. */
  command?: string;
}

export function setupPorts(world: World, options: SetupPortOptions): SetupPorts {
  return {
    facts: () => facts(world, options),
    checkKey: async (provider, key) => (options.interactive ? checkKey(world, provider, key) : "unknown"),
    apply: (plan) => apply(plan, world, options),
    newToken: () => world.randomBytes(24).toString("hex"),
    command: (words) => commandLine(world, words),
    workspaceProblem: (path) => workspaceProblem(expandHome(path, world)),
  };
}

async function facts(world: World, { interactive }: SetupPortOptions): Promise<Facts> {
  const path = configPath(world);
  const snapshot = readConfig(path, world, declared);
  const readable = snapshot.verdict === "ok" || snapshot.verdict === "missing";
  const parsed = readable ? (snapshot.parsed as Authored) : {};
  const offers = interactive ? await discoverLocal(world, new AbortController().signal) : [];
  return {
    configPath: displayPath(path, world),
    exists: snapshot.verdict !== "missing",
    ...(readable
      ? {}
      : {
          broken: `${describeIssues(snapshot)}\nRepair the file with ${commandLine(world, "doctor --fix")}, or start over.`,
        }),
    hash: snapshot.hash,
    present: presentOf(parsed),
    defaultWorkspace: displayPath(defaultWorkspace(world), world),
    defaultPort: portIn(world.env.OPENCLAW_GATEWAY_PORT) ?? 18_789,
    tokenInEnv: Boolean(world.env.OPENCLAW_GATEWAY_TOKEN),
    passwordInEnv: Boolean(world.env.OPENCLAW_GATEWAY_PASSWORD),
    providers: [
      ...offers.map(({ provider, name, models }) => ({ id: provider, name, models })),
      ...providersOf(parsed, snapshot.env),
    ],
  };
}

/** The file as people write it, as far as it is asked about. Judged before it is read. */
interface Authored {
  gateway?: {
    mode?: "local" | "remote";
    port?: number;
    bind?: string;
    customBindHost?: string;
    auth?: { mode?: string; token?: string; password?: string };
    remote?: { url?: string };
    tailscale?: { mode?: string };
  };
  agents?: {
    defaults?: { workspace?: string; model?: string | { primary?: string }; models?: Record<string, unknown> };
  };
  models?: { providers?: Record<string, { apiKey?: string }> };
}

function presentOf({ gateway, agents }: Authored): Present {
  const { workspace, model, models } = agents?.defaults ?? {};
  const named = typeof model === "string" ? model : model?.primary;
  const values = {
    mode: gateway?.mode,
    remoteUrl: gateway?.remote?.url,
    workspace,
    model: named,
    port: gateway?.port,
    bind: gateway?.bind,
    customBindHost: gateway?.customBindHost,
    authMode: gateway?.auth?.mode,
    tailscale: gateway?.tailscale?.mode,
  };
  return {
    ...(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Present>),
    hasToken: Boolean(gateway?.auth?.token),
    hasPassword: Boolean(gateway?.auth?.password),
    shortModel: typeof model === "string",
    allowed: Object.keys(models ?? {}),
  };
}

/** Those of the catalogue that need a key; servers on this machine are offered when they answer. */
function providersOf({ models }: Authored, env: ConfigSnapshot["env"]): ProviderChoice[] {
  return catalogue.flatMap(({ id, name, env: names, defaultModel }) => {
    const keyName = names.at(-1);
    if (keyName === undefined || id === "ollama") return [];
    const key = names.some((variable) => env[variable]?.trim())
      ? ("env" as const)
      : models?.providers?.[id]?.apiKey
        ? ("config" as const)
        : undefined;
    return [{ id, name, keyName, ...(key ? { key } : {}), ...(defaultModel ? { defaultModel } : {}) }];
  });
}

function portIn(text: string | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? "") ? Number(text) : 0;
  return port > 0 && port < 65_536 ? port : undefined;
}

function workspaceProblem(path: string): string | undefined {
  if (!path.startsWith("/") && !/^[A-Za-z]:[\\/]/.test(path)) return "Give a whole path, or one that begins with ~/.";
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found && !found.isDirectory() ? "There is a file of that name. Give a folder." : undefined;
  } catch (error) {
    return `That folder cannot be used (${(error as NodeJS.ErrnoException).code ?? "unknown error"}).`;
  }
}

async function apply(plan: Plan, world: World, options: SetupPortOptions): Promise<string[]> {
  const path = configPath(world);
  const show = (file: string) => displayPath(file, world);
  const before = readConfig(path, world, declared);
  if (plan.reset && before.hash !== plan.baseHash)
    throw new GatewayError("conflict", `${show(path)} was changed meanwhile. Nothing was written; run this again.`);
  const lines: string[] = [];
  const edits: Edit[] = [...plan.edits];
  mkdirSync(stateDir(world), { recursive: true, mode: 0o700 });
  if (plan.workspace !== undefined) {
    const folder = expandHome(plan.workspace, world);
    const { agents } = (before.config ?? {}) as { agents?: { defaults?: { skipBootstrap?: boolean } } };
    const skipBootstrap = !plan.reset && agents?.defaults?.skipBootstrap === true;
    const created = await new Workspaces(world, silentLogger).setUp(folder, { skipBootstrap });
    lines.push(`Workspace OK: ${show(folder)}${created.length > 0 ? ` (created ${created.join(", ")})` : ""}`);
  }
  if (plan.key) {
    const { provider, name, value } = plan.key;
    const present = world.env[name];
    // Keys of the file are in the environment of this process too.
    const outside = present && present !== value && !(options.keys === "dotenv" && inDotenv(world, present));
    if (options.keys === "config") edits.push({ path: ["models", "providers", provider, "apiKey"], value });
    else
      lines.push(
        `Kept ${name} in ${show(setInDotenv(world, name, value))}; a running gateway reads it when started again`,
      );
    if (outside) lines.push(`${name} is also set in the environment, and wins there. Remove it to use the new key.`);
  }

  if (edits.length === 0 && !plan.reset) return [...lines, `Config OK: ${show(path)}`];
  edits.push(...note(world, plan, options));
  if (plan.reset) {
    await replaceConfigFile(path, `${JSON.stringify(documentOf(edits), null, 2)}\n`, world, declared, {
      baseHash: plan.baseHash,
    });
  } else await editConfigFile(path, edits, world, declared);
  const named = edits.filter((edit) => edit.path[0] !== "wizard").map((edit) => edit.path.join("."));
  return [...lines, `Wrote ${show(path)}: ${named.join(", ")}`];
}

/** When and how the set-up was last run. */
function note(world: World, plan: Plan, { command }: SetupPortOptions): Edit[] {
  const mode = plan.edits.find((edit) => edit.path.join(".") === "gateway.mode")?.value;
  const values = {
    lastRunAt: new Date(world.now()).toISOString(),
    lastRunVersion: VERSION,
    lastRunCommand: command ?? "wizard",
    ...(mode === undefined ? {} : { lastRunMode: mode }),
  };
  return Object.entries(values).map(([key, value]) => ({ path: ["wizard", key], value }));
}

/** The object that edits to an empty one make. */
function documentOf(edits: readonly Edit[]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { path, value } of edits) {
    let at = root;
    for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
    at[path.at(-1) ?? ""] = value;
  }
  return root;
}
