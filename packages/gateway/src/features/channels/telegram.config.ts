/** Config keys `channels.telegram.*` (config.md §7.8). */
import { Type } from "typebox";
import {
  group,
  optChoice,
  optFlag,
  optGroup,
  optList,
  optMap,
  optNumber,
  optTexts,
  optWhole,
  pattern,
  secret,
  text,
} from "../../config/fields.ts";
import { accountKeys, groupsOf } from "./account.config.ts";

const allowFrom = Type.Optional(
  Type.Array(Type.Union([Type.String(), Type.Number()]), { description: "Who may write here." }),
);

const topic = group("One topic.", {
  requireMention: optFlag("Answer only when addressed."),
  skills: optTexts("Skills of the agent here."),
  enabled: optFlag("Answer at all. Default true."),
  allowFrom,
  systemPrompt: text("Added to the prompt."),
});

const shared = {
  ...accountKeys,
  capabilities: Type.Optional(
    Type.Union(
      [
        Type.Array(Type.String()),
        group("Abilities.", {
          inlineButtons: optChoice(
            ["off", "dm", "group", "all", "allowlist"],
            "Where buttons are offered. Default allowlist.",
          ),
        }),
      ],
      { description: "Hints for the prompt, or which abilities are used." },
    ),
  ),
  groups: groupsOf({
    enabled: optFlag("Answer at all. Default true."),
    skills: optTexts("Skills of the agent here."),
    allowFrom,
    groupPolicy: optChoice(["open", "disabled", "allowlist"], "Who may write here."),
    systemPrompt: text("Added to the prompt."),
    topics: optMap(topic, "Topics by thread id."),
  }),
  botToken: secret("Token of the bot. For the default account also TELEGRAM_BOT_TOKEN."),
  tokenFile: text("File that holds the token. Wins over botToken."),
  commands: optGroup("Command menu of the bot.", {
    native: Type.Optional(
      Type.Union([Type.Boolean(), Type.Literal("auto")], { description: "Register the commands." }),
    ),
    nativeSkills: Type.Optional(
      Type.Union([Type.Boolean(), Type.Literal("auto")], { description: "Register skills as commands." }),
    ),
  }),
  customCommands: optList(
    group("One command.", {
      command: Type.String({ pattern: "^/?[a-z0-9_]{1,32}$", description: "Name: a-z, 0-9 and _." }),
      description: Type.String({ minLength: 1, maxLength: 256, description: "Shown in the menu." }),
    }),
    "Further entries of the command menu.",
  ),
  replyToMode: optChoice(["off", "first", "all"], "Which parts of a reply quote the message. Default first."),
  streamMode: optChoice(["off", "partial", "block"], "How a reply grows while it is written. Default partial."),
  draftChunk: optGroup("Steps in which a draft grows.", {
    minChars: optWhole("Least characters. Default 200."),
    maxChars: optWhole("Most characters. Default 800."),
    breakPreference: optChoice(["paragraph", "newline", "sentence"], "Where a step ends. Default paragraph."),
  }),
  timeoutSeconds: optWhole("Deadline of a request to the platform."),
  retry: optGroup("Accepted, without effect: the outbox knows which sends may be repeated, and when.", {
    attempts: optWhole("Without effect."),
    minDelayMs: optWhole("Without effect.", { minimum: 0 }),
    maxDelayMs: optWhole("Without effect.", { minimum: 0 }),
    jitter: optNumber("Without effect.", { minimum: 0, maximum: 1 }),
  }),
  network: optGroup("Accepted, without effect: Node tries IPv4 and IPv6 in turn.", {
    autoSelectFamily: optFlag("Without effect."),
  }),
  apiRoot: pattern(
    "^https?://[^\\s?#]*[^\\s/?#]$",
    "Bot API server, for methods and files. Default https://api.telegram.org.",
  ),
  proxy: pattern(
    "^(socks[45]?h?|https?)://.+",
    "Proxy for methods and files: an http or https URL. Socks is refused.",
    {
      sensitive: true,
    },
  ),
  webhookUrl: pattern("^https://.+", "Public address for updates. Without it updates are polled."),
  webhookSecret: secret("Secret the platform sends along. Required with webhookUrl."),
  webhookPath: pattern("^/.*", "Path of the webhook. Default /telegram-webhook."),
  actions: optGroup("What agents may do.", {
    reactions: optFlag("React to messages. Default true."),
    sendMessage: optFlag("Send messages. Default true."),
    deleteMessage: optFlag("Delete messages. Default true."),
    editMessage: optFlag("Edit messages."),
    sticker: optFlag("Send stickers. Default false."),
  }),
  reactionNotifications: optChoice(["off", "own", "all"], "Which reactions agents hear of. Default own."),
  reactionLevel: optChoice(["off", "ack", "minimal", "extensive"], "How much agents react. Default minimal."),
  linkPreview: optFlag("Show previews of links. Default true."),
};

export const telegramKeys = {
  ...shared,
  accounts: optMap(group("One account.", shared), "Accounts by id. Without any there is one, `default`."),
};
