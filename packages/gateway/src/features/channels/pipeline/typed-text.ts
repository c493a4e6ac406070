/** The text of a message as commands are read from it (agent.md §9.1): without our own mention in front, and with the address of a
 *  command looked at. Pure. */
import type { InboundMessage } from "../inbound.ts";

export interface Typed {
  text: string;
  /** A command for another bot. */
  forOther: boolean;
}

export function typedText(
  message: Pick<InboundMessage, "text" | "mentions">,
  ownName: string | undefined,
  resetTriggers: readonly string[],
): Typed {
  const own = ownName?.replace(/^@/, "").toLowerCase();
  let text = message.text.trim();
  if (message.mentions.self) {
    // `@name` in front, however the platform spells names.
    const lead = /^@[^\s]{1,64}[\s,:]*/u.exec(text)?.[0];
    if (lead && (own === undefined || lead.toLowerCase().startsWith(`@${own}`))) text = text.slice(lead.length);
  }
  const address = /^\/[a-z][\w-]*@([\w-]+)/i.exec(text)?.[1]?.toLowerCase();
  const forOther = address !== undefined && own !== undefined && address !== own;
  return { text: asReset(text, resetTriggers), forOther };
}

/** Words of the config that begin a new session, as the command. */
function asReset(text: string, triggers: readonly string[]): string {
  const lower = text.toLowerCase();
  for (const trigger of triggers) {
    const word = trigger.trim().toLowerCase();
    if (word === "" || word === "/new" || word === "/reset" || !lower.startsWith(word)) continue;
    const rest = text.slice(word.length);
    if (rest === "" || /^\s/u.test(rest)) return `/new${rest}`;
  }
  return text;
}
