/** Telegram without its SDK: config, destinations, texts (channels.md §7). */
import { GatewayError } from "@openclaw/protocol";
import type { ChannelEntry } from "../channel.ts";
import { renderTelegram } from "./render.ts";
import { telegramAccounts, type TelegramSettings } from "./settings.ts";
import { normalizeSender, parseTarget } from "./target.ts";

export const telegramEntry: ChannelEntry<TelegramSettings> = {
  id: "telegram",
  label: "Telegram",
  docs: "docs/channels/telegram.md",
  capabilities: {
    clientMessageIds: false,
    polls: true,
    reactions: true,
    edit: true,
    delete: true,
    threads: true,
    login: false,
    nativeCommands: true,
  },
  budget: {
    directEveryMs: 1_000,
    group: { count: 20, perMs: 60_000, everyMs: 1_000 },
    account: { count: 30, perMs: 1_000 },
  },
  accounts: telegramAccounts,
  reconnect: () => ({ initialMs: 2_000, maxMs: 30_000, factor: 1.8, jitter: 0.25, maxAttempts: 0 }),
  parseTarget,
  normalizeSender,
  captionLimit: 1_024,
  idLabel: "Telegram user id",
  render: renderTelegram,
  async load() {
    try {
      const { createTelegramAccount } = await import("./account.ts");
      return { createAccount: (deps) => createTelegramAccount(deps) };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) throw error;
      throw new GatewayError("unavailable", "Telegram needs the package grammy, which is not installed.", {
        retryable: false,
        cause: error,
      });
    }
  },
};
