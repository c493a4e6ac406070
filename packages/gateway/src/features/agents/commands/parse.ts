/** Reading a message (agent.md §9.1): a command, a message with directives, or plain text. */
import { parseThinkingLevel } from "../../models/index.ts";
import { parseVerbose } from "./levels.ts";
import { findCommand } from "./table.ts";

export interface Parsed {
  /** The text without directives. */
  text: string;
  command?: { name: string; args: string };
  thinking?: string;
  verbose?: string;
  model?: string;
}

const stopWords = new Set(["/stop", "stop", "esc", "abort", "wait", "exit", "interrupt"]);

/** Whether the whole message asks to stop (protocol.md §13.5). */
export const isStopWord = (message: string): boolean =>
  message.length < 64 && stopWords.has(message.trim().toLowerCase());

/** `isModel` says whether a word names a model. Unknown `/words` stay text. */
export function parseMessage(message: string, isModel: (word: string) => boolean): Parsed {
  const trimmed = message.trim();
  const match = /^\/([a-z][\w-]*)(?:@[\w-]+)?:?(?:[ \t]+([^\n]*))?(?:\n([\s\S]*))?$/i.exec(trimmed);
  const command = match?.[1] ? findCommand(match[1]) : undefined;
  const args = match?.[2]?.trim() ?? "";
  const rest = match?.[3]?.trim() ?? "";
  if (command && !isDirective(command.name)) {
    const whole =
      command.name === "new" || command.name === "reset" || command.name === "compact"
        ? [args, rest].filter(Boolean).join("\n")
        : args;
    return { text: trimmed, command: { name: command.name, args: whole } };
  }
  const found: Parsed = { text: trimmed };
  // A directive's argument must be valid, else the words are part of the text.
  found.text = trimmed
    .replace(
      /(^|\s)\/(think|thinking|t|verbose|v|model):?[ \t]+(\S+)(?=\s|$)/gi,
      (whole, before: string, name: string, value: string) => {
        const kind = findCommand(name)?.name;
        if (kind === "think" && parseThinkingLevel(value)) found.thinking = parseThinkingLevel(value) ?? value;
        else if (kind === "verbose" && parseVerbose(value)) found.verbose = value.toLowerCase();
        else if (kind === "model" && isModel(value)) found.model = value;
        else return whole;
        return before === "\n" ? before : "";
      },
    )
    .trim();
  if (found.text !== "" && found.text !== trimmed) return found;
  // A directive alone is a command: it changes the session, or shows what is set.
  return command ? { text: trimmed, command: { name: command.name, args } } : { text: trimmed };
}

const isDirective = (name: string): boolean => name === "think" || name === "verbose" || name === "model";
