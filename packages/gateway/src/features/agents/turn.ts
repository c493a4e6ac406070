/** What one run works with: model, thinking level, tools, workspace and system prompt, resolved once at its start. */
import { parseThinkingLevel, type ModelEntry, type ThinkingLevel, type ToolSpec } from "../models/index.ts";
import type { SessionEntry } from "../sessions/index.ts";
import type { ToolSetting } from "./tool-calls.ts";
import { compactionThreshold } from "./compaction.ts";
import type { LiveRun } from "./live-run.ts";
import { buildPrompt, type PromptReport } from "./prompt.ts";
import type { TurnDeps } from "./turn-deps.ts";

export interface Turn extends ToolSetting {
  model: ModelEntry;
  thinking: ThinkingLevel;
  system: string;
  report: PromptReport;
  /** The stored report is an older one. */
  reportChanged: boolean;
  specs: ToolSpec[];
  timeZone: string | undefined;
  /** Tokens at which the context is compacted. */
  threshold: number;
  keepTokens: number;
}

/** The model of a session: the message's choice, the session's, the agent's default. Throws GatewayError("invalid") for a
 *  choice that cannot be resolved any more. */
export function modelOf(
  deps: Pick<TurnDeps, "models">,
  agentId: string,
  session: SessionEntry | undefined,
  inline?: string,
): ModelEntry {
  if (inline) return deps.models.resolve(inline);
  if (session?.modelOverride)
    return deps.models.resolve(
      session.providerOverride ? `${session.providerOverride}/${session.modelOverride}` : session.modelOverride,
    );
  return deps.models.defaultModel(agentId);
}

/** The level of a session with a model: the message's, the session's, the configured, the model's own default (agent.md §3.7). */
export function thinkingOf(
  deps: Pick<TurnDeps, "models" | "config">,
  model: ModelEntry,
  session: SessionEntry | undefined,
  inline?: string,
): ThinkingLevel {
  const { thinkingDefault, models } = deps.config.current.agents.defaults;
  const listed = models?.[model.ref]?.params?.["thinking"];
  const choices = [inline, session?.thinkingLevel, typeof listed === "string" ? listed : undefined, thinkingDefault];
  for (const choice of choices) {
    const level = choice === undefined ? undefined : parseThinkingLevel(choice);
    if (level) return level;
  }
  return deps.models.defaultThinking(model);
}

export async function prepareTurn(run: LiveRun, deps: TurnDeps): Promise<Turn> {
  const { agentId, origin, owner } = run.request;
  const { defaults } = deps.config.current.agents;
  const session = deps.sessions.get(run.sessionKey);
  const model = modelOf(deps, agentId, session, run.request.model);
  const thinking = thinkingOf(deps, model, session, run.request.thinking);
  const workspace = deps.directory.workspace(agentId);
  await deps.workspaces.ensure(workspace, { skipBootstrap: defaults.skipBootstrap });
  const mode = run.sessionKey.includes(":subagent:") || run.sessionKey.includes(":cron:") ? "minimal" : "full";
  const files = await deps.workspaces.read(workspace, { maxCharsPerFile: defaults.bootstrapMaxChars, mode });
  const box = deps.toolBox();
  const tools = box.forRun({
    agentId,
    provider: model.provider,
    model: model.id,
    owner,
    origin,
    sessionKey: run.sessionKey,
  });
  const aliases = Object.entries(defaults.models ?? {}).flatMap(([ref, { alias }]) => (alias ? [{ alias, ref }] : []));
  const { world } = deps;
  const channel = run.request.route?.channel ?? session?.channel;
  const { text, report } = buildPrompt({
    mode,
    agentId,
    workspace,
    tools,
    files,
    owners: (deps.config.current.commands.ownerAllowFrom ?? []).map(String),
    timeZone: defaults.userTimezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    aliases,
    skills: deps.skillsPrompt(agentId).filter(({ name }) => run.request.skills?.includes(name) ?? true),
    ...(run.request.extraSystemPrompt ? { extra: run.request.extraSystemPrompt } : {}),
    model: model.ref,
    defaultModel: deps.models.defaultModel(agentId).ref,
    thinking,
    reasoning: session?.reasoningLevel ?? "off",
    ...(channel ? { channel } : {}),
    host: { name: world.hostname(), platform: world.platform, arch: world.arch, node: world.nodeVersion },
  });
  return {
    model,
    thinking,
    workspace,
    box,
    tools,
    system: text,
    report,
    reportChanged: JSON.stringify(session?.systemPromptReport) !== JSON.stringify(report),
    specs: [
      ...tools.map((tool) => ({
        name: tool.name,
        description: tool.description,
        parameters: tool.params as unknown as Record<string, unknown>,
      })),
      ...(run.request.client?.tools ?? []),
    ],
    timeZone: defaults.userTimezone,
    threshold: compactionThreshold(model.contextWindow, defaults.compaction),
    keepTokens: Math.min(defaults.compaction.keepRecentTokens, Math.floor(model.contextWindow / 4)),
  };
}
