/** What operators and tools send through a channel: chosen, checked and composed here, delivered by the outbox, which alone knows
 *  what left (protocol.md §13.2, channels.md §4.1). A refusal stores nothing. */
import { GatewayError, type MethodParams, type MethodResult } from "@openclaw/protocol";
import type { Service } from "../../kernel/lifecycle.ts";
import { commandLine } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import type { AccountRunner } from "./accounts/runner.ts";
import type { AccountSettings, ChannelAction, ChannelEntry, Target } from "./channel.ts";
import type { Channels } from "./channels.ts";
import { composeParts, maxParts, wasCut } from "./compose.ts";
import type { Outbox } from "./ledger/outbox.ts";
import type { AttachedFile, MediaSource } from "./media-source.ts";
import type { OutboundPart, OutboxKind } from "./outbound.ts";

/** How long a send of an operator waits for a connection that is being made (R-OUT-7). */
export const waitForConnectionMs = 5_000;
const maxFiles = 10;
const maxMirrored = 1_000;
/** What answers get that are almost there when the gateway stops. */
const answerMs = 500;

export interface Sender {
  principal: string;
  /** May send any file of this machine; others only from the media store and the workspaces. */
  owner: boolean;
  /** Session whose run sends it, and the workspace its paths are relative to. */
  sessionKey?: string;
  workspace?: string;
  /** Files it holds itself, beside those the request names. */
  attached?: readonly AttachedFile[];
}

/** Where something is to go, as callers say it. */
export interface Destination {
  channel?: string | undefined;
  accountId?: string | undefined;
  to: string;
  threadId?: string | undefined;
}

/** An account and a place on it. */
export interface Sendable {
  entry: ChannelEntry;
  runner: AccountRunner;
  settings: AccountSettings;
  target: Target;
}

export interface SendsOptions {
  world: World;
  channels: Channels;
  outbox: Outbox;
  media: MediaSource;
  /** Directories files may be sent from. */
  roots: () => readonly string[];
  /** Session a message to this target belongs to, and what was said there. */
  mirror: (sent: {
    sessionKey?: string;
    agentId?: string;
    fromSession?: string;
    channel: string;
    accountId: string;
    target: Target;
    text: string;
  }) => Promise<void>;
}

export class Sends implements Service {
  readonly name = "sends";
  readonly #o: SendsOptions;
  /** Calls that are not answered yet; the server bounds how many there are. */
  readonly #calls = new Set<Promise<unknown>>();
  /** Keys that were noted in a session lately. */
  readonly #mirrored = new Set<string>();

  constructor(options: SendsOptions) {
    this.#o = options;
  }

  send(params: MethodParams<"send">, sender: Sender, signal: AbortSignal): Promise<MethodResult<"send">> {
    return this.#counted(this.#send(params, sender, signal));
  }

  poll(params: MethodParams<"poll">, sender: Sender, signal: AbortSignal): Promise<MethodResult<"poll">> {
    return this.#counted(this.#poll(params, sender, signal));
  }

  /** After the outbox has stopped, every call is about to be answered: callers hear what became of their message before their
   *  sockets close. */
  async stop(deadlineMs: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#o.world.after(Math.min(answerMs, deadlineMs), late.resolve);
    await Promise.race([Promise.allSettled(this.#calls), late.promise]);
    timer.cancel();
  }

  async #send(params: MethodParams<"send">, sender: Sender, signal: AbortSignal): Promise<MethodResult<"send">> {
    // The outbox answers a repeated key from its rows, however the account is now (R-OUT-3); the files were taken the first time.
    const again = this.#o.outbox.knows("send", params.idempotencyKey);
    const { entry, runner, settings, target } = again ? this.find(params) : this.resolve(params);
    // Agents are held to the switches; who runs the gateway and sends with its own hands is not.
    if (sender.sessionKey !== undefined) mayAct(entry, settings, "sendMessage");
    const sources = [...(params.mediaUrl ? [params.mediaUrl] : []), ...(params.mediaUrls ?? [])];
    const count = sources.length + (sender.attached?.length ?? 0);
    if (!params.message?.trim() && count === 0)
      throw new GatewayError("invalid", "invalid send params: message or media is required");
    if (count > maxFiles) throw new GatewayError("invalid", `invalid send params: more than ${maxFiles} files`);
    const files = again ? [] : await this.#files(sources, settings, sender, signal);
    const parts = composeParts(entry, settings, {
      target,
      text: params.message ?? "",
      files,
      ...(params.replyTo ? { replyToId: params.replyTo } : {}),
      ...(params.asVoice ? { asVoice: true } : {}),
      ...(params.gifPlayback ? { gifPlayback: true } : {}),
      ...(params.silent ? { silent: true } : {}),
    });
    if (wasCut(parts))
      throw new GatewayError(
        "invalid",
        `The text would be more than ${maxParts} messages of ${entry.label}. Send it as a file.`,
      );
    const { idempotencyKey: _key, ...asked } = params;
    const stand = parts.length > 0 || !again ? parts : [emptyPart(target)];
    const result = await this.#submit("send", params, { entry, runner, target }, stand, asked, sender, signal);
    if (!again && this.#mirrorOnce(params.idempotencyKey)) {
      await this.#o.mirror({
        ...(params.sessionKey ? { sessionKey: params.sessionKey } : {}),
        ...(params.agentId ? { agentId: params.agentId } : {}),
        ...(sender.sessionKey ? { fromSession: sender.sessionKey } : {}),
        channel: entry.id,
        accountId: runner.accountId,
        target,
        text: params.message ?? "",
      });
    }
    return result;
  }

  async #poll(params: MethodParams<"poll">, sender: Sender, signal: AbortSignal): Promise<MethodResult<"poll">> {
    const again = this.#o.outbox.knows("poll", params.idempotencyKey);
    const { entry, runner, settings, target } = (again ? this.find : this.resolve).call(this, params, "poll channel");
    if (!entry.capabilities.polls) throw new GatewayError("invalid", `unsupported poll channel: ${entry.id}`);
    mayAct(entry, settings, "polls");
    if (sender.sessionKey !== undefined) mayAct(entry, settings, "sendMessage");
    const maxSelections = params.maxSelections ?? 1;
    if (maxSelections > params.options.length)
      throw new GatewayError("invalid", "invalid poll params: maxSelections is larger than the number of options");
    const seconds =
      params.durationSeconds ?? (params.durationHours === undefined ? undefined : params.durationHours * 3_600);
    const part: OutboundPart = {
      target,
      content: {
        type: "poll",
        question: params.question,
        options: params.options,
        maxSelections,
        ...(seconds === undefined ? {} : { durationSeconds: seconds }),
        ...(params.isAnonymous === undefined ? {} : { isAnonymous: params.isAnonymous }),
      },
      ...(params.silent ? { silent: true } : {}),
    };
    const { idempotencyKey: _key, ...asked } = params;
    return this.#submit("poll", params, { entry, runner, target }, [part], asked, sender, signal);
  }

  /** `react`, `edit`, `delete`: each is the same done twice, so nothing is stored. */
  async act(params: MethodParams<"message.action">): Promise<MethodResult<"message.action">> {
    const { entry, runner, settings, target } = this.resolve(params);
    const { account } = runner;
    if (!account || runner.state !== "open") throw notConnected(entry, runner);
    const unsupported = new GatewayError("invalid", `${entry.label} cannot ${params.action} messages.`);
    mayAct(entry, settings, switchOf[params.action]);
    if (params.action === "react") {
      if (!entry.capabilities.reactions || !account.react) throw unsupported;
      if (!params.remove && !params.emoji?.trim())
        throw new GatewayError("invalid", "invalid message.action params: emoji is required");
      const receipt = { participant: params.participant, fromMe: params.fromMe };
      await account.react(target, params.messageId, params.emoji ?? "", { remove: params.remove === true, receipt });
    } else if (params.action === "edit") {
      if (!entry.capabilities.edit || !account.edit) throw unsupported;
      const [body, more] = entry.render(params.message ?? "", {
        limit: settings.textChunkLimit,
        chunkMode: "length",
        tables: settings.tables,
      });
      if (!body) throw new GatewayError("invalid", "invalid message.action params: message is required");
      if (more) throw new GatewayError("invalid", `The text is longer than one message of ${entry.label}.`);
      await account.edit(target, params.messageId, body);
    } else {
      if (!entry.capabilities.delete || !account.delete) throw unsupported;
      await account.delete(target, params.messageId);
    }
    return { ok: true, channel: entry.id, messageId: params.messageId };
  }

  /** The account and target that were named, if they can send now. Throws GatewayError: "invalid" for what does not exist,
   *  "not-linked" and "unavailable" with the next step for what cannot send. */
  resolve(params: Destination, what = "channel"): Sendable {
    const found = this.find(params, what);
    assertMaySend(found);
    return found;
  }

  /** The account and target that were named, however they are. Throws GatewayError("invalid") for what does not exist. */
  find(params: Destination, what = "channel"): Sendable {
    const { channels } = this.#o;
    const service = channels.find(params.channel);
    if (!service) throw new GatewayError("invalid", `unsupported ${what}: ${(params.channel ?? "").slice(0, 64)}`);
    const { entry } = service;
    const accountId = params.accountId?.trim() || service.defaultAccountId();
    if (!entry || accountId === undefined) throw channels.notConfigured(service);
    const settings = service.settings(accountId);
    const runner = service.runner(accountId);
    if (!settings || !runner) {
      const known = service.accounts().map((account) => account.accountId);
      throw new GatewayError(
        "invalid",
        `${entry.label} has no account "${accountId.slice(0, 64)}" (there is: ${known.join(", ")}).`,
      );
    }
    const parsed = entry.parseTarget(params.to);
    const target = params.threadId ? { ...parsed, threadId: params.threadId } : parsed;
    return { entry, runner, settings, target };
  }

  async #counted<T>(call: Promise<T>): Promise<T> {
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Calls that share a key share their delivery; one of them notes it. */
  #mirrorOnce(key: string): boolean {
    if (this.#mirrored.has(key)) return false;
    this.#mirrored.add(key);
    if (this.#mirrored.size > maxMirrored)
      for (const oldest of this.#mirrored) if (this.#mirrored.delete(oldest)) break;
    return true;
  }

  async #files(sources: readonly string[], settings: AccountSettings, sender: Sender, signal: AbortSignal) {
    const [home, ...others] = this.#o.roots();
    const roots = [sender.workspace ?? home, ...others].filter((root) => root !== undefined);
    const options = {
      maxBytes: settings.mediaMaxBytes,
      signal,
      roots: sender.owner ? undefined : roots,
      base: roots[0] ?? this.#o.world.cwd(),
    };
    const files = [];
    for (const file of sender.attached ?? []) files.push(await this.#o.media.keep(file, options));
    for (const source of sources) files.push(await this.#o.media.take(source, options));
    return files;
  }

  async #submit(
    kind: OutboxKind & ("send" | "poll"),
    params: { idempotencyKey: string; sessionKey?: string | undefined },
    { entry, runner, target }: Pick<Sendable, "entry" | "runner" | "target">,
    parts: OutboundPart[],
    asked: unknown,
    sender: Sender,
    signal: AbortSignal,
  ) {
    const answer = await this.#o.outbox.submit(
      {
        key: params.idempotencyKey,
        family: kind,
        principal: sender.principal,
        channel: entry.id,
        accountId: runner.accountId,
        kind,
        parts,
        asked,
        ...(params.sessionKey ? { sessionKey: params.sessionKey } : {}),
      },
      { signal, waitForConnectionMs },
    );
    return {
      runId: params.idempotencyKey,
      messageId: answer.messageId,
      channel: entry.id,
      ...answer.facts,
      chatId: answer.chatId || target.chatId,
    };
  }
}

const switchOf: Record<MethodParams<"message.action">["action"], ChannelAction> = {
  react: "reactions",
  edit: "editMessage",
  delete: "deleteMessage",
};

/** Throws GatewayError("invalid") that names the switch. */
function mayAct(entry: ChannelEntry, { actions }: AccountSettings, action: ChannelAction): void {
  if (actions?.[action] !== false) return;
  const key = `channels.${entry.id}.actions.${action}`;
  throw new GatewayError("invalid", `${entry.label}: switched off in the config (${key}).`, {
    details: { code: "ACTION_DISABLED", path: key },
  });
}

/** Throws what `Sends.resolve` throws. */
function assertMaySend({ entry, runner }: Sendable): void {
  const { accountId } = runner;
  const { state, facts } = runner;
  if (
    state === "terminal" ||
    state === "unconfigured" ||
    state === "disabled" ||
    state === "held" ||
    state === "stopped"
  ) {
    const notLinked = entry.capabilities.login && runner.account?.linked() !== true && state === "terminal";
    const text = `${facts.lastError ?? `${entry.label} is off.`}${facts.fix ? ` Run: ${facts.fix}` : ""}`;
    throw notLinked
      ? new GatewayError("not-linked", text, { details: { channel: entry.id, accountId } })
      : new GatewayError("unavailable", text, { retryable: false, details: { channel: entry.id, accountId, state } });
  }
}

/** Stands for the parts of a request that is known by its key; never sent. */
const emptyPart = (target: Target): OutboundPart => ({
  target,
  content: { type: "text", body: { text: "", plain: "" } },
});

function notConnected(entry: ChannelEntry, runner: AccountRunner): GatewayError {
  const { lastError, nextAttemptAt } = runner.facts;
  return new GatewayError("unavailable", `${entry.label} is not connected${lastError ? `: ${lastError}` : "."}`, {
    retryAfterMs: nextAttemptAt === undefined ? waitForConnectionMs : 5_000,
  });
}

/** What to say about a channel that the config does not name. */
export const howToAdd = (id: string, label: string, world: Pick<World, "env">): string =>
  `${label} is not configured. Run: ${commandLine(world, `channels add --channel ${id}`)}`;
