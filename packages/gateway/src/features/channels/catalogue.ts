/** The channels there are. An adapter is loaded when the config names its channel, its SDK when an account starts. */
import type { ChannelRow } from "./channel.ts";
import { isWhatsAppEscape } from "./escaped.ts";

export const channelRows: readonly ChannelRow[] = [
  {
    id: "whatsapp",
    label: "WhatsApp",
    aliases: ["wa"],
    summary: "linked as a device, like WhatsApp Web",
    escapes: isWhatsAppEscape,
    load: async () => (await import("./whatsapp/entry.ts")).whatsappEntry,
  },
  {
    id: "telegram",
    label: "Telegram",
    aliases: ["tg"],
    summary: "through a bot of @BotFather",
    load: async () => (await import("./telegram/entry.ts")).telegramEntry,
  },
];

/** The channel whose SDK let this rejection escape; undefined when it is nobody's. */
export const escapedFrom = (error: unknown): string | undefined =>
  channelRows.find(({ escapes }) => escapes?.(error))?.id;
