/** Whether a message in a group is meant for the agent (channels.md §2.3). */
import type { Logger } from "../../../kernel/log.ts";
import type { AgentDirectory } from "../../agents/index.ts";
import type { InboundMessage } from "../inbound.ts";
import { type SafePattern, safePattern } from "../../../kernel/safe-pattern.ts";

/** Characters that are not seen and would keep a name from being recognised. */
const invisible = /[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/gu;
const maxKept = 64;

export interface MentionConfig {
  agents: { list?: readonly { id: string; groupChat?: { mentionPatterns?: readonly string[] } }[] | undefined };
  messages: { groupChat: { mentionPatterns?: readonly string[] } };
}

export class Mentions {
  readonly #directory: Pick<AgentDirectory, "listed" | "identity">;
  readonly #log: Logger;
  readonly #compiled = new Map<string, readonly SafePattern[]>();

  constructor(options: { directory: Pick<AgentDirectory, "listed" | "identity">; log: Logger }) {
    this.#directory = options.directory;
    this.#log = options.log;
  }

  /** Native mention and answers to our own messages count first; a message for somebody else is not read for patterns. */
  isAddressed(message: InboundMessage, agentId: string, config: MentionConfig): boolean {
    if (message.mentions.self || message.replyTo?.toSelf) return true;
    if (message.mentions.others) return false;
    const text = message.text.replace(invisible, "");
    return this.#patterns(agentId, config).some(
      ({ pattern, maxChars }) =>
        pattern.test(text.slice(0, maxChars)) || (text.length > maxChars && pattern.test(text.slice(-maxChars))),
    );
  }

  #patterns(agentId: string, config: MentionConfig): readonly SafePattern[] {
    const sources =
      this.#directory.listed(agentId)?.groupChat?.mentionPatterns ??
      config.messages.groupChat.mentionPatterns ??
      this.#derived(agentId);
    const key = JSON.stringify(sources);
    const known = this.#compiled.get(key);
    if (known) return known;
    const patterns = sources.flatMap((source) => {
      const judged = safePattern(source);
      if ("pattern" in judged) return [judged];
      this.#log.warn("a mention pattern is not used", { pattern: source.slice(0, 80), problem: judged.problem });
      return [];
    });
    if (this.#compiled.size >= maxKept) this.#compiled.clear();
    this.#compiled.set(key, patterns);
    return patterns;
  }

  /** From the identity: its name as a word, its emoji. */
  #derived(agentId: string): string[] {
    const { name, emoji } = this.#directory.identity(agentId);
    const word = name?.trim().slice(0, 80);
    return [
      ...(word ? [`(?<![\\p{L}\\p{N}_])@?${escaped(word)}(?![\\p{L}\\p{N}_])`] : []),
      ...(emoji?.trim() ? [escaped(emoji.trim().slice(0, 16))] : []),
    ];
  }
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
