/** One part of a message on its way out: which method carries it, and what its answer means (channels.md §7.8). */
import type { Message } from "grammy/types";
import type { OutboundPart, RenderedText, SendOutcome } from "../outbound.ts";
import type { BotApi } from "./api.ts";
import { CallError, type Failure } from "./failure.ts";
import type { TelegramLimits } from "./limits.ts";
import { type MediaPlan, type MessageParams, planMedia } from "./media.ts";
import type { TelegramSettings } from "./settings.ts";
import { generalTopic } from "./updates.ts";

export interface SendOptions {
  api: BotApi;
  settings: TelegramSettings;
  limits: TelegramLimits;
  signal: AbortSignal;
}

/** What may be given up, one thing after the other, so that the message arrives at all. */
interface Concessions {
  chatId: string;
  plain: boolean;
  noThread: boolean;
  noReply: boolean;
  media: MediaPlan | undefined;
}

/** Each concession at most once, so this is more than can be needed. */
const maxAttempts = 6;

/** Never rejects. A repetition here follows only a refusal, which had no effect. */
export async function sendPart(part: OutboundPart, o: SendOptions): Promise<SendOutcome> {
  if (o.signal.aborted) return { state: "retry", reason: "aborted", detail: "Given up before it was sent." };
  const { content, target } = part;
  const planned = content.type === "media" ? await planMedia(content, o.settings) : undefined;
  if (planned && "problem" in planned) return { state: "failed", ...planned.problem };
  const give: Concessions = { chatId: target.chatId, plain: false, noThread: false, noReply: false, media: planned };
  for (let attempt = 1; ; attempt++) {
    try {
      const sent = await callFor(part, give, o);
      if (!Number.isSafeInteger(sent?.message_id)) {
        const { message } = new CallError("send", { kind: "no-answer", status: 200 });
        return { state: "unknown", reason: "no-answer", detail: message };
      }
      return { state: "sent", messageId: String(sent.message_id), chatId: String(sent.chat?.id ?? give.chatId) };
    } catch (error) {
      if (!(error instanceof CallError))
        return {
          state: "failed",
          reason: "unsendable",
          detail: error instanceof Error ? error.message : String(error),
        };
      if (attempt < maxAttempts && concede(give, error.failure, part)) continue;
      return outcomeOf(error);
    }
  }
}

function callFor(part: OutboundPart, give: Concessions, o: SendOptions): Promise<Message> {
  const { content } = part;
  const common = envelopeOf(part, give);
  const options = { timeoutMs: Math.min(o.settings.timeoutMs ?? o.limits.sendMs, o.limits.uploadMs), signal: o.signal };
  switch (content.type) {
    case "text": {
      const preview = o.settings.linkPreview ? {} : { link_preview_options: { is_disabled: true } };
      return o.api.call("sendMessage", { ...common, ...textOf(content.body, give.plain, "text"), ...preview }, options);
    }
    case "media": {
      const caption = content.caption ? textOf(content.caption, give.plain, "caption") : {};
      if (!give.media) throw new Error("a file without a plan");
      return give.media.send(o.api, { ...common, ...caption }, { ...options, timeoutMs: o.limits.uploadMs });
    }
    case "poll": {
      const { question, options: answers, maxSelections, isAnonymous, durationSeconds } = content;
      const params = {
        ...common,
        question,
        options: answers.map((text) => ({ text })),
        allows_multiple_answers: maxSelections > 1,
        ...(isAnonymous === undefined ? {} : { is_anonymous: isAnonymous }),
        ...(durationSeconds === undefined ? {} : { open_period: durationSeconds }),
      };
      return o.api.call("sendPoll", params, options);
    }
  }
}

function envelopeOf(part: OutboundPart, give: Concessions): MessageParams {
  const { threadId } = part.target;
  const replyTo = Number(part.replyToId);
  const inThread = threadId !== undefined && threadId !== generalTopic && !give.noThread;
  const asReply = part.replyToId !== undefined && Number.isSafeInteger(replyTo) && !give.noReply;
  return {
    chat_id: give.chatId,
    // Messages for the general topic name none.
    ...(inThread ? { message_thread_id: Number(threadId) } : {}),
    ...(asReply ? { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true } } : {}),
    ...(part.silent ? { disable_notification: true } : {}),
  };
}

export function textOf<K extends "text" | "caption">(body: RenderedText, plain: boolean, key: K) {
  const fields = { [key]: plain ? body.plain : body.text } as Record<K, string>;
  return plain ? fields : { ...fields, parse_mode: "HTML" as const };
}

/** True when the part is worth another attempt, made smaller. The platform has one code for every refusal of a request: only its
 *  text tells them apart. */
function concede(give: Concessions, failure: Failure, part: OutboundPart): boolean {
  if (failure.kind !== "refused" || failure.code !== 400) return false;
  const { description, migrateTo } = failure;
  if (migrateTo !== undefined && give.chatId !== migrateTo) {
    give.chatId = migrateTo;
    return true;
  }
  if (!give.plain && part.content.type !== "poll" && /can't parse entities/iu.test(description))
    return (give.plain = true);
  if (!give.noThread && part.target.threadId !== undefined && /message thread not found/iu.test(description))
    return (give.noThread = true);
  if (!give.noReply && part.replyToId !== undefined && /repl(?:y|ied).*not found/iu.test(description))
    return (give.noReply = true);
  const lesser = give.media?.lesser(description);
  if (lesser === undefined) return false;
  give.media = lesser;
  return true;
}

function outcomeOf({ failure, message }: CallError): SendOutcome {
  switch (failure.kind) {
    case "not-sent":
      return { state: "retry", reason: "network", detail: message };
    case "aborted":
      return { state: "unknown", reason: failure.late ? "timeout" : "aborted", detail: message };
    case "no-answer":
      // Refused by what stands in front of the platform, for its size alone.
      return failure.status === 413
        ? { state: "failed", reason: "too-large", detail: "Telegram refused the message for its size (HTTP 413)." }
        : { state: "unknown", reason: "no-answer", detail: message };
    case "refused":
      return refusalOutcome(failure, message);
  }
}

function refusalOutcome(failure: Extract<Failure, { kind: "refused" }>, message: string): SendOutcome {
  const { code, description, retryAfterMs } = failure;
  if (code === 429)
    return {
      state: "retry",
      reason: "rate-limited",
      detail: message,
      ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }),
    };
  if (code >= 500) return { state: "retry", reason: "platform", detail: message };
  // The poll meets the same, and ends the account with a text that says what to do.
  if (code === 401) return { state: "retry", reason: "bad-token", detail: message, account: true };
  if (code === 403)
    return {
      state: "failed",
      reason: "blocked",
      detail: `Telegram does not let the bot write there (${description}). In a direct chat the person has to open the bot and press Start; in a group the bot has to be a member that may write.`,
    };
  if (code === 413) return { state: "failed", reason: "too-large", detail: message };
  if (/chat not found/iu.test(description))
    return {
      state: "failed",
      reason: "chat-not-found",
      detail:
        "Telegram knows no such chat. A person has to write to the bot first; the id of a group starts with -100; @name works for channels and public groups only.",
    };
  return { state: "failed", reason: "rejected", detail: message };
}
