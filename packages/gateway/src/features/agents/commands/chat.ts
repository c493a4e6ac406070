/** Commands for conversations of a chat platform: /queue, /activation, /send, /allowlist (agent.md §8.4, §9.2). */
import type { SessionEntry } from "../../sessions/index.ts";
import type { Command, CommandCall, CommandReply } from "./command.ts";

type Queue = NonNullable<SessionEntry["queue"]>;

const modes = ["collect", "followup", "steer", "steer-backlog", "interrupt", "queue"];
const drops = ["old", "new", "summarize"];
const maxDebounceMs = 10 * 60_000;
const maxCap = 1_000;

function keep(
  call: CommandCall,
  patch: { [K in keyof SessionEntry]?: SessionEntry[K] | undefined },
  text: string,
): CommandReply {
  return { text, write: (tx) => void call.deps.sessions.update(tx, call.run.sessionKey, patch) };
}

function queue(call: CommandCall): CommandReply {
  const words = call.args
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== "");
  const usage = `Modes: ${modes.join(", ")}. Options: debounce:2s cap:20 drop:${drops.join("|")}. /queue default follows the config.`;
  if (words.length === 0) return { text: `Queue: ${shown(call)}.\n${usage}` };
  if (words.length === 1 && (words[0] === "default" || words[0] === "reset"))
    return keep(call, { queue: undefined }, "Messages wait as the config says again.");
  const chosen: Queue = { ...call.session?.queue };
  for (const word of words) {
    const problem = read(word, chosen);
    if (problem) return { text: `${problem}\n${usage}` };
  }
  return keep(call, { queue: chosen }, `Messages that come while a run is active: ${described(chosen)}.`);
}

/** Reads one word into the choice; returns what is wrong with it. */
function read(word: string, into: Queue): string | undefined {
  if (modes.includes(word)) {
    into.mode = word;
    return undefined;
  }
  const [name = "", value = ""] = word.split(/[:=]/u, 2);
  if (name === "debounce") {
    const [, count = "", unit = "ms"] = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?$/u.exec(value) ?? [];
    const ms = Number(count) * (unit === "m" ? 60_000 : unit === "s" ? 1_000 : 1);
    if (count === "" || ms > maxDebounceMs) return `"${value.slice(0, 20)}" is no quiet time up to 10m.`;
    into.debounceMs = Math.round(ms);
  } else if (name === "cap") {
    const cap = Number(value);
    if (!/^\d{1,4}$/u.test(value) || cap < 1 || cap > maxCap)
      return `"${value.slice(0, 20)}" is no number from 1 to ${maxCap}.`;
    into.cap = cap;
  } else if (name === "drop" && drops.includes(value)) {
    into.drop = value;
  } else {
    return `"${word.slice(0, 40)}" is no mode and no option.`;
  }
  return undefined;
}

const described = ({ mode, debounceMs, cap, drop }: Queue): string =>
  [
    mode ?? "mode as configured",
    ...(debounceMs === undefined ? [] : [`quiet time ${debounceMs} ms`]),
    ...(cap === undefined ? [] : [`at most ${cap} wait`]),
    ...(drop === undefined ? [] : [`drop ${drop}`]),
  ].join(", ");

function shown({ session, deps }: CommandCall): string {
  const { mode, debounceMs, cap, drop } = deps.config.current.messages.queue;
  return session?.queue ? described(session.queue) : `${described({ mode, debounceMs, cap, drop })} (config)`;
}

function activation(call: CommandCall): CommandReply {
  if (call.session?.chatType !== "group" && call.session?.chatType !== "channel")
    return { text: "/activation is for groups: in a direct chat every message is answered." };
  const choice = call.args.toLowerCase();
  const now = call.session.groupActivation;
  if (choice === "") return { text: `Activation: ${now ?? "as configured"}. Choices: mention, always, default.` };
  if (!call.run.request.owner) return { text: "/activation is only for the owner of this gateway." };
  if (choice === "default") return keep(call, { groupActivation: undefined }, "Activation follows the config again.");
  if (choice !== "mention" && choice !== "always")
    return { text: `"${choice.slice(0, 40)}" is no choice of /activation. Choices: mention, always, default.` };
  const text =
    choice === "always"
      ? "Every message of this group is read from now on."
      : "Only messages that mention me are answered from now on.";
  return keep(call, { groupActivation: choice }, text);
}

function send(call: CommandCall): CommandReply {
  const choice = call.args.toLowerCase();
  const now = call.session?.sendPolicy;
  if (choice === "") return { text: `Sending: ${now ?? "as configured"}. Choices: on, off, inherit.` };
  if (!call.run.request.owner) return { text: "/send is only for the owner of this gateway." };
  if (choice === "on") return keep(call, { sendPolicy: "allow" }, "Replies of this session are sent.");
  if (choice === "off") return keep(call, { sendPolicy: "deny" }, "Replies of this session are not sent any more.");
  if (choice === "inherit") return keep(call, { sendPolicy: undefined }, "Sending follows the config again.");
  return { text: `"${choice.slice(0, 40)}" is no choice of /send. Choices: on, off, inherit.` };
}

export const chatCommands: Command[] = [
  { name: "queue", args: "[mode] [options]|default", summary: "How messages wait while a run is active.", run: queue },
  {
    name: "activation",
    args: "[mention|always|default]",
    summary: "Which messages of a group are answered.",
    run: activation,
  },
  { name: "send", args: "[on|off|inherit]", summary: "Whether replies of this session are sent.", run: send },
  {
    name: "allowlist",
    args: "[add|remove dm|group <id>]",
    summary: "Who may write to you on this channel.",
    // In chats of a channel its pipeline answers before a command is looked up.
    run: () => ({
      text: "/allowlist is for chats of a channel. Here `openclaw config get channels` shows the lists, and the config view changes them.",
    }),
  },
];
