/** The system prompt (agent.md §2.3): the same inputs give the same text, so that providers can cache it. Nothing that changes
 *  from turn to turn stands here. */
import type { Tool } from "../tools/tool.ts";
import type { ContextFile } from "./workspace.ts";
import { heartbeatToken, silentToken } from "./reserved.ts";

export type PromptMode = "full" | "minimal" | "none";

export interface PromptSkill {
  name: string;
  description: string;
  /** Of its SKILL.md. */
  path: string;
}

export interface PromptInput {
  mode: PromptMode;
  agentId: string;
  workspace: string;
  tools: readonly Tool[];
  files: readonly ContextFile[];
  /** Set for people to be addressed; ids of the owner. */
  owners: readonly string[];
  timeZone: string;
  aliases: readonly { alias: string; ref: string }[];
  skills: readonly PromptSkill[];
  extra?: string;
  model: string;
  defaultModel: string;
  thinking: string;
  reasoning: string;
  channel?: string;
  host: { name: string; platform: string; arch: string; node: string };
}

export interface PromptReport {
  chars: number;
  sections: { name: string; chars: number }[];
  files: {
    name: string;
    path: string;
    missing: boolean;
    rawChars: number;
    injectedChars: number;
    truncated: boolean;
  }[];
  tools: { name: string; summaryChars: number; schemaChars: number }[];
}

const identityLine = "You are a personal assistant running inside OpenClaw.";

interface Section {
  name: string;
  text: string;
  /** Left out for sub-agents and isolated jobs. */
  fullOnly?: boolean;
}

const firstLine = (text: string): string => (text.split("\n", 1)[0] ?? "").slice(0, 200);

export function buildPrompt(input: PromptInput): { text: string; report: PromptReport } {
  const sections = (input.mode === "none" ? [{ name: "identity", text: identityLine }] : all(input)).filter(
    (section: Section) => section.text !== "" && !(input.mode === "minimal" && section.fullOnly),
  );
  const text = sections.map((section) => section.text).join("\n\n");
  const report: PromptReport = {
    chars: text.length,
    sections: sections.map(({ name, text: body }) => ({ name, chars: body.length })),
    files: input.files.map(({ name, path, missing, rawChars, truncated, text: body }) => ({
      name,
      path,
      missing,
      rawChars,
      injectedChars: body.length,
      truncated,
    })),
    tools: input.tools.map((tool) => ({
      name: tool.name,
      summaryChars: tool.description.length,
      schemaChars: JSON.stringify(tool.params).length,
    })),
  };
  return { text, report };
}

function all(input: PromptInput): Section[] {
  const has = (name: string) => input.tools.some((tool) => tool.name === name);
  return [
    { name: "identity", text: identityLine },
    { name: "tools", text: toolList(input.tools) },
    {
      name: "tool style",
      text:
        input.tools.length === 0
          ? ""
          : "## Using tools\nMake routine calls without announcing them. Say what you do when the work has several steps, is delicate, or when asked.",
    },
    { name: "skills", fullOnly: true, text: skillList(input.skills) },
    {
      name: "memory",
      fullOnly: true,
      text: has("memory_search")
        ? "## Memory\nBefore answering about earlier work, dates, people, preferences or decisions, search your memory files first."
        : "",
    },
    {
      name: "aliases",
      fullOnly: true,
      text:
        input.aliases.length === 0
          ? ""
          : `## Model aliases\n${input.aliases.map(({ alias, ref }) => `- ${alias}: ${ref}`).join("\n")}`,
    },
    {
      name: "workspace",
      text: `## Workspace\nYour working directory is ${input.workspace}. Relative paths start there.`,
    },
    {
      name: "user",
      fullOnly: true,
      text:
        input.owners.length === 0
          ? ""
          : `## Owner\nMessages of these ids are from your owner: ${input.owners.join(", ")}.`,
    },
    {
      name: "time zone",
      text: `## Time\nTime zone: ${input.timeZone}. Messages carry the time at which they were written.`,
    },
    {
      name: "files notice",
      text: "## Workspace files\nThe files under “Project context” are yours to edit; changes count from the next turn.",
    },
    {
      name: "messaging",
      fullOnly: true,
      text: [
        "## Messages",
        "What you answer goes back to where the message came from.",
        input.channel && input.channel !== "webchat"
          ? "To quote a message, begin with [[reply_to_current]] or [[reply_to:<message_id>]]. To send a file, write MEDIA:<path or URL> on a line of its own."
          : "",
        has("sessions_send") ? "To speak to another session use sessions_send." : "",
        has("message")
          ? `To write somewhere unasked use message; when it carried your answer, reply only ${silentToken}.`
          : "",
      ]
        .filter(Boolean)
        .join("\n"),
    },
    { name: "extra", text: input.extra ? `## Further instructions\n${input.extra}` : "" },
    { name: "project context", text: projectContext(input.files) },
    {
      name: "silence",
      fullOnly: true,
      text: `## Silence\nWhen nothing needs to be said, reply with ${silentToken} and nothing else. Never add it to an answer.`,
    },
    {
      name: "heartbeat",
      fullOnly: true,
      text: `## Heartbeats\nWhen a heartbeat asks and nothing needs attention, reply with ${heartbeatToken} and nothing else. Otherwise say what needs attention, without it.`,
    },
    { name: "runtime", text: runtimeLine(input) },
  ];
}

function toolList(tools: readonly Tool[]): string {
  if (tools.length === 0) return "";
  const lines = tools.map((tool) => `- ${tool.name}: ${firstLine(tool.description)}`);
  return `## Tools\nThese tools are available; names are case-sensitive. TOOLS.md holds notes about their use and grants none.\n${lines.join("\n")}`;
}

function skillList(skills: readonly PromptSkill[]): string {
  if (skills.length === 0) return "";
  const lines = skills.map(({ name, description, path }) => `- ${name}: ${firstLine(description)} (${path})`);
  return `## Skills\nBefore you act, look through this list. If exactly one skill clearly applies, read its file first and follow it.\n${lines.join("\n")}`;
}

function projectContext(files: readonly ContextFile[]): string {
  const blocks = files.flatMap((file) => {
    if (file.missing) return [`### ${file.name}\n(missing; expected at ${file.path})`];
    return file.text === "" ? [] : [`### ${file.name}\n${file.text}`];
  });
  if (blocks.length === 0) return "";
  const persona = files.some((file) => file.name === "SOUL.md" && file.text !== "")
    ? "\nTake on the persona that SOUL.md describes."
    : "";
  return `## Project context${persona}\n\n${blocks.join("\n\n")}`;
}

function runtimeLine(input: PromptInput): string {
  const parts = [
    `agent=${input.agentId}`,
    `host=${input.host.name}`,
    `os=${input.host.platform} (${input.host.arch})`,
    `node=${input.host.node}`,
    `model=${input.model}`,
    `default_model=${input.defaultModel}`,
    ...(input.channel ? [`channel=${input.channel}`] : []),
    `thinking=${input.thinking}`,
    `reasoning=${input.reasoning}`,
  ];
  return `## Runtime\n${parts.join(" | ")}`;
}
