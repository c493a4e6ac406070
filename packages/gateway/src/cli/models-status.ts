/** `models` and `models status`: which model answers, and where that is written. */
import { join } from "node:path";
import { displayPath } from "../kernel/paths.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { suggest } from "./profile.ts";
import { list, record, textOf, withGateway } from "./rpc.ts";
import { clean } from "./terminal/clean.ts";

const primary = (value: unknown): string | null => textOf(value) || textOf(record(value).primary) || null;
const names = (value: unknown): string[] => list(value).map(textOf).filter(Boolean);

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  const { config, defaults } = await withGateway(
    context,
    async ({ client, target }) => {
      const answer = record(await client.callAny("sessions.list", { limit: 1 }));
      return { config: target.config, defaults: record(answer.defaults) };
    },
    { timeoutMs: 10_000 },
  );
  const agentDefaults = record(record(config.document.agents).defaults);
  const models = record(agentDefaults.models);
  const aliases = Object.entries(models).flatMap(([key, entry]) => {
    const alias = textOf(record(entry).alias);
    return alias ? [[alias, key] as const] : [];
  });
  const provider = textOf(defaults.modelProvider);
  const resolved = provider ? `${provider}/${textOf(defaults.model)}` : null;
  const agentId = options.text("agent") ?? "main";
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(agentId)) throw new CommandError(`Invalid --agent "${clean(agentId)}"`);
  const status = {
    configPath: config.path,
    agentDir: join(config.stateDir, "agents", agentId, "agent"),
    defaultModel: primary(agentDefaults.model),
    resolvedDefault: resolved,
    fallbacks: names(record(agentDefaults.model).fallbacks),
    imageModel: primary(agentDefaults.imageModel),
    imageFallbacks: names(record(agentDefaults.imageModel).fallbacks),
    aliases: Object.fromEntries(aliases),
    allowed: Object.keys(models),
  };
  const usable = resolved !== null && provider !== "offline";
  const code = options.has("check") && !usable ? 1 : 0;
  if (context.json || options.has("status-json")) context.printJson(status);
  else if (options.has("plain") || options.has("status-plain")) context.print(clean(resolved ?? ""));
  else {
    const lines = [
      `Config: ${displayPath(status.configPath, io)}`,
      `Default model: ${status.defaultModel ?? "(not set)"}`,
      `In use: ${resolved ?? "unknown"}${usable ? "" : " (no model configured: the gateway repeats what you say)"}`,
    ];
    if (status.fallbacks.length > 0) lines.push(`Fallbacks: ${status.fallbacks.join(", ")}`);
    if (status.imageModel) lines.push(`Image model: ${status.imageModel}`);
    if (aliases.length > 0) lines.push(`Aliases: ${aliases.map(([alias, key]) => `${alias} -> ${key}`).join(", ")}`);
    if (!usable) lines.push(`Choose one: ${suggest(io.env, "models set <provider/model>")}`);
    context.print(...lines.map(clean));
  }
  return code;
}
