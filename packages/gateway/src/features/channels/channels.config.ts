/** Config keys `channels.*` and `web.*` (config.md §7.2, §7.8). */
import { Type } from "typebox";
import { flag, group, number, optChoice, optFlag, optGroup, optOpen, whole } from "../../config/fields.ts";
import { section, type SectionValue } from "../../config/section.ts";
import { telegramKeys } from "./telegram.config.ts";
import { whatsappKeys } from "./whatsapp.config.ts";

const heartbeat = optGroup("Which heartbeat results show in chats.", {
  showOk: optFlag("Show that nothing was due. Default false."),
  showAlerts: optFlag("Show what is due. Default true."),
  useIndicator: optFlag("Show activity while it runs. Default true."),
});

const places = (id: string) =>
  optOpen(`Settings of ${id}. Ignored where no adapter for it is installed.`, { reload: id });

export const channelsSection = section(
  "channels",
  { reload: "restart", description: "Chat platforms.", announce: false },
  {
    defaults: optGroup(
      "What holds for every channel.",
      { groupPolicy: optChoice(["open", "disabled", "allowlist"], "Which groups are answered."), heartbeat },
      { reload: "live" },
    ),
    whatsapp: Type.Optional(
      group("WhatsApp, linked as a device.", whatsappKeys, { reload: "live", ownReload: "whatsapp" }),
    ),
    telegram: Type.Optional(group("Telegram, through a bot.", telegramKeys, { reload: "telegram" })),
    discord: places("discord"),
    slack: places("slack"),
    signal: places("signal"),
    imessage: places("imessage"),
    googlechat: places("googlechat"),
    msteams: places("msteams"),
    mattermost: places("mattermost"),
    matrix: places("matrix"),
    nostr: places("nostr"),
    zalo: places("zalo"),
    zalouser: places("zalouser"),
    line: places("line"),
    bluebubbles: places("bluebubbles"),
    feishu: places("feishu"),
    "nextcloud-talk": places("nextcloud-talk"),
    tlon: places("tlon"),
    twitch: places("twitch"),
    urbit: places("urbit"),
    webchat: places("webchat"),
  },
  // Channels of plugins: which names are legal depends on the plugins, see the rules between keys.
  Type.Record(Type.String(), Type.Unknown()),
);

export const webSection = section(
  "web",
  { reload: "whatsapp", description: "The connection to WhatsApp Web." },
  {
    enabled: flag(true, "Connect at all."),
    heartbeatSeconds: whole(60, "Seconds between looks at the connection."),
    reconnect: group("Waiting between attempts.", {
      initialMs: number(2_000, "First wait.", { exclusiveMinimum: 0 }),
      maxMs: number(30_000, "Longest wait.", { exclusiveMinimum: 0 }),
      factor: number(1.8, "Growth of the wait.", { exclusiveMinimum: 0 }),
      jitter: number(0.25, "Random share of the wait.", { minimum: 0, maximum: 1 }),
      maxAttempts: whole(12, "Attempts in a row. 0 means without end.", { minimum: 0 }),
    }),
  },
);

export type ChannelsConfig = SectionValue<typeof channelsSection>;
export type WebConfig = SectionValue<typeof webSection>;
