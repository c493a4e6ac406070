/** Accounts of `channels.telegram` as the config describes them: base and account merged (config.md §7.8, channels.md §7.1). */
import type { AccessSettings, AccountSettings, GroupSettings } from "../channel.ts";
import type { ChannelsConfig } from "../channels.config.ts";
import { normalizeSender } from "./target.ts";

type TelegramConfig = NonNullable<ChannelsConfig["telegram"]>;
type AccountConfig = NonNullable<TelegramConfig["accounts"]>[string];

export const defaultApiRoot = "https://api.telegram.org";

/** Where the token stands. `value` is a secret. */
export type TokenPlace = { from: "config" | "env"; value: string } | { from: "file"; path: string } | { from: "none" };

export interface TelegramSettings {
  token: TokenPlace;
  /** Without a slash at its end. */
  apiRoot: string;
  linkPreview: boolean;
  reactionNotifications: "off" | "own" | "all";
  /** Our own commands are in the menu, and the agent's skills. */
  nativeCommands: boolean;
  nativeSkills: boolean;
  customCommands: readonly { name: string; description: string }[];
  /** For methods and files; may hold a password. */
  proxy?: string;
  /** Deadline of a send, ms; undefined: the standard. */
  timeoutMs?: number;
  /** A webhook is configured; updates are polled all the same. */
  webhook: boolean;
}

/** The parts of the whole config this channel reads. */
interface Config {
  channels?: Pick<ChannelsConfig, "telegram" | "defaults">;
  messages?: {
    groupChat?: { historyLimit?: number };
    inbound?: { debounceMs?: number; byChannel?: Record<string, number> };
  };
  commands?: { native?: boolean | "auto"; nativeSkills?: boolean | "auto" };
}

type Env = Readonly<Record<string, string | undefined>>;

export function telegramAccounts(config: unknown, env: Env): AccountSettings<TelegramSettings>[] {
  const { channels, messages, commands } = config as Config;
  const base = channels?.telegram;
  if (!base) return [];
  const { accounts, ...shared } = base;
  const named = Object.entries(accounts ?? {});
  const entries: [string, AccountConfig][] = named.length > 0 ? named : [["default", {}]];
  const owners = new Map<string, string>();
  return entries.map(([accountId, account]) => {
    const merged: AccountConfig = { ...shared, ...defined(account) };
    const token = tokenOf(accountId, account, shared, env);
    const enabled = shared.enabled !== false && account.enabled !== false;
    const missing =
      whatIsMissing(accountId, token, merged) ?? (enabled ? sharedToken(accountId, token, owners) : undefined);
    return {
      accountId,
      ...(merged.name === undefined ? {} : { name: merged.name }),
      enabled,
      ...(missing === undefined ? {} : { missing }),
      access: accessOf(merged, channels?.defaults?.groupPolicy, messages),
      mediaMaxBytes: Math.round((merged.mediaMaxMb ?? 5) * 1024 * 1024),
      textChunkLimit: Math.min(4_096, merged.textChunkLimit ?? 4_000),
      chunkMode: merged.chunkMode ?? "length",
      ...(merged.blockStreaming === undefined ? {} : { blockStreaming: merged.blockStreaming }),
      ...(merged.blockStreamingCoalesce ? { blocks: merged.blockStreamingCoalesce } : {}),
      tables: merged.markdown?.tables ?? "code",
      ...(merged.actions ? { actions: merged.actions } : {}),
      ...(merged.configWrites === undefined ? {} : { configWrites: merged.configWrites }),
      tokenSource: token.from,
      settings: settingsOf(merged, token, commands),
    };
  });
}

function settingsOf(merged: AccountConfig, token: TokenPlace, commands: Config["commands"]): TelegramSettings {
  return {
    token,
    apiRoot: (merged.apiRoot ?? defaultApiRoot).replace(/\/+$/u, ""),
    linkPreview: merged.linkPreview ?? true,
    reactionNotifications: merged.reactionNotifications ?? "own",
    nativeCommands: (merged.commands?.native ?? commands?.native) !== false,
    nativeSkills: (merged.commands?.nativeSkills ?? commands?.nativeSkills) !== false,
    customCommands: (merged.customCommands ?? []).map(({ command, description }) => ({ name: command, description })),
    ...(merged.proxy === undefined ? {} : { proxy: merged.proxy }),
    ...(merged.timeoutSeconds === undefined ? {} : { timeoutMs: merged.timeoutSeconds * 1_000 }),
    webhook: merged.webhookUrl !== undefined,
  };
}

/** Account file, account token, then for `default` alone the channel's file, its token and the environment. A file that is named
 *  counts even when it cannot be read: another bot must not answer in its place. */
function tokenOf(accountId: string, account: AccountConfig, shared: TelegramConfig, env: Env): TokenPlace {
  const own = accountId === "default" ? [account, shared] : [account];
  for (const place of own) {
    if (place.tokenFile !== undefined) return { from: "file", path: place.tokenFile };
    const value = place.botToken?.trim();
    if (value) return { from: "config", value };
  }
  const value = env["TELEGRAM_BOT_TOKEN"]?.trim();
  return accountId === "default" && value ? { from: "env", value } : { from: "none" };
}

function whatIsMissing(accountId: string, token: TokenPlace, merged: AccountConfig): string | undefined {
  const at = accountId === "default" ? "channels.telegram" : `channels.telegram.accounts.${accountId}`;
  if (token.from === "none")
    return `No bot token. Set ${at}.botToken${accountId === "default" ? " or TELEGRAM_BOT_TOKEN" : ""}; @BotFather gives one.`;
  if (merged.proxy !== undefined && !usableProxy(merged.proxy))
    return `${at}.proxy has to be an http:// or https:// URL: socks proxies are not supported. Name an HTTP proxy, or remove the key.`;
  return undefined;
}

const usableProxy = (proxy: string) => /^https?:\/\//u.test(proxy) && URL.canParse(proxy);

/** Two accounts with one token would end each other's polls for ever. */
function sharedToken(accountId: string, token: TokenPlace, owners: Map<string, string>): string | undefined {
  if (token.from === "none") return undefined;
  const key = token.from === "file" ? `file:${token.path}` : token.value;
  const owner = owners.get(key);
  if (owner === undefined) owners.set(key, accountId);
  return owner === undefined
    ? undefined
    : `It has the same bot token as account "${owner}". Give each account a bot of its own.`;
}

function accessOf(
  merged: AccountConfig,
  defaultGroupPolicy: AccessSettings["groupPolicy"] | undefined,
  messages: Config["messages"],
): AccessSettings {
  const { groups, groupAllowFrom } = merged;
  return {
    dmPolicy: merged.dmPolicy ?? "pairing",
    allowFrom: senders(merged.allowFrom),
    groupPolicy: merged.groupPolicy ?? defaultGroupPolicy ?? "allowlist",
    ...(groupAllowFrom ? { groupAllowFrom: senders(groupAllowFrom) } : {}),
    ...(groups ? { groups: groups as Record<string, GroupSettings> } : {}),
    ...(merged.dmHistoryLimit === undefined ? {} : { dmHistoryLimit: merged.dmHistoryLimit }),
    ...(merged.dms ? { dms: merged.dms as NonNullable<AccessSettings["dms"]> } : {}),
    historyLimit: merged.historyLimit ?? messages?.groupChat?.historyLimit ?? 50,
    debounceMs: messages?.inbound?.byChannel?.["telegram"] ?? messages?.inbound?.debounceMs ?? 0,
    replyToMode: merged.replyToMode ?? "first",
    commandsNeedOwner: false,
  };
}

const senders = (list: readonly (string | number)[] | undefined): string[] =>
  (list ?? []).map((entry) => normalizeSender(String(entry)));

/** Keys that are set: an absent one lets the channel's value through. */
function defined(account: AccountConfig): AccountConfig {
  return Object.fromEntries(Object.entries(account).filter(([, value]) => value !== undefined));
}
