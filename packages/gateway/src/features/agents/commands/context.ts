/** /context: what the system prompt of this session is made of. */
import type { PromptReport } from "../prompt.ts";
import type { Command } from "./command.ts";

const tokens = (chars: number): string => `${chars} characters, about ${Math.ceil(chars / 4)} tokens`;

function summary(report: PromptReport): string {
  const files = report.files.map(
    ({ name, missing, rawChars, injectedChars, truncated }) =>
      `- ${name}: ${missing ? "missing" : `${injectedChars} of ${rawChars} characters${truncated ? " (shortened)" : ""}`}`,
  );
  const schemas = report.tools.reduce((sum, tool) => sum + tool.schemaChars, 0);
  return [
    `System prompt: ${tokens(report.chars)}`,
    `Tools: ${report.tools.length}, schemas ${tokens(schemas)}`,
    "Files:",
    ...files,
  ].join("\n");
}

function detail(report: PromptReport): string {
  const sections = report.sections.map(({ name, chars }) => `- ${name}: ${chars}`);
  const tools = report.tools.map(
    ({ name, summaryChars, schemaChars }) => `- ${name}: summary ${summaryChars}, schema ${schemaChars}`,
  );
  return [summary(report), "Sections (characters):", ...sections, "Tools (characters):", ...tools].join("\n");
}

export const contextCommand: Command = {
  name: "context",
  args: "[list|detail|json]",
  summary: "Size of the system prompt, by part.",
  run({ args, session }) {
    const report = session?.systemPromptReport as PromptReport | undefined;
    if (!report) return { text: "Nothing to show yet: this session has not asked a model since it began." };
    if (args === "json") return { text: JSON.stringify(report, null, 2) };
    return { text: args === "detail" ? detail(report) : summary(report) };
  },
};
