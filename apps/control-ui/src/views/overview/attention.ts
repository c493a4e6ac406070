/** What needs a person, worst first, each with the one thing that helps: a command, or a place in this app. Pure. */
import type { EventPayload, MethodResult } from "@openclaw/protocol";

export type Health = EventPayload<"health">;
export type ChannelsStatus = MethodResult<"channels.status">;
export type Account = ChannelsStatus["channelAccounts"][string][number];

export interface Attention {
  id: string;
  tone: "bad" | "warn" | "live";
  title: string;
  text: string;
  /** Complete, to be copied. */
  commands: readonly string[];
  /** A view that helps: its path and, behind `?path=`, what it should open. */
  place?: { label: string; path: string; query?: Readonly<Record<string, string>> };
}

export interface Known {
  health: Pick<Health, "problems" | "model" | "config" | "safe" | "eventLoop"> | undefined;
  channels: ChannelsStatus | undefined;
  /** Senders who wait for approval. */
  senders: number;
  /** Devices that wait for approval. */
  devices: number;
  localModels: readonly { name: string; command: string }[];
}

const rank = { bad: 0, warn: 1, live: 2 };

export function attentionOf(known: Known): Attention[] {
  return [
    ...ofProcess(known),
    ...ofModel(known),
    ...ofChannels(known.channels),
    ...ofPeople(known),
    ...ofOtherParts(known),
  ].sort((a, b) => rank[a.tone] - rank[b.tone]);
}

function ofProcess({ health }: Known): Attention[] {
  const list: Attention[] = [];
  if (health?.safe)
    list.push({
      id: "safe",
      tone: "bad",
      title: "Safe mode",
      text: `${sentence(health.safe.reason)} Channels and automation are held; chat works. Restart, or change the config, to leave it.`,
      commands: ["openclaw gateway restart"],
      place: { label: "Open the config", path: "/config" },
    });
  const { lastReloadError, needsRestart = [], failed = [] } = health?.config ?? {};
  if (lastReloadError)
    list.push({
      id: "reload",
      tone: "bad",
      title: "The last change of the config was not taken",
      text: `${sentence(lastReloadError.message)} The former config still runs.`,
      commands: ["openclaw doctor"],
      place: { label: "Open the config", path: "/config", query: { mode: "raw" } },
    });
  for (const { part, message } of failed)
    list.push({
      id: `failed:${part}`,
      tone: "warn",
      title: `${part} keeps its former config`,
      text: sentence(message),
      commands: ["openclaw gateway restart"],
    });
  if (needsRestart.length > 0)
    list.push({
      id: "restart",
      tone: "warn",
      title: "Changed settings wait for a restart",
      text: `${needsRestart.join(", ")}.`,
      commands: ["openclaw gateway restart"],
    });
  if (health?.eventLoop?.degraded === true)
    list.push({
      id: "slow",
      tone: "warn",
      title: "The gateway reacts slowly",
      text: `99 of 100 waits stayed below ${Math.round(health.eventLoop.delayP99Ms)} ms, and the process was busy ${Math.round(health.eventLoop.utilization * 100)} % of the time. Something on this machine takes its time, or the gateway has too much to do.`,
      commands: ["openclaw status --all"],
    });
  return list;
}

function ofModel({ health, localModels }: Known): Attention[] {
  const model = health?.model;
  if (!model) return [];
  if (!model.configured)
    return [
      {
        id: "model",
        tone: "warn",
        title: "No model is configured",
        text: `${model.ref} only repeats what you say. Choose a model to get answers.`,
        commands: [
          ...localModels.slice(0, 2).map(({ command }) => command),
          ...(localModels.length === 0 ? ["openclaw models set <provider/model>"] : []),
        ],
        place: { label: "Set it in the config", path: "/config", query: { path: "agents.defaults.model" } },
      },
    ];
  if (model.auth.startsWith("missing"))
    return [
      {
        id: "model-auth",
        tone: "bad",
        title: `${model.ref} cannot be used`,
        text: sentence(model.auth),
        commands: ["openclaw models status"],
      },
    ];
  return [];
}

/** Accounts that only a person can bring back, and answers whose fate is unknown. */
function ofChannels(channels: ChannelsStatus | undefined): Attention[] {
  const list: Attention[] = [];
  for (const channel of channels?.channelOrder ?? []) {
    const accounts = channels?.channelAccounts[channel] ?? [];
    const label = channels?.channelLabels[channel] ?? channel;
    for (const account of accounts) {
      const name = accounts.length > 1 ? `${label}, account ${account.accountId}` : label;
      const place = { label: "Open Channels", path: "/channels" };
      if (account.enabled !== false && account.state === "terminal") {
        const { fix } = account;
        const isCommand = fix?.startsWith("openclaw ") === true;
        list.push({
          id: `channel:${channel}:${account.accountId}`,
          tone: "bad",
          title: `${name} is not connected`,
          text: [account.lastError ?? "", isCommand ? "" : (fix ?? "")].filter(Boolean).map(sentence).join(" "),
          commands: isCommand && fix ? [fix] : [],
          place,
        });
      }
      const unknown = account.outbox?.unknown ?? 0;
      if (unknown > 0)
        list.push({
          id: `unknown:${channel}:${account.accountId}`,
          tone: "warn",
          title: `${unknown} sent by ${name} may not have arrived`,
          text: "The connection ended before the platform confirmed. Nothing is sent twice; look into the chat if it matters.",
          commands: [],
          place,
        });
    }
  }
  return list;
}

function ofPeople({ senders, devices }: Known): Attention[] {
  const list: Attention[] = [];
  if (senders > 0)
    list.push({
      id: "senders",
      tone: "live",
      title: senders === 1 ? "Somebody asks to write to you" : `${senders} people ask to write to you`,
      text: "They get no answer before you approve them.",
      commands: [],
      place: { label: "Decide in Channels", path: "/channels" },
    });
  if (devices > 0)
    list.push({
      id: "devices",
      tone: "live",
      title: devices === 1 ? "A device asks to be let in" : `${devices} devices ask to be let in`,
      text: "Approve only what you recognise.",
      commands: [],
      place: { label: "Decide in Nodes & devices", path: "/nodes" },
    });
  return list;
}

/** Problems no other item speaks of. */
function ofOtherParts({ health, channels }: Known): Attention[] {
  const told = new Set(["config", "safe-mode", ...(channels?.channelOrder ?? [])]);
  for (const { part } of health?.config?.failed ?? []) told.add(part);
  return (health?.problems ?? [])
    .filter(({ part }) => !told.has(part))
    .map(({ part, message }) => {
      const command = /`(openclaw [^`]+)`/.exec(message)?.[1];
      return {
        id: `part:${part}`,
        tone: "warn" as const,
        title: `${part.charAt(0).toUpperCase()}${part.slice(1)} is not well`,
        text: sentence(message),
        commands: [command ?? "openclaw doctor"],
      };
    });
}

const sentence = (text: string): string => (text === "" || /[.!?…)]$/.test(text) ? text : `${text}.`);
