/** What is asked of each client, and what shows that our gateway answered it. */
import type { Client } from "./clients.ts";

export interface Case {
  /** Words of the command line after `openclaw`. */
  command: string[];
  /** Methods that the gateway must have answered during the command, successfully. */
  methods: string[];
  /** Must be found in what the command prints. */
  prints: RegExp;
  /** Where the client's config names the gateway: on this machine by port (the default), or as a remote URL. */
  mode?: "local" | "remote";
  /** Which gateway: without a model (the default), or with a scripted provider. */
  model?: "offline" | "provider";
  /** Keys typed into the terminal, each once its text is on the screen. The command then runs in a terminal. */
  types?: { once: RegExp; keys: string }[];
}

/** What the scripted provider says, in pieces. */
export const providerReply = ["The scripted ", "provider says ", "blue-heron-42."];
const replied = new RegExp(providerReply.join(""), "u");
const enter = "\r";
const interrupt = "\u0003";

const say = (message: string) => ["--message", message];

export function casesOf(client: Client): Case[] {
  const first = client.protocol === 3;
  const gatewayCall = /"channelOrder"/u;
  return [
    { command: ["gateway", "call", "health"], methods: ["health"], prints: gatewayCall },
    { command: ["gateway", "call", "health"], methods: ["health"], prints: gatewayCall, mode: "remote" },
    { command: ["gateway", "call", "status"], methods: ["status"], prints: /"queuedSystemEvents"/u },
    { command: ["gateway", "health"], methods: ["health"], prints: /OK/u },
    { command: ["gateway", "probe"], methods: ["status"], prints: /Connect: ok/u },
    { command: ["health"], methods: ["health"], prints: /Agents: main \(default\)/u },
    { command: ["health", "--json"], methods: ["health"], prints: /"defaultAgentId": "main"/u },
    {
      command: ["status"],
      methods: first
        ? ["health", "status", "system-presence", "config.get", "channels.status"]
        : ["health", "status", "system-presence"],
      prints: /reachable \d+ms/u,
    },
    { command: ["status", "--json"], methods: ["health"], prints: /"reachable": true/u },
    {
      command: ["agent", "--agent", "main", ...say("echo one")],
      methods: ["agent"],
      prints: /echo one\n\nNo model is configured/u,
    },
    {
      command: ["agent", "--session-id", "interop-1", ...say("echo two"), "--json"],
      methods: ["agent"],
      prints: /"text": "echo two/u,
    },
    {
      command: ["agent", "--to", "+15555550123", ...say("echo three")],
      methods: ["agent"],
      prints: /echo three\n\nNo model is configured/u,
    },
    {
      command: ["agent", "--agent", "main", ...say("which bird?")],
      methods: ["agent"],
      prints: replied,
      model: "provider",
    },
    {
      command: ["agent", "--session-id", "interop-2", ...say("which bird?"), "--json"],
      methods: ["agent"],
      prints: replied,
      model: "provider",
    },
    {
      command: ["devices", "list"],
      methods: ["device.pair.list"],
      prints: /Paired \(\d+\)|No device pairing entries/u,
    },
    { command: ["channels", "status"], methods: ["channels.status"], prints: /Gateway reachable/u },
    { command: ["logs", "--limit", "5"], methods: ["logs.tail"], prints: /Log file: /u },
    { command: ["nodes", "status"], methods: ["node.list"], prints: /Known: 0/u },
    { command: ["cron", "list"], methods: ["cron.list"], prints: /No cron jobs|No automations/u },
    {
      command: ["gateway", "call", "chat.history", "--params", '{"sessionKey":"main"}'],
      methods: ["chat.history"],
      prints: /echo one/u,
    },
    tui("offline", /which only repeats what you say/u),
    tui("provider", replied),
  ];
}

/** The terminal client: connects, sends a line, shows the streamed reply, leaves by two interrupts. */
function tui(model: "offline" | "provider", reply: RegExp): Case {
  return {
    command: ["tui", "--session", "terminal"],
    methods: ["chat.history", "chat.send"],
    prints: reply,
    model,
    types: [
      { once: /gateway connected/u, keys: "typed in a terminal" },
      { once: /typed in a terminal/u, keys: enter },
      { once: reply, keys: interrupt },
      { once: /press ctrl\+c again to exit/u, keys: interrupt },
    ],
  };
}
