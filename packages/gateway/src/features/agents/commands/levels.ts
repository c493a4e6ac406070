/** Levels a session keeps: /think, /verbose, /usage. Without an argument they show the present value. */
import { parseThinkingLevel } from "../../models/index.ts";
import { modelOf, thinkingOf } from "../turn.ts";
import type { Command, CommandCall, CommandReply } from "./command.ts";

export const thinkingNames = "off, minimal, low, medium, high, xhigh";

export function parseVerbose(text: string): "off" | "on" | "full" | undefined {
  const level = text.trim().toLowerCase();
  if (level === "off" || level === "on" || level === "full") return level;
  return undefined;
}

function keep(
  call: CommandCall,
  patch: Parameters<CommandCall["deps"]["sessions"]["update"]>[2],
  text: string,
): CommandReply {
  return { text, write: (tx) => void call.deps.sessions.update(tx, call.run.sessionKey, patch) };
}

function think(call: CommandCall): CommandReply {
  const { args, deps, session, run } = call;
  if (args === "")
    return {
      text: `Thinking: ${thinkingOf(deps, modelOf(deps, run.request.agentId, session), session)}. Levels: ${thinkingNames}.`,
    };
  const level = parseThinkingLevel(args);
  if (!level) return { text: `"${args.slice(0, 40)}" is no thinking level. Levels: ${thinkingNames}.` };
  return keep(call, { thinkingLevel: level }, `Thinking is now ${level} in this session.`);
}

function verbose(call: CommandCall): CommandReply {
  if (call.args === "") {
    const { verboseDefault } = call.deps.config.current.agents.defaults;
    return { text: `Verbose: ${call.session?.verboseLevel ?? verboseDefault}. Levels: off, on, full.` };
  }
  const level = parseVerbose(call.args);
  if (!level) return { text: `"${call.args.slice(0, 40)}" is no verbose level. Levels: off, on, full.` };
  return keep(call, { verboseLevel: level }, `Verbose is now ${level} in this session.`);
}

function usage(call: CommandCall): CommandReply {
  const { session } = call;
  const mode = call.args.toLowerCase();
  if (mode === "" || mode === "cost") {
    const tokens = `Last run: ${session?.inputTokens ?? 0} in, ${session?.outputTokens ?? 0} out. In context: ${session?.totalTokens ?? 0} tokens.`;
    return { text: `${tokens}\nFooter: ${session?.responseUsage ?? "off"}. Choices: off, tokens, full.` };
  }
  if (mode === "off") return keep(call, { responseUsage: undefined }, "The usage footer is off.");
  if (mode === "tokens" || mode === "on")
    return keep(call, { responseUsage: "tokens" }, "Replies now end with their tokens.");
  if (mode === "full") return keep(call, { responseUsage: "full" }, "Replies now end with tokens, cost and session.");
  return { text: `"${call.args.slice(0, 40)}" is no choice of /usage. Choices: off, tokens, full, cost.` };
}

export const levelCommands: Command[] = [
  { name: "think", aliases: ["thinking", "t"], args: "[level]", summary: "How long the model thinks.", run: think },
  { name: "verbose", aliases: ["v"], args: "[off|on|full]", summary: "How much of tool calls is shown.", run: verbose },
  { name: "usage", args: "[off|tokens|full|cost]", summary: "Tokens below replies.", run: usage },
];
