/** Config keys `channels.whatsapp.*` (config.md §7.8). Read per message, except what decides whether and as whom to connect. */
import { group, optChoice, optFlag, optGroup, optMap, optTexts, optWhole, text } from "../../config/fields.ts";
import { accountKeys, groupsOf } from "./account.config.ts";

const shared = {
  ...accountKeys,
  enabled: optFlag("Start this account. Default true.", { reload: "whatsapp" }),
  capabilities: optTexts("Hints for the prompt."),
  groups: groupsOf(),
  sendReadReceipts: optFlag("Show senders that messages were read. Default true."),
  messagePrefix: text("Put before inbound messages."),
  selfChatMode: optFlag("The linked number talks to itself. Default: when allowFrom holds only the own number."),
  debounceMs: optWhole("Time in which rapid messages become one. Default 0.", { minimum: 0 }),
  ackReaction: optGroup("Reaction that acknowledges a message.", {
    emoji: text("The emoji. Empty: none."),
    direct: optFlag("In direct chats. Default true."),
    group: optChoice(["always", "mentions", "never"], "In groups. Default mentions."),
  }),
  actions: optGroup("What agents may do.", {
    reactions: optFlag("React to messages. Default true."),
    sendMessage: optFlag("Send messages. Default true."),
    polls: optFlag("Send polls. Default true."),
  }),
};

/** Where the keys of the link are; a change means another device. */
const authDir = text("Directory with the keys of the link. Default <state>/credentials/whatsapp/<account>.", {
  reload: "whatsapp",
});

export const whatsappKeys = {
  ...shared,
  accounts: optMap(
    group("One account.", { ...shared, authDir }),
    "Accounts by id. Without any there is one, `default`.",
    { entryReload: "whatsapp" },
  ),
};
