/** Config keys of the tools (config.md §7.6). */
import { Type } from "typebox";
import { section, type SectionValue } from "../../config/section.ts";
import {
  agentElevated,
  laterFetchKeys,
  linkUnderstanding,
  mediaUnderstanding,
  nestedPolicies,
  webSearch,
} from "./tools-later.config.ts";

const names = (description: string) => Type.Optional(Type.Array(Type.String(), { description }));
const profile = Type.Optional(
  Type.Enum(["minimal", "coding", "messaging", "full"], {
    description: "Base list of tools: minimal, coding, messaging or full (no limit). Unset is full.",
  }),
);
const rules = {
  profile,
  allow: names("Only these tools; names, `*` wildcards and `group:*`, without regard to case. Empty means all."),
  alsoAllow: names("Added to the profile instead of replacing it. Not together with `allow`."),
  deny: names("Never these tools. Wins over every allow."),
};
const byProvider = Type.Optional(
  Type.Record(Type.String(), Type.Object(rules, { additionalProperties: false }), {
    description: "Further limits for one provider, or one model written as provider/model.",
  }),
);
const security = Type.Enum(["deny", "allowlist", "full"]);

/** `tools` of one agent in `agents.list[]`: each part may only narrow what the global section allows, except
 *  `exec.security`, which replaces it. */
export const agentToolsSchema = Type.Object(
  {
    ...rules,
    byProvider,
    exec: Type.Optional(
      Type.Object(
        {
          security: Type.Optional(security),
          host: Type.Optional(Type.Enum(["sandbox", "gateway", "node"], { description: "Where commands run." })),
          ask: Type.Optional(Type.Enum(["off", "on-miss", "always"], { description: "When a person is asked first." })),
          node: Type.Optional(Type.String({ description: "Node that runs commands." })),
          pathPrepend: Type.Optional(Type.Array(Type.String(), { description: "Directories put before PATH." })),
          safeBins: Type.Optional(Type.Array(Type.String(), { description: "Filters that need no allowlist entry." })),
          backgroundMs: Type.Optional(
            Type.Integer({ minimum: 10, description: "Milliseconds until a command continues in the background." }),
          ),
          timeoutSec: Type.Optional(
            Type.Integer({ minimum: 1, description: "Seconds after which a command is ended." }),
          ),
          approvalRunningNoticeMs: Type.Optional(
            Type.Integer({
              minimum: 0,
              description: "Milliseconds until a waiting person is told that it runs. Default 10000.",
            }),
          ),
        },
        { additionalProperties: false, description: "What this agent's exec may run; replaces tools.exec.security." },
      ),
    ),
    elevated: agentElevated,
    ...nestedPolicies,
  },
  { additionalProperties: false, description: "Tool policy of this agent." },
);

const group = { additionalProperties: false } as const;
const flag = (value: boolean, description: string) => Type.Boolean({ default: value, description });

export const toolsSection = section(
  "tools",
  { reload: "live", description: "Tools of the agents: which ones, and what they may do." },
  {
    ...rules,
    byProvider,
    exec: Type.Object(
      {
        host: Type.Enum(["sandbox", "gateway", "node"], {
          default: "sandbox",
          description: "Where commands run. Without a sandbox `sandbox` means on this machine, as `gateway` does.",
        }),
        security: Type.Optional(
          Type.Enum(["deny", "allowlist", "full"], {
            description:
              "What exec may run. Unset: full for runs an operator starts, deny for runs started by a channel message, a hook or cron. `allowlist` refuses every command until approvals are available.",
          }),
        ),
        ask: Type.Enum(["off", "on-miss", "always"], {
          default: "on-miss",
          description: "When a person is asked first. `always` refuses every command until approvals are available.",
        }),
        node: Type.Optional(Type.String({ description: "Node that runs commands when host is `node`." })),
        pathPrepend: Type.Array(Type.String(), {
          default: [],
          description: "Directories put before PATH of commands.",
        }),
        safeBins: Type.Array(Type.String(), {
          default: ["jq", "grep", "cut", "sort", "uniq", "head", "tail", "tr", "wc"],
          description: "Filters that need no allowlist entry when they touch no file.",
        }),
        backgroundMs: Type.Integer({
          default: 10_000,
          minimum: 10,
          maximum: 120_000,
          description: "A command that runs longer than this many milliseconds continues in the background.",
        }),
        timeoutSec: Type.Integer({ default: 1800, minimum: 1, description: "Seconds after which a command is ended." }),
        cleanupMs: Type.Integer({
          default: 1_800_000,
          minimum: 60_000,
          maximum: 10_800_000,
          description: "Milliseconds for which a finished background command can still be read.",
        }),
        killGraceMs: Type.Integer({
          default: 2_000,
          minimum: 0,
          maximum: 30_000,
          description: "Milliseconds between asking a command to end and ending it by force.",
          advanced: true,
        }),
        notifyOnExit: flag(true, "Tell the session when a background command ends."),
        applyPatch: Type.Object(
          {
            enabled: flag(false, "Offer apply_patch to models of the OpenAI family."),
            allowModels: Type.Array(Type.String(), { default: [], description: "Only these models. Empty means all." }),
          },
          { ...group, description: "The apply_patch tool." },
        ),
      },
      { ...group, description: "Shell commands." },
    ),
    fs: Type.Object(
      {
        workspaceOnly: flag(
          false,
          "Confine read, write and edit to the agent's workspace, links included. Senders who are not owners always are.",
        ),
      },
      { ...group, description: "File tools." },
    ),
    web: Type.Object(
      {
        fetch: Type.Object(
          {
            enabled: flag(true, "Offer web_fetch."),
            maxChars: Type.Integer({
              default: 50_000,
              minimum: 100,
              description: "Characters returned unless asked for fewer.",
            }),
            maxCharsCap: Type.Integer({
              default: 50_000,
              minimum: 100,
              description: "Most characters a call may ask for.",
            }),
            timeoutSeconds: Type.Integer({
              default: 30,
              minimum: 1,
              maximum: 300,
              description: "Seconds for the whole fetch.",
            }),
            cacheTtlMinutes: Type.Number({
              default: 15,
              minimum: 0,
              description: "Minutes a page is kept. 0 keeps none.",
            }),
            maxRedirects: Type.Integer({ default: 3, minimum: 0, maximum: 5, description: "Redirects followed." }),
            userAgent: Type.Optional(Type.String({ description: "User-Agent header." })),
            allowPrivateHosts: Type.Array(Type.String(), {
              default: [],
              description:
                "Hosts on private or loopback addresses that may be fetched all the same: exact names or addresses, with or without a port, such as `nas.local` or `127.0.0.1:8080`.",
              advanced: true,
            }),
            ...laterFetchKeys,
          },
          { ...group, description: "Reading web pages." },
        ),
        search: webSearch,
      },
      { ...group, description: "Web tools." },
    ),
    loopDetection: Type.Object(
      {
        enabled: flag(true, "Refuse a tool call that repeats without end."),
        maxRepeats: Type.Integer({
          default: 5,
          minimum: 2,
          maximum: 100,
          description: "The same call with the same arguments in one run is refused from this count on.",
        }),
      },
      { ...group, description: "Guard against models that repeat themselves." },
    ),
    elevated: Type.Object(
      {
        enabled: flag(true, "Let owners of sandboxed sessions run commands on the host."),
        allowFrom: Type.Record(Type.String(), Type.Array(Type.String()), {
          default: {},
          description: "Senders per channel who may do so.",
        }),
      },
      { ...group, description: "Commands outside the sandbox." },
    ),
    sessions: Type.Object(
      {
        visibility: Type.Unsafe<"self" | "tree" | "chat" | "agent">({
          type: "string",
          enum: ["self", "tree", "chat", "agent"],
          default: "chat",
          description:
            "Sessions that session tools show: the run's own (self), with its sub-agents (tree), in groups and to guests those of the chat (chat), all of the agent (agent).",
        }),
      },
      { ...group, description: "Session tools." },
    ),
    agentToAgent: Type.Object(
      {
        enabled: flag(false, "Let session tools reach sessions of other agents."),
        allow: Type.Array(Type.String(), { default: [], description: "Agents that may be reached; `*` wildcards." }),
      },
      { ...group, description: "Between agents." },
    ),
    message: Type.Object(
      {
        allowCrossContextSend: flag(false, "Old name for allowing both kinds below."),
        crossContext: Type.Object(
          {
            allowWithinProvider: flag(true, "Send to other conversations of the same channel."),
            allowAcrossProviders: flag(false, "Send to conversations of other channels."),
            marker: Type.Object(
              {
                enabled: flag(true, "Mark such messages."),
                prefix: Type.String({ default: "[from {channel}] ", description: "Put before the text." }),
                suffix: Type.String({ default: "", description: "Put after the text." }),
              },
              { ...group, description: "How such messages are marked." },
            ),
          },
          { ...group, description: "Messages to other conversations." },
        ),
        broadcast: Type.Object(
          { enabled: flag(true, "Let the tool send to several targets.") },
          { ...group, description: "Several targets." },
        ),
      },
      { ...group, description: "The message tool." },
    ),
    ...nestedPolicies,
    media: mediaUnderstanding,
    links: linkUnderstanding,
  },
);

export type ToolsConfig = SectionValue<typeof toolsSection>;
/** What the tools room reads of an agent's own settings. */
export interface AgentToolsConfig {
  exec?: { security?: "deny" | "allowlist" | "full" };
}
