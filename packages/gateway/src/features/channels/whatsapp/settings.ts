/** Accounts of `channels.whatsapp` as the config describes them: base and account merged (config.md §7.8). */
import { normalize } from "node:path";
import type { AccessSettings, AccountSettings, GroupSettings, ReconnectPolicy } from "../channel.ts";
import type { ChannelsConfig, WebConfig } from "../channels.config.ts";
import { normalizeSender } from "./target.ts";

type WhatsAppConfig = NonNullable<ChannelsConfig["whatsapp"]>;
type AccountConfig = NonNullable<WhatsAppConfig["accounts"]>[string];
type Merged = Omit<WhatsAppConfig, "accounts"> & Pick<AccountConfig, "authDir">;

export interface WhatsAppSettings {
  /** As typed; undefined: the usual place in the state directory. */
  authDir?: string;
  sendReadReceipts: boolean;
  /** As the config says; undefined: decided by `allowFrom` and the own number. */
  selfChatMode?: boolean;
  /** Put before what comes in. */
  messagePrefix?: string;
  heartbeatSeconds: number;
}

/** The parts of the whole config this channel reads. */
interface Config {
  channels?: Pick<ChannelsConfig, "whatsapp" | "defaults">;
  web?: WebConfig;
  messages?: {
    groupChat?: { historyLimit?: number };
    inbound?: { debounceMs?: number; byChannel?: Record<string, number> };
  };
}

export function whatsappAccounts(config: unknown): AccountSettings<WhatsAppSettings>[] {
  const { channels, web, messages } = config as Config;
  const base = channels?.whatsapp;
  if (!base) return [];
  const { accounts, ...shared } = base;
  const named = Object.entries(accounts ?? {});
  const entries: [string, AccountConfig][] = named.length > 0 ? named : [["default", {}]];
  const owners = new Map<string, string>();
  return entries.map(([accountId, account]) => {
    const merged: Merged = { ...shared, ...defined(account) };
    const enabled = web?.enabled !== false && shared.enabled !== false && account.enabled !== false;
    const missing = enabled ? sharedDirectory(accountId, merged.authDir, owners) : undefined;
    return {
      accountId,
      ...(merged.name === undefined ? {} : { name: merged.name }),
      enabled,
      ...(missing === undefined ? {} : { missing }),
      access: accessOf(merged, channels?.defaults?.groupPolicy, messages),
      mediaMaxBytes: Math.round((merged.mediaMaxMb ?? 50) * 1024 * 1024),
      textChunkLimit: merged.textChunkLimit ?? 4_000,
      chunkMode: merged.chunkMode ?? "length",
      ...(merged.blockStreaming === undefined ? {} : { blockStreaming: merged.blockStreaming }),
      ...(merged.blockStreamingCoalesce ? { blocks: merged.blockStreamingCoalesce } : {}),
      tables: merged.markdown?.tables ?? "bullets",
      ...(merged.actions ? { actions: merged.actions } : {}),
      ...(merged.configWrites === undefined ? {} : { configWrites: merged.configWrites }),
      settings: {
        ...(merged.authDir === undefined ? {} : { authDir: merged.authDir }),
        sendReadReceipts: merged.sendReadReceipts ?? true,
        ...(merged.selfChatMode === undefined ? {} : { selfChatMode: merged.selfChatMode }),
        ...(merged.messagePrefix === undefined ? {} : { messagePrefix: merged.messagePrefix }),
        heartbeatSeconds: web?.heartbeatSeconds ?? 60,
      },
    };
  });
}

/** One link is one device: two connections with it would push each other out for ever (440). */
function sharedDirectory(accountId: string, dir: string | undefined, owners: Map<string, string>): string | undefined {
  if (dir === undefined) return undefined;
  const path = normalize(dir.trim()).replace(/[/\\]+$/u, "");
  const owner = owners.get(path);
  if (owner === undefined) owners.set(path, accountId);
  return owner === undefined
    ? undefined
    : `It has the same authDir as account "${owner}". Give each account a directory of its own.`;
}

function accessOf(
  merged: Merged,
  defaultGroupPolicy: AccessSettings["groupPolicy"] | undefined,
  messages: Config["messages"],
): AccessSettings {
  const { ackReaction, groups, groupAllowFrom } = merged;
  return {
    dmPolicy: merged.dmPolicy ?? "pairing",
    allowFrom: senders(merged.allowFrom),
    groupPolicy: merged.groupPolicy ?? defaultGroupPolicy ?? "allowlist",
    ...(groupAllowFrom ? { groupAllowFrom: senders(groupAllowFrom) } : {}),
    ...(groups ? { groups: groups as Record<string, GroupSettings> } : {}),
    ...(merged.dmHistoryLimit === undefined ? {} : { dmHistoryLimit: merged.dmHistoryLimit }),
    ...(merged.dms ? { dms: merged.dms as NonNullable<AccessSettings["dms"]> } : {}),
    historyLimit: merged.historyLimit ?? messages?.groupChat?.historyLimit ?? 50,
    debounceMs: merged.debounceMs ?? messages?.inbound?.byChannel?.["whatsapp"] ?? messages?.inbound?.debounceMs ?? 0,
    replyToMode: "off",
    // Its own, also where it is none: `messages.ackReaction` is for the other channels.
    ackReaction: {
      emoji: ackReaction?.emoji ?? "",
      direct: ackReaction?.direct ?? true,
      group: ackReaction?.group ?? "mentions",
    },
    commandsNeedOwner: true,
  };
}

const senders = (list: readonly (string | number)[] | undefined): string[] =>
  (list ?? []).map((entry) => normalizeSender(String(entry)));

/** Keys that are set: an absent one lets the channel's value through. */
function defined(account: AccountConfig): AccountConfig {
  return Object.fromEntries(Object.entries(account).filter(([, value]) => value !== undefined));
}

/** `web.reconnect`; every key of it has a default. A connection that lived for a heartbeat has earned a fresh count. */
export function whatsappReconnect(config: unknown): ReconnectPolicy {
  const standard = { initialMs: 2_000, maxMs: 30_000, factor: 1.8, jitter: 0.25, maxAttempts: 12 };
  const { web } = config as Config;
  return { ...standard, ...web?.reconnect, steadyMs: (web?.heartbeatSeconds ?? 60) * 1_000 };
}
