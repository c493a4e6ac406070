/** Help of every level, made from the table (cli.md §1.1). Sorted, wrapped to the terminal. */
import type { CommandRow } from "./command.ts";
import type { Output, Io } from "./io.ts";
import { childrenOf, describe, topLevel } from "./parse.ts";
import { columns, styleFor, widthOf, wrap } from "./terminal/style.ts";

export const globalOptions: readonly (readonly [string, string])[] = [
  ["--dev", "Use the development profile (state in ~/.openclaw-dev, port 19001)"],
  ["--no-color", "No colours"],
  ["--profile <name>", "Use another profile (state in ~/.openclaw-<name>)"],
  ["--update", "Same as update"],
  ["-V, --version", "Print the version"],
  ["-h, --help", "Print help"],
];

const byName = (a: readonly [string, string], b: readonly [string, string]): number => {
  const key = (text: string) => text.replace(/^(-\w, )?-*/, "");
  return key(a[0]) < key(b[0]) ? -1 : 1;
};

/** Help of one row, or of the program. */
export function help(rows: readonly CommandRow[], row: CommandRow | undefined, output: Output, env: Io["env"]): string {
  const style = styleFor(output, env);
  const width = widthOf(output);
  const children = row ? childrenOf(rows, row.path) : topLevel(rows);
  const usage = ["openclaw"];
  if (row) usage.push(row.path);
  else usage.push("[global options]");
  for (const argument of row?.arguments ?? []) {
    const name = argument.many ? `${argument.name}…` : argument.name;
    usage.push(argument.required ? `<${name}>` : `[${name}]`);
  }
  if (row?.options) usage.push("[options]");
  if (children.length > 0) usage.push(row?.load ? "[command]" : "<command>");
  const lines = [`${style.accent("Usage:")} ${usage.join(" ")}`, ""];
  lines.push(...wrap(row?.summary ?? "One process for your chat channels, agents and devices.", width), "");
  const options: [string, string][] = (row?.options ?? []).map((option) => [
    describe(option),
    option.fallback === undefined ? option.text : `${option.text} (default: ${option.fallback})`,
  ]);
  const all = row ? [...options, ["-h, --help", "Print help"] as [string, string]] : globalOptions;
  lines.push(style.accent("Options:"), ...columns([...all].sort(byName), width, style.warn), "");
  if (children.length > 0) {
    const list = children.map((child): [string, string] => [child.path.split(" ").at(-1) ?? "", child.summary]);
    lines.push(style.accent("Commands:"), ...columns(list.sort(byName), width, style.bright), "");
  }
  const examples = row ? row.examples : startExamples;
  if (examples) {
    lines.push(style.accent("Examples:"));
    for (const [line, text] of examples) lines.push(`  ${style.bright(line)}`, `      ${style.muted(text)}`);
    lines.push("");
  }
  const page = row ? row.path.split(" ")[0] : undefined;
  lines.push(`${style.muted("Docs:")} https://docs.openclaw.ai/cli${page ? `/${page}` : ""}`);
  return `${lines.join("\n")}\n`;
}

const startExamples: CommandRow["examples"] = [
  ["openclaw setup", "write a first config"],
  ["openclaw gateway", "run the gateway"],
  [`openclaw agent --agent main --message "Hello"`, "talk to it"],
];
