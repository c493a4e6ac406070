/** What the model reads for one or several messages, and what it is told about a group (channels.md §5.7, agent.md §2.3b, §8.4).
 *  Pure. */
import type { Arrival } from "./arrival.ts";
import type { HistoryBlock } from "./group-history.ts";
import { cut, envelope, type EnvelopeStyle, flatName } from "./envelope.ts";

export interface PromptParts {
  arrivals: readonly { arrival: Arrival; media: readonly string[] }[];
  style: EnvelopeStyle;
  previousAt: number | undefined;
  /** Block of what a group said before. */
  history: HistoryBlock | undefined;
  /** Previews of messages that were dropped from the queue. */
  dropped: readonly string[];
}

/** `text` replaces what was typed in the only message there is, without its directives. */
export function promptText({ arrivals, style, previousAt, history, dropped }: PromptParts, text?: string): string {
  const blocks = arrivals.map(({ arrival, media }, index) =>
    envelope({
      label: arrival.entry.label,
      message: arrival.message,
      text: arrivals.length === 1 && text !== undefined ? text : arrival.parsed.text,
      style,
      previousAt: index === 0 ? previousAt : arrivals[index - 1]?.arrival.message.at,
      media,
    }),
  );
  const body =
    blocks.length === 1
      ? (blocks[0] ?? "")
      : ["[Messages that waited while you were busy]", ...blocks.map((block, at) => `---\n${at + 1}. ${block}`)].join(
          "\n",
        );
  return [droppedBlock(dropped), history?.text, body].filter((part) => part !== undefined).join("\n");
}

function droppedBlock(dropped: readonly string[]): string | undefined {
  if (dropped.length === 0) return undefined;
  const many = dropped.length === 1 ? "1 message was" : `${dropped.length} messages were`;
  return [
    `[Messages that waited and were not answered: ${many} dropped]`,
    ...dropped.map((line) => `- ${line}`),
    "",
  ].join("\n");
}

export const previewOf = ({ message }: Arrival): string =>
  cut(
    flatName(
      `${message.sender.name ?? message.sender.id}: ${message.text || message.media.map(({ kind }) => `<${kind}>`).join(" ")}`,
      160,
    ),
    160,
  );

const maxMembers = 30;

/** For the system prompt of a group's session: where the agent is, and how to behave there. Stable from turn to turn. */
export function groupIntro({ entry, message, group }: Arrival, always: boolean): string | undefined {
  const { chat } = message;
  if (chat.kind === "direct") return undefined;
  const title = flatName(chat.title ?? "");
  const members = (chat.members ?? []).slice(0, maxMembers).map((member) => flatName(member, 60));
  return [
    `You are in the ${entry.label} ${chat.kind}${title === "" ? "" : ` "${title}"`}. Several people read what you write; each message names its sender.`,
    ...(members.length > 0 ? [`Members: ${members.join(", ")}.`] : []),
    always
      ? "You see every message here. Stay in the background: when nothing needs to be added, answer exactly NO_REPLY. When you speak, be brief and human, without markdown tables."
      : "You were addressed. Be brief and human, without markdown tables.",
    ...(group?.systemPrompt ? [group.systemPrompt] : []),
  ].join("\n");
}
