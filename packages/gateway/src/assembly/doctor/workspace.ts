/** The agents' workspaces, and whether the model in use has its key. No network. */
import { chmodSync, existsSync, statSync } from "node:fs";
import { AgentDirectory, Workspaces } from "../../features/agents/index.ts";
import { Models } from "../../features/models/index.ts";
import { silentLogger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";
import type { EffectiveConfig } from "../sections.ts";
import type { Check, DoctorContext, Found } from "./check.ts";

/** Files a prompt is made of; BOOTSTRAP.md is gone once the agent knows its person. */
const templates = ["AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md", "HEARTBEAT.md"];

/** The environment with the `env` block of the config. */
const inside = ({ world, snapshot }: DoctorContext): World => ({ ...world, env: snapshot.env });

/** Agent ids and their workspaces; none while the config is broken or there is none. */
function workspaces(context: DoctorContext): [string, string][] {
  const { config } = context;
  if (!config || context.snapshot.verdict !== "ok" || config.gateway.mode === "remote") return [];
  const directory = new AgentDirectory({ current: config }, inside(context));
  return directory.list().map((id) => [id, directory.workspace(id)]);
}

const create = (path: string, context: DoctorContext, config: EffectiveConfig): Promise<string[]> =>
  new Workspaces(context.world, silentLogger).setUp(path, { skipBootstrap: config.agents.defaults.skipBootstrap });

async function fill(path: string, context: DoctorContext): Promise<string[]> {
  if (!context.config) throw new Error("the config became unusable meanwhile");
  const created = await create(path, context, context.config);
  return [`made ${context.show(path)}${created.length > 0 ? ` with ${created.join(", ")}` : ""}`];
}

export const workspaceChecks: readonly Check[] = [
  {
    id: "workspace-missing",
    summary: "every agent's workspace exists",
    repair: "plain",
    find: (context) =>
      workspaces(context)
        .filter(([, path]) => !existsSync(path))
        .map(([id, path]) => ({
          severity: "warn" as const,
          title: `The workspace of agent ${id} does not exist: ${context.show(path)}.`,
          cause: "It was moved, or never made. The gateway makes it at the first turn, without what was in it.",
          fix: `Move it back, or make it anew: ${context.command("setup")}`,
          subject: path,
        })),
    fix: (finding, context) => fill(finding.subject ?? "", context),
  },
  {
    id: "workspace-files",
    summary: "every workspace has the files a prompt is made of",
    repair: "plain",
    find: (context) => {
      if (context.config?.agents.defaults.skipBootstrap) return [];
      return workspaces(context).flatMap(([id, path]): Found[] => {
        if (!existsSync(path)) return [];
        const missing = templates.filter((name) => !existsSync(`${path}/${name}`));
        if (missing.length === 0) return [];
        return [
          {
            severity: "info",
            title: `The workspace of agent ${id} lacks ${missing.join(", ")}.`,
            cause: "The agent's prompt says that they are missing.",
            fix: "Make them from the templates; what is there stays as it is.",
            subject: path,
          },
        ];
      });
    },
    fix: (finding, context) => fill(finding.subject ?? "", context),
  },
  {
    id: "workspace-mode",
    summary: "nobody else can write into a workspace",
    repair: "plain",
    find: (context) => {
      if (context.uid === undefined || context.world.platform === "win32") return [];
      return workspaces(context).flatMap(([id, path]): Found[] => {
        const found = statSync(path, { throwIfNoEntry: false });
        if (!found || (found.mode & 0o022) === 0) return [];
        return [
          {
            severity: "warn",
            title: `Other users can write into the workspace of agent ${id}: ${context.show(path)}.`,
            cause: "What stands there becomes part of the agent's prompt.",
            fix: `chmod go-w ${context.show(path)}`,
            subject: path,
            ...(found.uid === context.uid ? {} : { fixable: false as const }),
          },
        ];
      });
    },
    fix: (finding, context) => {
      const path = finding.subject ?? "";
      chmodSync(path, statSync(path).mode & 0o755);
      return [`chmod go-w ${context.show(path)}`];
    },
  },
  {
    id: "model-key",
    summary: "the model in use has its key",
    find: (context) => {
      const { config } = context;
      if (!config || context.snapshot.verdict !== "ok" || config.gateway.mode === "remote") return [];
      const world = inside(context);
      const directory = new AgentDirectory({ current: config }, world);
      const models = new Models({
        world,
        log: silentLogger,
        config: { current: config },
        selection: () => directory.modelSelection(),
        agentSelection: (id) => directory.agentModel(id),
      });
      const { model, offline, providers } = models.describe();
      if (offline) {
        return [
          {
            severity: "info",
            title: "No model is configured.",
            cause: "Until there is one, the gateway repeats what you say.",
            fix: `Set ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or OPENROUTER_API_KEY, or run ${context.command("models set <provider/model>")}`,
          },
        ];
      }
      const provider = providers.find(({ id }) => id === model.provider);
      if (model.available && provider?.available !== false) return [];
      return [
        {
          severity: "error",
          title: `The model ${model.ref} cannot be used.`,
          cause: provider ? `${provider.name}: ${provider.auth}` : model.auth,
          fix: `Give the provider its key (models.providers.<id>.apiKey or its variable), or choose another: ${context.command("models set <provider/model>")}`,
          subject: model.ref,
        },
      ];
    },
  },
];
