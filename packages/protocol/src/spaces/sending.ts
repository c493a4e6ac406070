/** Messages and polls through channels (protocol.md §13.2). */
import { Type } from "typebox";
import { method } from "../define.ts";
import { bool, choice, closed, doc, idempotencyKey, open, opt, str, str1, strings } from "../fields.ts";

const delivered = {
  runId: str1,
  messageId: str,
  channel: str,
  chatId: opt(str),
  channelId: opt(str),
  toJid: opt(str),
  conversationId: opt(str),
};

export const send = method({
  name: "send",
  scope: "operator.write",
  summary: "Sends one message through a channel.",
  idempotent: true,
  // The rows of the outbox decide: they know what left, also after a restart.
  duplicate: "none",
  params: closed({
    to: str1,
    /** May be missing when media is given. */
    message: opt(str),
    mediaUrl: opt(str),
    mediaUrls: opt(strings),
    gifPlayback: opt(bool),
    channel: opt(str),
    accountId: opt(str),
    sessionKey: opt(str),
    agentId: opt(str),
    threadId: opt(str),
    replyTo: opt(doc("Message that is answered.", str1)),
    silent: opt(doc("Without a sound, where the platform can.", bool)),
    asVoice: opt(doc("Audio as a voice message.", bool)),
    idempotencyKey,
  }),
  result: open(delivered),
});

export const poll = method({
  name: "poll",
  scope: "operator.write",
  summary: "Sends a poll through a channel.",
  idempotent: true,
  // The rows of the outbox decide: they know what left, also after a restart.
  duplicate: "none",
  params: closed({
    to: str1,
    question: str1,
    options: Type.Array(str1, { minItems: 2, maxItems: 12 }),
    maxSelections: opt(Type.Integer({ minimum: 1, maximum: 12 })),
    durationHours: opt(Type.Integer({ minimum: 1 })),
    durationSeconds: opt(Type.Integer({ minimum: 1 })),
    silent: opt(bool),
    isAnonymous: opt(bool),
    channel: opt(str),
    accountId: opt(str),
    threadId: opt(str),
    idempotencyKey,
  }),
  result: open({ ...delivered, pollId: opt(str) }),
});

export const messageAction = method({
  name: "message.action",
  scope: "operator.write",
  summary: "Reacts to, changes or deletes a message, where the platform can.",
  params: closed({
    action: choice("react", "edit", "delete"),
    channel: opt(str1),
    accountId: opt(str1),
    to: str1,
    threadId: opt(str1),
    messageId: str1,
    emoji: opt(str),
    remove: opt(doc("Takes the reaction back.", bool)),
    message: opt(doc("New text.", str1)),
    participant: opt(doc("Sender of the message, in a group.", str1)),
    fromMe: opt(doc("The message is our own.", bool)),
  }),
  result: open({ ok: bool, channel: str, messageId: str }),
});
