/** Rows of agents, their sessions and their models. A table without code. */
import type { CommandRow, OptionSpec } from "../command.ts";
import { json, verbose } from "../options.ts";

const loadAgentsList = async () => (await import("../agents.ts")).run;

const loadModelsStatus = async () => (await import("../models-status.ts")).run;

const agentsList: readonly OptionSpec[] = [json, { name: "bindings", text: "Include the channel bindings" }];

const modelsStatus: readonly OptionSpec[] = [
  json,
  { name: "agent", value: "id", text: "Agent to look at" },
  { name: "plain", text: "Print only the model's name" },
  { name: "check", text: "Exit 1 when no usable model is configured" },
];

export const agentCommands: readonly CommandRow[] = [
  {
    path: "agent",
    summary: "Send one message to an agent and print the reply",
    options: [
      { name: "message", short: "m", value: "text", text: "The message" },
      { name: "to", short: "t", value: "number", text: "Recipient whose session is used (E.164)" },
      { name: "session-id", value: "id", text: "Session to continue" },
      { name: "agent", value: "id", text: "Agent whose main session is used" },
      { name: "thinking", value: "level", text: "off, minimal, low, medium, high or xhigh" },
      { name: "verbose", value: "level", text: "on or off: verbosity kept for the session", choices: ["on", "off"] },
      { name: "channel", value: "id", text: "Channel of the conversation" },
      { name: "reply-to", value: "target", text: "Where the reply is delivered" },
      { name: "reply-channel", value: "id", text: "Channel of the delivery" },
      { name: "reply-account", value: "id", text: "Account of the delivery" },
      { name: "deliver", text: "Also send the reply to the channel" },
      { name: "local", text: "Not offered: runs need the gateway" },
      { name: "timeout", value: "s", text: "Seconds the agent may take", fallback: "600" },
      json,
    ],
    examples: [[`openclaw agent --agent main --message "What is on my list?"`, "ask, and wait for the reply"]],
    load: async () => (await import("../agent.ts")).run,
  },
  {
    path: "sessions",
    summary: "List the stored conversations",
    options: [
      json,
      { name: "active", value: "minutes", text: "Only those used in the last minutes" },
      { name: "store", value: "path", text: "Not offered: sessions live in the gateway's database" },
      verbose,
    ],
    load: async () => (await import("../sessions.ts")).run,
  },
  {
    path: "sessions import",
    summary: "Take over the state directory of an older OpenClaw, or one transcript",
    arguments: [{ name: "path" }],
    options: [
      json,
      { name: "dry-run", text: "Read and report, change nothing" },
      { name: "key", value: "key", text: "Session a single transcript becomes" },
    ],
    examples: [
      ["openclaw sessions import --dry-run", "what the state directory holds"],
      ["openclaw sessions import ~/old/.openclaw", "from another folder"],
    ],
    load: async () => (await import("../sessions-import.ts")).run,
  },
  {
    path: "sessions export",
    summary: "Write sessions as JSONL files",
    arguments: [{ name: "key", many: true }],
    options: [
      json,
      { name: "all", text: "Every conversation, also those that ended" },
      { name: "out", value: "dir", text: "New folder for the files; one session goes to stdout without" },
    ],
    examples: [
      ["openclaw sessions export main > main.jsonl", "one transcript"],
      ["openclaw sessions export --all --out sessions-backup", "everything"],
    ],
    load: async () => (await import("../sessions-export.ts")).run,
  },
  {
    path: "models",
    summary: "Show which model answers",
    options: [
      ...modelsStatus,
      { name: "status-json", text: "Same as models status --json" },
      { name: "status-plain", text: "Same as models status --plain" },
    ],
    load: loadModelsStatus,
  },
  { path: "models status", summary: "Show which model answers", options: modelsStatus, load: loadModelsStatus },
  {
    path: "models list",
    summary: "List the models the gateway knows",
    options: [
      { name: "all", text: "Also models without credentials" },
      { name: "local", text: "Only models on this machine" },
      { name: "provider", value: "name", text: "Only this provider" },
      json,
      { name: "plain", text: "Only the names" },
    ],
    load: async () => (await import("../models-list.ts")).run,
  },
  {
    path: "models set",
    summary: "Choose the default model in the config",
    arguments: [{ name: "model", required: true }],
    examples: [["openclaw models set anthropic/<model>", "provider and model"]],
    load: async () => (await import("../models-set.ts")).run,
  },
  { path: "agents", summary: "List the agents", options: agentsList, load: loadAgentsList },
  { path: "agents list", summary: "List the agents", options: agentsList, load: loadAgentsList },
];
