/** Rows that look at the whole program: health, status, logs, doctor, update. A table without code. */
import type { CommandRow } from "../command.ts";
import { debug, json, rpcSlow, timeout, verbose } from "../options.ts";

export const stateCommands: readonly CommandRow[] = [
  {
    path: "health",
    summary: "Ask the gateway for its health",
    options: [json, timeout("10000"), verbose, debug],
    anyConfig: true,
    load: async () => (await import("../health.ts")).run,
  },
  {
    path: "status",
    summary: "Show gateway, agents and recent sessions; works while the gateway is down",
    options: [
      json,
      { name: "all", text: "Everything, secrets left out: for pasting into a report" },
      { name: "deep", text: "Also ask for health" },
      { name: "usage", text: "Also ask for provider usage" },
      timeout("10000"),
      verbose,
      debug,
    ],
    anyConfig: true,
    load: async () => (await import("../status.ts")).run,
  },
  {
    path: "doctor",
    summary: "Find what is wrong with this installation, and repair it",
    options: [
      { name: "fix", text: "Make the recommended repairs" },
      { name: "repair", text: "Same as --fix" },
      { name: "yes", text: "Same as --fix" },
      { name: "force", text: "With --fix: also repairs that give something up, such as a damaged store" },
      { name: "non-interactive", text: "Ask nothing; without --fix only report" },
      { name: "generate-gateway-token", text: "Write a new random token where it is missing or weak" },
      { name: "deep", text: "Also check the indexes of the store" },
      { name: "no-workspace-suggestions", text: "Accepted for older scripts" },
      json,
    ],
    examples: [
      ["openclaw doctor", "look, and ask before each repair"],
      ["openclaw doctor --fix", "repair without asking; replaced files are kept"],
    ],
    anyConfig: true,
    load: async () => (await import("../doctor.ts")).run,
  },
  {
    path: "logs",
    summary: "Show the gateway's log",
    options: [
      ...rpcSlow,
      { name: "follow", text: "Keep printing new lines" },
      { name: "limit", value: "n", text: "Lines at the start", fallback: "200" },
      { name: "max-bytes", value: "n", text: "Bytes read at once", fallback: "250000" },
      { name: "interval", value: "ms", text: "Pause between looks", fallback: "1000" },
      {
        name: "level",
        value: "level",
        text: "Only lines of this level and above",
        choices: ["trace", "debug", "info", "warn", "error", "fatal"],
      },
      { name: "json", text: "One JSON object per line" },
      { name: "plain", text: "No colours" },
      { name: "no-color", text: "No colours" },
    ],
    anyConfig: true,
    load: async () => (await import("../logs.ts")).run,
  },
  {
    path: "update",
    summary: "Say how this program is updated; changes nothing",
    options: [json],
    anyConfig: true,
    load: async () => (await import("../update.ts")).run,
  },
  {
    path: "update status",
    summary: "Show version, kind of installation and the command that updates it",
    options: [json],
    anyConfig: true,
    load: async () => (await import("../update.ts")).status,
  },
];
