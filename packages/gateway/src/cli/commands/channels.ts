/** Rows of `channels …`, `message …` and `pairing …`. A table without code. */
import type { CommandRow, OptionSpec } from "../command.ts";
import { json, rpcPlain, target } from "../options.ts";

const channel = (text: string): OptionSpec => ({ name: "channel", value: "id", text });
const account: OptionSpec = { name: "account", value: "id", text: "Account; default: the channel's default" };

const destination: readonly OptionSpec[] = [
  { name: "target", short: "t", value: "dest", text: "Number, chat id, @name or group" },
  channel("whatsapp or telegram; default: the only configured one"),
  account,
  { name: "thread-id", value: "id", text: "Topic or thread" },
];
const sending: readonly OptionSpec[] = [
  ...destination,
  { name: "silent", text: "Without a sound" },
  { name: "dry-run", text: "Print what would be sent; needs no gateway" },
  { name: "idempotency-key", value: "key", text: "A repeated key never sends twice" },
  { name: "verbose", text: "Say more on stderr" },
];
const messageId: OptionSpec = { name: "message-id", value: "id", text: "Message" };

const loadMessage = async () => import("../message.ts");
const loadChannels = async () => import("../channels.ts");
const loadConfig = async () => import("../channels-config.ts");
const loadLogin = async () => import("../channels-login.ts");
const loadPairing = async () => import("../pairing.ts");

export const channelCommands: readonly CommandRow[] = [
  { path: "channels", summary: "WhatsApp, Telegram and their accounts" },
  {
    path: "channels list",
    summary: "List the configured accounts",
    options: [{ name: "no-usage", text: "Accepted for old scripts; has no effect" }, json],
    load: async () => (await loadChannels()).list,
  },
  {
    path: "channels status",
    summary: "Show how every account is",
    options: [...target("10000"), { name: "probe", text: "Ask the platforms" }, json],
    examples: [["openclaw channels status --probe", "ask the platforms too"]],
    anyConfig: true,
    load: async () => (await loadChannels()).status,
  },
  {
    path: "channels add",
    summary: "Put an account into the config",
    options: [
      channel("whatsapp or telegram"),
      account,
      { name: "name", value: "name", text: "Name for people" },
      { name: "token", value: "token", text: "Bot token (visible to other users of this machine)" },
      { name: "token-file", value: "path", text: "File that holds the bot token" },
      { name: "bot-token", value: "token", text: "Same as --token" },
      { name: "use-env", text: "Take the token from TELEGRAM_BOT_TOKEN (default account)" },
      { name: "auth-dir", value: "path", text: "WhatsApp: directory with keys to take over" },
      { name: "dm-allowlist", value: "ids", text: "Senders who may write, separated by commas" },
      json,
    ],
    examples: [
      ["openclaw channels add --channel telegram --token-file ~/bot-token", "a bot"],
      ["openclaw channels add --channel whatsapp", "then: openclaw channels login"],
    ],
    load: async () => (await loadConfig()).add,
  },
  {
    path: "channels remove",
    summary: "Disable an account, or take it out of the config",
    options: [channel("whatsapp or telegram"), account, { name: "delete", text: "Take it out" }, json],
    load: async () => (await loadConfig()).remove,
  },
  {
    path: "channels login",
    summary: "Link WhatsApp by a QR code",
    options: [
      ...target("10000"),
      channel("Default: whatsapp"),
      account,
      { name: "phone", value: "number", text: "Link by a code typed on this phone instead" },
      { name: "force", text: "Link again although it is linked" },
      { name: "verbose", text: "Say more on stderr" },
    ],
    load: async () => (await loadLogin()).login,
  },
  {
    path: "channels logout",
    summary: "Unlink WhatsApp and forget its keys",
    options: [...target("30000"), channel("Default: whatsapp"), account, json],
    load: async () => (await loadLogin()).logout,
  },
  { path: "message", summary: "Send and change messages" },
  {
    path: "message send",
    summary: "Send one message",
    options: [
      ...target("60000"),
      ...sending,
      { name: "message", short: "m", value: "text", text: "Text, as markdown" },
      { name: "media", value: "path|url", text: "File to send (repeatable)", repeat: true },
      { name: "reply-to", value: "id", text: "Message that is answered" },
      { name: "gif-playback", text: "Play a video as a GIF" },
      { name: "as-voice", text: "Send audio as a voice message" },
      json,
    ],
    examples: [
      ['openclaw message send --target +15555550123 --message "Hi"', "by WhatsApp"],
      ['openclaw message send --channel telegram --target 123456789 -m "Hi" --media ./plan.pdf', "with a file"],
    ],
    load: async () => (await loadMessage()).send,
  },
  {
    path: "message poll",
    summary: "Send a poll",
    options: [
      ...target("60000"),
      ...sending,
      { name: "poll-question", value: "text", text: "Question" },
      { name: "poll-option", value: "text", text: "Option, 2 to 12 times", repeat: true },
      { name: "poll-multi", text: "Several options may be chosen" },
      { name: "poll-duration-hours", value: "n", text: "How long it is open" },
      { name: "message", short: "m", value: "text", text: "Same as --poll-question" },
      json,
    ],
    load: async () => (await loadMessage()).poll,
  },
  {
    path: "message react",
    summary: "React to a message",
    options: [
      ...target("30000"),
      ...destination,
      messageId,
      { name: "emoji", value: "emoji", text: "Reaction" },
      { name: "remove", text: "Take the reaction back" },
      { name: "participant", value: "jid", text: "WhatsApp group: sender of the message" },
      { name: "from-me", text: "The message is our own" },
      json,
    ],
    load: async () => (await loadMessage()).react,
  },
  {
    path: "message edit",
    summary: "Change the text of a message the bot sent",
    options: [
      ...target("30000"),
      ...destination,
      messageId,
      { name: "message", short: "m", value: "text", text: "New text" },
      json,
    ],
    load: async () => (await loadMessage()).edit,
  },
  {
    path: "message delete",
    summary: "Delete a message",
    options: [...target("30000"), ...destination, messageId, json],
    load: async () => (await loadMessage()).remove,
  },
  { path: "pairing", summary: "Senders who may write to the agent" },
  {
    path: "pairing list",
    summary: "List senders who wait for approval",
    arguments: [{ name: "channel" }],
    options: [...rpcPlain, channel("Only this channel"), account],
    load: async () => (await loadPairing()).list,
  },
  {
    path: "pairing approve",
    summary: "Let a sender write, by the code of the pairing reply",
    arguments: [{ name: "codeOrChannel", required: true }, { name: "code" }],
    options: [...rpcPlain, channel("Channel of the code"), account, { name: "notify", text: "Tell the sender" }],
    examples: [["openclaw pairing approve telegram ABCD2345", "approve one"]],
    load: async () => (await loadPairing()).approve,
  },
  {
    path: "pairing reject",
    summary: "Drop a pairing request",
    arguments: [{ name: "codeOrChannel", required: true }, { name: "code" }],
    options: [...rpcPlain, channel("Channel of the code"), account],
    load: async () => (await loadPairing()).reject,
  },
];
