/** Rows that set up and configure. A table without code. */
import type { CommandRow, OptionSpec } from "../command.ts";
import { onboardOptions } from "../onboard-options.ts";
import { json } from "../options.ts";

const loadConfigure = async () => (await import("../configure.ts")).run;

const configureOptions: readonly OptionSpec[] = [
  {
    name: "section",
    value: "name",
    text: "Part to change (repeatable)",
    choices: ["workspace", "model", "web", "gateway", "daemon", "channels", "skills", "health"],
    repeat: true,
  },
];

export const setupCommands: readonly CommandRow[] = [
  {
    path: "setup",
    summary: "Write a first config with a token, and the workspace",
    options: [
      { name: "workspace", value: "dir", text: "Workspace of the default agent" },
      { name: "mode", value: "mode", text: "local or remote", fallback: "local", choices: ["local", "remote"] },
      { name: "remote-url", value: "url", text: "With --mode remote: the gateway's address" },
      { name: "remote-token", value: "token", text: "With --mode remote: its token" },
      { name: "wizard", text: "Ask step by step" },
      { name: "non-interactive", text: "Ask nothing" },
    ],
    anyConfig: true,
    load: async () => (await import("../setup.ts")).run,
  },
  {
    path: "onboard",
    summary: "Set the gateway up, step by step or from flags",
    options: onboardOptions,
    examples: [
      ["openclaw onboard", "ask step by step"],
      ["openclaw onboard --non-interactive --accept-risk --json", "take the defaults, ask nothing"],
    ],
    anyConfig: true,
    load: async () => (await import("../onboard.ts")).run,
  },
  {
    path: "configure",
    summary: "Change parts of the set-up, step by step",
    options: configureOptions,
    examples: [["openclaw configure --section model", "another model or key"]],
    load: loadConfigure,
  },
  {
    path: "config",
    summary: "Read, check and change the config file; alone: step by step",
    options: configureOptions,
    load: loadConfigure,
  },
  {
    path: "config get",
    summary: "Print one value",
    arguments: [{ name: "path", required: true }],
    options: [json],
    examples: [["openclaw config get gateway.port", "one value"]],
    anyConfig: true,
    load: async () => (await import("../config.ts")).get,
  },
  {
    path: "config set",
    summary: "Change one value; comments and everything else stay",
    arguments: [
      { name: "path", required: true },
      { name: "value", required: true },
    ],
    options: [{ name: "json", text: "The value must be JSON5; print the result as JSON" }],
    examples: [
      ["openclaw config set gateway.port 19001", "a number"],
      [`openclaw config set channels.whatsapp.allowFrom '["+15555550123"]'`, "a list"],
    ],
    anyConfig: true,
    load: async () => (await import("../config-write.ts")).set,
  },
  {
    path: "config unset",
    summary: "Remove one value; comments and everything else stay",
    arguments: [{ name: "path", required: true }],
    options: [json],
    anyConfig: true,
    load: async () => (await import("../config-write.ts")).unset,
  },
  {
    path: "config validate",
    summary: "Check the file as the gateway would; exit 1 when it would not start",
    options: [json],
    anyConfig: true,
    load: async () => (await import("../config-check.ts")).validate,
  },
  {
    path: "config file",
    summary: "Print the config file's path",
    anyConfig: true,
    load: async () => (await import("../config.ts")).file,
  },
  {
    path: "config schema",
    summary: "Print the JSON Schema of the config",
    options: [json],
    anyConfig: true,
    load: async () => (await import("../config-check.ts")).schema,
  },
  {
    path: "config history",
    summary: "List the last texts of the config",
    options: [json],
    anyConfig: true,
    load: async () => (await import("../config-history.ts")).history,
  },
  {
    path: "config diff",
    summary: "Show what changed since an entry of the history, secrets masked",
    arguments: [{ name: "entry" }],
    options: [json],
    examples: [["openclaw config diff 2", "since the entry before the newest"]],
    anyConfig: true,
    load: async () => (await import("../config-history.ts")).diff,
  },
  {
    path: "config restore",
    summary: "Write an entry of the history back",
    arguments: [{ name: "entry", required: true }],
    options: [json],
    anyConfig: true,
    load: async () => (await import("../config-write.ts")).restore,
  },
  {
    path: "completion",
    summary: "Print a completion script for the shell",
    options: [
      {
        name: "shell",
        short: "s",
        value: "name",
        text: "bash, zsh or fish",
        fallback: "zsh",
        choices: ["bash", "zsh", "fish"],
      },
    ],
    examples: [[`eval "$(openclaw completion --shell bash)"`, "for this shell session"]],
    anyConfig: true,
    load: async () => (await import("../completion.ts")).run,
  },
];
