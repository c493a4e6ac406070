/** What a platform shows when a message was taken: read marks and the reaction that acknowledges it (channels.md §5.6). They may
 *  fail, and then nothing else does. */
import type { Logger } from "../../../kernel/log.ts";
import type { AgentDirectory } from "../../agents/index.ts";
import type { AckReaction, ChannelAccount, Target } from "../channel.ts";
import type { InboundMessage } from "../inbound.ts";
import type { Arrival } from "./arrival.ts";
import type { PipelineConfig } from "./ports.ts";
import { targetOf } from "./routing.ts";

export interface AckInput {
  own: AckReaction | undefined;
  messages: Pick<PipelineConfig["messages"], "ackReaction" | "ackReactionScope">;
  identityEmoji: string | undefined;
  group: boolean;
  addressed: boolean;
}

/** The emoji a message is acknowledged with; undefined for none. */
export function ackEmoji({ own, messages, identityEmoji, group, addressed }: AckInput): string | undefined {
  if (own) {
    const here = group ? own.group === "always" || (own.group === "mentions" && addressed) : own.direct;
    return here && own.emoji !== "" ? own.emoji : undefined;
  }
  const scope = messages.ackReactionScope;
  const here =
    scope === "all" ||
    (group ? scope === "group-all" || (scope === "group-mentions" && addressed) : scope === "direct");
  const emoji = messages.ackReaction ?? identityEmoji ?? "👀";
  return here && emoji.trim() !== "" ? emoji.trim() : undefined;
}

export class Courtesies {
  readonly #config: { readonly current: Pick<PipelineConfig, "messages"> };
  readonly #directory: Pick<AgentDirectory, "identity">;
  readonly #log: Logger;
  readonly #account: (channel: string, accountId: string) => ChannelAccount | undefined;

  constructor(options: {
    config: { readonly current: Pick<PipelineConfig, "messages"> };
    directory: Pick<AgentDirectory, "identity">;
    log: Logger;
    account: (channel: string, accountId: string) => ChannelAccount | undefined;
  }) {
    this.#config = options.config;
    this.#directory = options.directory;
    this.#log = options.log;
    this.#account = options.account;
  }

  /** The message was accepted. Returns what takes the reaction back after the reply, if that is wanted. */
  accepted(arrival: Arrival, addressed: boolean): (() => void) | undefined {
    const account = this.#account(arrival.channel, arrival.accountId);
    if (!account) return undefined;
    const receipts = arrival.rows.flatMap(({ message }) => (message.receipt === undefined ? [] : [message.receipt]));
    if (receipts.length > 0) account.markRead?.(receipts).catch((error: unknown) => this.#failed("read mark", error));
    const emoji = ackEmoji({
      own: arrival.settings.access.ackReaction,
      messages: this.#config.current.messages,
      identityEmoji: this.#directory.identity(arrival.agentId).emoji,
      group: arrival.message.chat.kind !== "direct",
      addressed,
    });
    if (!emoji || !arrival.entry.capabilities.reactions) return undefined;
    const target = targetOf(arrival.message);
    this.#react(account, target, arrival.message, emoji, false);
    return this.#config.current.messages.removeAckAfterReply
      ? () => this.#react(account, target, arrival.message, emoji, true)
      : undefined;
  }

  #react(account: ChannelAccount, target: Target, message: InboundMessage, emoji: string, remove: boolean): void {
    const receipt = message.receipt === undefined ? {} : { receipt: message.receipt };
    account
      .react?.(target, message.messageId, emoji, { remove, ...receipt })
      .catch((error: unknown) => this.#failed("reaction", error));
  }

  #failed(what: string, error: unknown): void {
    this.#log.debug(`a ${what} could not be shown`, { error });
  }
}
