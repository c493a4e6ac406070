/** Keys that every account of a built-in channel has (config.md §7.8). All may be absent: an account inherits the channel's. */
import { Type, type TSchema } from "typebox";
import {
  group,
  optChoice,
  optFlag,
  optGroup,
  optMap,
  optNumber,
  optOpen,
  optWhole,
  text,
} from "../../config/fields.ts";

/** Senders as the platform names them; a number is a person's id. */
const senders = (description: string) =>
  Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number()]), { description }));

const groupKeys = {
  requireMention: optFlag("Answer only when addressed. Default true."),
  tools: optOpen("Tool policy in this group."),
  toolsBySender: optOpen("Tool policy by sender."),
};

/** `groups`: an entry per group, or `*`. */
export const groupsOf = (more: Record<string, TSchema> = {}) =>
  optMap(
    group("One group.", { ...groupKeys, ...more }),
    "Groups by id, or `*`. With any entry this is also the list of groups that are answered.",
  );

export const accountKeys = {
  enabled: optFlag("Start this account. Default true."),
  name: text("Name for people."),
  markdown: optGroup("How replies are rendered.", {
    tables: optChoice(["off", "bullets", "code"], "How tables are sent."),
  }),
  configWrites: optFlag("Let chat commands change the config. Default true."),
  dmPolicy: optChoice(
    ["pairing", "allowlist", "open", "disabled"],
    "What happens to unknown senders. Default pairing; `open` needs `*` in allowFrom.",
  ),
  allowFrom: senders("Who may write in direct messages."),
  groupAllowFrom: senders("Who may write in groups. Default: allowFrom."),
  groupPolicy: optChoice(["open", "disabled", "allowlist"], "Which groups are answered. Default allowlist."),
  historyLimit: optWhole("Messages of a group kept as context. Default: messages.groupChat.historyLimit.", {
    minimum: 0,
  }),
  dmHistoryLimit: optWhole("Messages of a direct chat kept as context.", { minimum: 0 }),
  dms: optMap(
    group("One person.", { historyLimit: optWhole("Messages kept as context.", { minimum: 0 }) }),
    "Direct chats by sender.",
  ),
  textChunkLimit: optWhole("Characters of one message. Default 4000."),
  chunkMode: optChoice(["length", "newline"], "Where long texts are split. Default length."),
  mediaMaxMb: optNumber("Largest inbound file in MB.", { exclusiveMinimum: 0 }),
  blockStreaming: optFlag("Send finished blocks early."),
  blockStreamingCoalesce: optGroup("How blocks are joined.", {
    minChars: optWhole("Least characters of a message."),
    maxChars: optWhole("Most characters of a message."),
    idleMs: optWhole("Pause that ends a block.", { minimum: 0 }),
  }),
  heartbeat: optGroup("Which heartbeat results show here.", {
    showOk: optFlag("Show that nothing was due. Default false."),
    showAlerts: optFlag("Show what is due. Default true."),
    useIndicator: optFlag("Show activity while it runs. Default true."),
  }),
};
