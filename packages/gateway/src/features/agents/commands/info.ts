/** Commands that only tell: /help, /commands, /status, /whoami. */
import type { Command, CommandCall } from "./command.ts";
import { statusText } from "./status-text.ts";

export const infoCommands = (all: () => readonly Command[]): Command[] => [
  {
    name: "help",
    summary: "What can be typed here.",
    run: () => ({
      text: `Type a message, or one of these:\n${lines(all().slice(0, 9))}\n/commands lists all of them.`,
    }),
  },
  { name: "commands", summary: "All commands.", run: () => ({ text: lines(all()) }) },
  { name: "status", summary: "Model, context, session and queue.", run: (call) => ({ text: statusText(call) }) },
  { name: "whoami", aliases: ["id"], summary: "How you are known here.", run: (call) => ({ text: whoami(call) }) },
];

const lines = (list: readonly Command[]): string =>
  list.map(({ name, args, summary }) => `/${name}${args ? ` ${args}` : ""} — ${summary}`).join("\n");

function whoami({ run }: CommandCall): string {
  return `You are ${run.request.sender}.\nSession: ${run.sessionKey}\nOwner: ${run.request.owner ? "yes" : "no"}`;
}
