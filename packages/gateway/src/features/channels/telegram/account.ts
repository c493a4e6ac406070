/** One bot on grammY: polls, sends, fetches (channels.md §7). Loads the SDK. */
import { GatewayError } from "@openclaw/protocol";
import type { Opts, UserFromGetMe } from "grammy/types";
import type { World } from "../../../kernel/world.ts";
import type { AccountDeps, ChannelAccount, ConnectionEnd, ConnectionEvents, MenuCommand, Target } from "../channel.ts";
import type { MediaRef } from "../inbound.ts";
import type { OutboundPart, RenderedText, SendOutcome } from "../outbound.ts";
import { BotApi } from "./api.ts";
import { menuOf } from "./commands.ts";
import { download } from "./download.ts";
import { CallError } from "./failure.ts";
import { telegramLimits, type TelegramLimits } from "./limits.ts";
import { isVoice } from "./media.ts";
import { endOf, poll } from "./poll.ts";
import { sendPart, textOf } from "./send.ts";
import type { TelegramSettings } from "./settings.ts";
import { readToken } from "./token.ts";
import { TypingBreaker } from "./typing.ts";
import { UpdateReader } from "./updates.ts";

/** Bots polled by this gateway, and the signal of the attempt that does it: one bot has one poller (R-TG-1). Kept beside the World, which is what the
 *  accounts of one gateway have in common. */
const pollers = new WeakMap<World, Map<number, AbortSignal>>();

export function createTelegramAccount(
  deps: AccountDeps<TelegramSettings>,
  limits: TelegramLimits = telegramLimits,
): ChannelAccount {
  return new TelegramAccount(deps, limits);
}

class TelegramAccount implements ChannelAccount {
  readonly #d: AccountDeps<TelegramSettings>;
  readonly #limits: TelegramLimits;
  /** Of the last token that was read; outlives a connection, so that what is under way may end. */
  #api: BotApi | undefined;
  #nudge = new AbortController();
  #conflicts = 0;
  /** As it was registered last. */
  #menu: string | undefined;
  readonly #typing: TypingBreaker;

  constructor(deps: AccountDeps<TelegramSettings>, limits: TelegramLimits) {
    this.#d = deps;
    this.#limits = limits;
    this.#typing = new TypingBreaker(deps.world, limits.typingBreakMs);
  }

  linked(): boolean {
    return this.#settings.token.from !== "none";
  }

  async connect(events: ConnectionEvents, signal: AbortSignal): Promise<ConnectionEnd> {
    if (signal.aborted) return { kind: "aborted" };
    let release: (() => void) | undefined;
    try {
      const made = await this.#open();
      if ("problem" in made)
        return {
          kind: "terminal",
          reason: "bad-token",
          message: made.problem,
          fix: "Correct channels.telegram, then restart the channel.",
        };
      const me = await this.#greet(made.api, signal);
      if (signal.aborted) return { kind: "aborted" };
      // An attempt that was told to end, and has not yet, keeps the bot for a moment.
      if (pollers.get(this.#d.world)?.get(me.id)?.aborted)
        return { kind: "retry", message: "The former connection of this bot is still ending." };
      release = this.#claim(me, signal);
      if (!release)
        return {
          kind: "terminal",
          reason: "replaced",
          message: `Another account of this gateway already polls @${me.username}.`,
          fix: "Give each account a bot of its own.",
        };
      await this.#live(made.api, me, events, signal);
      return { kind: "aborted" };
    } catch (error) {
      if (signal.aborted) return { kind: "aborted" };
      if (error instanceof CallError && error.code === 409) this.#conflicts++;
      return endOf(error, { limits: this.#limits, conflicts: this.#conflicts });
    } finally {
      release?.();
    }
  }

  async send(part: OutboundPart, attempt: { signal: AbortSignal }): Promise<SendOutcome> {
    const api = this.#api;
    if (!api) return { state: "retry", reason: "not-connected", detail: "Telegram is not connected." };
    const { content, target } = part;
    if (content.type === "media" && isVoice(content)) void this.#show(target, "record_voice");
    const outcome = await sendPart(part, {
      api,
      settings: this.#settings,
      limits: this.#limits,
      signal: attempt.signal,
    });
    if (outcome.state === "retry" && outcome.reason === "rate-limited")
      this.#typing.throttled(target.chatId, outcome.afterMs ?? 0);
    return outcome;
  }

  download(ref: MediaRef, limits: { maxBytes: number; signal: AbortSignal }) {
    const { world, mediaDir } = this.#d;
    return download(ref, { api: this.#connected(), world, mediaDir, limits: this.#limits, ...limits });
  }

  async typing(chat: Target, on: boolean): Promise<void> {
    // The platform ends it by itself after a few seconds.
    if (on) await this.#show(chat, "typing");
  }

  /** Failures are swallowed. */
  async #show(chat: Target, action: "typing" | "record_voice"): Promise<void> {
    const api = this.#api;
    if (!api || !this.#typing.allows(chat.chatId)) return;
    try {
      // Unlike messages, actions name the general topic too.
      const thread = chat.threadId === undefined ? {} : { message_thread_id: Number(chat.threadId) };
      const params = { chat_id: chat.chatId, action, ...thread };
      await api.call("sendChatAction", params, { timeoutMs: this.#limits.startMs });
    } catch (error) {
      if (error instanceof CallError) this.#typing.failed(chat.chatId, error.failure);
      this.#d.log.debug("typing was not shown", { error: textOfError(error) });
    }
  }

  async react(chat: Target, messageId: string, emoji: string, options: { remove?: boolean }): Promise<void> {
    // Which emoji are allowed differs from chat to chat: the platform says it.
    const reaction = options.remove ? [] : [{ type: "emoji" as const, emoji: emoji as "👍" }];
    await this.#act("setMessageReaction", { ...messageOf(chat, messageId), reaction });
  }

  async edit(chat: Target, messageId: string, text: RenderedText): Promise<void> {
    const preview = this.#settings.linkPreview ? {} : { link_preview_options: { is_disabled: true } };
    const unmodified = /message is not modified/iu;
    const attempt = (plain: boolean, accepted: RegExp) =>
      this.#act(
        "editMessageText",
        { ...messageOf(chat, messageId), ...textOf(text, plain, "text"), ...preview },
        accepted,
      );
    const refused = await attempt(false, /can't parse entities|message is not modified/iu);
    if (refused !== undefined && !unmodified.test(refused)) await attempt(true, unmodified);
  }

  async delete(chat: Target, messageId: string): Promise<void> {
    // Twice deleted is deleted.
    await this.#act("deleteMessage", messageOf(chat, messageId), /message to delete not found/iu);
  }

  async probe(timeoutMs: number): Promise<{ ok: boolean; elapsedMs: number; error?: string; [fact: string]: unknown }> {
    const startedAt = this.#d.world.monotonic();
    const elapsed = () => Math.round(this.#d.world.monotonic() - startedAt);
    try {
      const made = await this.#open();
      if ("problem" in made) return { ok: false, elapsedMs: elapsed(), error: made.problem };
      const me = await made.api.getMe({ timeoutMs });
      return { ok: true, elapsedMs: elapsed(), bot: factsOf(me) };
    } catch (error) {
      const status = error instanceof CallError ? error.code : undefined;
      return {
        ok: false,
        elapsedMs: elapsed(),
        error: textOfError(error),
        ...(status === undefined ? {} : { status }),
      };
    }
  }

  async setCommands(commands: readonly MenuCommand[]): Promise<void> {
    const { nativeCommands, nativeSkills, customCommands } = this.#settings;
    const offered = commands.filter(({ skill }) => (skill ? nativeSkills : nativeCommands));
    const { menu, refused } = menuOf([...offered, ...customCommands], commands);
    const text = JSON.stringify(menu);
    // Registered again and again, the platform would make us wait.
    if (text === this.#menu) return;
    for (const { name, reason } of refused) this.#d.log.warn("a command is not in the menu", { name, reason });
    try {
      const api = this.#connected();
      const options = { timeoutMs: this.#limits.startMs };
      if (menu.length === 0) await api.call("deleteMyCommands", {}, options);
      else await api.call("setMyCommands", { commands: menu }, options);
      this.#menu = text;
    } catch (error) {
      this.#d.log.warn("the command menu was not registered", { error: textOfError(error) });
    }
  }

  woke(): void {
    // The request that waits may hang on a dead connection; the loop asks again on a new one.
    this.#nudge.abort();
  }

  get #settings(): TelegramSettings {
    return this.#d.account().settings;
  }

  async #open(): Promise<{ api: BotApi } | { problem: string }> {
    const { world, redact } = this.#d;
    const { token: place, apiRoot, proxy } = this.#settings;
    const read = await readToken(place, world);
    if ("problem" in read) return read;
    redact(read.token);
    if (proxy !== undefined) redact(proxy);
    return { api: new BotApi({ world, token: read.token, apiRoot, proxy }) };
  }

  /** Who the bot is, and that its updates are polled: a webhook left over would refuse every poll. */
  async #greet(api: BotApi, signal: AbortSignal): Promise<UserFromGetMe> {
    const options = { timeoutMs: this.#limits.startMs, signal };
    const me = await api.getMe(options);
    if (!Number.isSafeInteger(me?.id) || typeof me.username !== "string")
      throw new CallError("getMe", { kind: "no-answer", status: 200 });
    await api.call("deleteWebhook", { drop_pending_updates: false }, options);
    return me;
  }

  async #live(api: BotApi, me: UserFromGetMe, events: ConnectionEvents, signal: AbortSignal): Promise<void> {
    const { log, world, sentPart } = this.#d;
    if (this.#settings.webhook) log.warn("webhookUrl is set but not used: updates are polled");
    this.#api = api;
    events.opened({ id: String(me.id), name: me.first_name, username: me.username });
    events.note({ mode: "polling", bot: factsOf(me) });
    const reader = new UpdateReader({
      me,
      reactions: () => this.#settings.reactionNotifications,
      isOwn: (chatId, messageId) => sentPart(chatId, messageId) !== undefined,
    });
    await poll({
      api,
      me,
      reader,
      events,
      world,
      log,
      limits: this.#limits,
      signal,
      nudge: () => (this.#nudge = new AbortController()).signal,
      answered: () => (this.#conflicts = 0),
      pressed: (id) => this.#answerButton(api, id),
    });
  }

  #answerButton(api: BotApi, id: string): void {
    api
      .call("answerCallbackQuery", { callback_query_id: id }, { timeoutMs: this.#limits.startMs })
      .catch((error: unknown) => this.#d.log.debug("a button was not answered", { error: textOfError(error) }));
  }

  /** Undefined when another account has this bot. */
  #claim(me: UserFromGetMe, signal: AbortSignal): (() => void) | undefined {
    const { world } = this.#d;
    const mine = pollers.get(world) ?? new Map<number, AbortSignal>();
    pollers.set(world, mine);
    if (mine.has(me.id)) return undefined;
    mine.set(me.id, signal);
    return () => mine.delete(me.id);
  }

  #connected(): BotApi {
    if (this.#api) return this.#api;
    throw new GatewayError("unavailable", "Telegram is not connected.");
  }

  /** Runs a small action. Refusals whose text matches `accepted` are no failure and are returned; the platform has one code for
   *  all of them. Throws GatewayError with the platform's reason. */
  async #act<M extends "setMessageReaction" | "editMessageText" | "deleteMessage">(
    method: M,
    params: Opts<M>,
    accepted?: RegExp,
  ): Promise<string | undefined> {
    const api = this.#connected();
    try {
      await api.call(method, params, { timeoutMs: this.#limits.startMs });
      return undefined;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      const { failure } = error;
      const refused = failure.kind === "refused" ? failure : undefined;
      if (refused?.code === 400 && accepted?.test(refused.description)) return refused.description;
      const final = refused !== undefined && refused.code < 500 && refused.code !== 429;
      throw new GatewayError(final ? "invalid" : "unavailable", error.message, {
        details: { code: final ? "REFUSED_BY_PLATFORM" : "PLATFORM_UNAVAILABLE", method },
        ...(refused?.retryAfterMs === undefined ? {} : { retryAfterMs: refused.retryAfterMs }),
      });
    }
  }
}

const messageOf = (chat: Target, messageId: string) => ({ chat_id: chat.chatId, message_id: Number(messageId) });

const factsOf = (me: UserFromGetMe) => ({
  id: String(me.id),
  username: me.username,
  canJoinGroups: me.can_join_groups,
  /** Without it the bot sees only what is addressed to it, unless it is an administrator. */
  canReadAllGroupMessages: me.can_read_all_group_messages,
});

const textOfError = (error: unknown) => (error instanceof Error ? error.message : String(error));
