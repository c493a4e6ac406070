/** WhatsApp without its library: config, targets and texts (channels.md §1.1). */
import { GatewayError } from "@openclaw/protocol";
import type { ChannelEntry } from "../channel.ts";
import { renderWhatsApp } from "../text/marks.ts";
import { whatsappAccounts, whatsappReconnect, type WhatsAppSettings } from "./settings.ts";
import { normalizeSender, parseTarget } from "./target.ts";

export const whatsappEntry: ChannelEntry<WhatsAppSettings> = {
  id: "whatsapp",
  label: "WhatsApp",
  docs: "docs/channels/whatsapp.md",
  capabilities: {
    clientMessageIds: true,
    polls: true,
    reactions: true,
    edit: false,
    delete: true,
    threads: false,
    login: true,
    nativeCommands: false,
  },
  // R-OUT-5: one message per 2 s, so that the platform takes the account for a person.
  budget: {
    directEveryMs: 2_000,
    group: { count: 20, perMs: 60_000, everyMs: 2_000 },
    account: { count: 1, perMs: 2_000 },
  },
  captionLimit: 1_024,
  idLabel: "WhatsApp number",
  accounts: whatsappAccounts,
  reconnect: whatsappReconnect,
  parseTarget,
  normalizeSender,
  render: renderWhatsApp,
  async load() {
    try {
      return (await import("./module.ts")).whatsappModule;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) throw error;
      throw new GatewayError(
        "unavailable",
        "WhatsApp needs the package baileys, which is not installed: npm install baileys@7.0.0-rc14",
        {
          cause: error,
        },
      );
    }
  },
};
