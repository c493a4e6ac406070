/** `health` and `gateway health` (lifecycle.md §14.2). */
import type { Context } from "./command.ts";
import { list, numberOf, record, textOf, withGateway } from "./rpc.ts";
import { cleanLine } from "./terminal/clean.ts";
import { displayPath } from "../kernel/paths.ts";
import { age, duration } from "./terminal/time.ts";

/** One line per channel. */
export function channelLines(health: unknown): string[] {
  const { channels, channelOrder, channelLabels } = record(health);
  return list(channelOrder).map((id) => {
    const name = textOf(id);
    const channel = record(record(channels)[name]);
    const label = cleanLine(textOf(record(channelLabels)[name]) || name);
    return `${label}: ${channelState(channel)}`;
  });
}

function channelState(channel: Readonly<Record<string, unknown>>): string {
  const probe = record(channel.probe);
  const elapsedMs = numberOf(probe.elapsedMs);
  if (probe.ok === true) {
    const bot = cleanLine(textOf(record(probe.bot).username));
    return `ok${bot ? ` (@${bot})` : ""}${elapsedMs === undefined ? "" : ` (${elapsedMs}ms)`}`;
  }
  if (probe.ok === false) {
    return `failed (${cleanLine(String(probe.status ?? "unknown"))}) - ${cleanLine(textOf(probe.error) || "no reason given")}`;
  }
  const authAgeMs = numberOf(channel.authAgeMs);
  if (channel.linked === true)
    return `linked${authAgeMs === undefined ? "" : ` (auth age ${duration(authAgeMs)})`}${lost(channel)}`;
  if (channel.configured === false) return "not configured";
  if (channel.linked === false) return "not linked";
  return "configured";
}

/** A link is no connection. */
function lost(channel: Readonly<Record<string, unknown>>): string {
  if (channel.running !== true || channel.connected !== false) return "";
  const error = cleanLine(textOf(channel.lastError));
  return error ? `, not connected - ${error}` : ", not connected";
}

async function ask(context: Context): Promise<{ health: unknown; elapsedMs: number }> {
  const { io } = context;
  return withGateway(context, async ({ client, timeoutMs }) => {
    const startedAt = io.monotonic();
    const probe = context.options.has("verbose") || context.options.has("debug");
    const health = await client.callAny("health", probe ? { probe: true } : {}, { timeoutMs });
    return { health, elapsedMs: Math.round(io.monotonic() - startedAt) };
  });
}

export async function runGatewayHealth(context: Context): Promise<number> {
  const { health, elapsedMs } = await ask(context);
  if (context.json) context.printJson(health);
  else {
    const measured = numberOf(record(health).durationMs) ?? elapsedMs;
    context.print("Gateway Health", `OK (${measured}ms)`, ...channelLines(health));
  }
  return record(health).ok === false ? 1 : 0;
}

export async function run(context: Context): Promise<number> {
  const { health } = await ask(context);
  if (context.json) context.printJson(health);
  else context.print(...describe(context, health));
  return record(health).ok === false ? 1 : 0;
}

function describe(context: Context, health: unknown): string[] {
  const { io } = context;
  const all = record(health);
  const agents = list(all.agents).map(record);
  const lines = channelLines(health);
  const names = agents.map(
    (agent) => `${cleanLine(textOf(agent.agentId))}${agent.isDefault === true ? " (default)" : ""}`,
  );
  if (names.length > 0) lines.push(`Agents: ${names.join(", ")}`);
  const beats = agents.flatMap((agent) => {
    const heartbeat = record(agent.heartbeat);
    const every = heartbeat.enabled === false ? "disabled" : cleanLine(textOf(heartbeat.every));
    return every ? [`${every} (${cleanLine(textOf(agent.agentId))})`] : [];
  });
  if (beats.length > 0) lines.push(`Heartbeat interval: ${beats.join(", ")}`);
  for (const agent of agents) {
    const sessions = record(agent.sessions);
    const path = displayPath(cleanLine(textOf(sessions.path)), io);
    lines.push(
      `Session store (${cleanLine(textOf(agent.agentId))}): ${path} (${numberOf(sessions.count) ?? 0} entries)`,
    );
  }
  for (const recent of list(record(all.sessions).recent).map(record)) {
    const updatedAt = numberOf(recent.updatedAt);
    lines.push(`- ${cleanLine(textOf(recent.key))} (${updatedAt === undefined ? "never" : age(io.now() - updatedAt)})`);
  }
  return lines.length > 0 ? lines : ["OK"];
}
