/** From argv to a row of the table and its option values. Options belong to the word they follow (cli.md §1.1). */
import { Options, UsageError } from "./command.ts";
import type { CommandRow, OptionSpec } from "./command.ts";

export interface Invocation {
  row: CommandRow;
  options: Options;
  arguments: readonly string[];
  help: boolean;
}

/** The row a list of words names, and how many of them it took. Undefined when the first word is no command. */
function find(rows: readonly CommandRow[], words: readonly string[]): { row: CommandRow; used: number } | undefined {
  let found: { row: CommandRow; used: number } | undefined;
  for (let used = 1; used <= words.length && used <= 3; used += 1) {
    const path = words.slice(0, used).join(" ");
    const row = rows.find((candidate) => candidate.path === path);
    if (!row) break;
    found = { row, used };
  }
  return found;
}

export const childrenOf = (rows: readonly CommandRow[], path: string): CommandRow[] =>
  rows.filter((row) => row.path.startsWith(`${path} `) && !row.path.slice(path.length + 1).includes(" "));

export const topLevel = (rows: readonly CommandRow[]): CommandRow[] => rows.filter((row) => !row.path.includes(" "));

/** A name that differs by little: one edit per four letters, at least one. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  const distance = (a: string, b: string): number => {
    let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i += 1) {
      const row = [i];
      for (let j = 1; j <= b.length; j += 1) {
        const swap = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
        row[j] = Math.min(swap, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      }
      previous = row;
    }
    return previous[b.length] ?? 0;
  };
  if (name.length > 40) return undefined;
  const ranked = candidates.map((candidate) => ({ candidate, cost: distance(name, candidate) }));
  const best = ranked.sort((a, b) => a.cost - b.cost)[0];
  return best && best.cost <= Math.max(1, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

function unknownCommand(rows: readonly CommandRow[], parent: string, word: string): UsageError {
  const siblings = parent ? childrenOf(rows, parent) : topLevel(rows);
  const near = nearest(
    word,
    siblings.map((row) => row.path.split(" ").at(-1) ?? ""),
  );
  return new UsageError(`error: unknown command '${word}'`, near ? `(Did you mean ${near}?)` : undefined);
}

/** `words` starts with the command word. Throws UsageError with the exact texts of cli.md §3. */
export function parse(rows: readonly CommandRow[], words: readonly string[]): Invocation {
  const found = find(rows, words);
  if (!found) throw unknownCommand(rows, "", words[0] ?? "");
  const { row } = found;
  const rest = words.slice(found.used);
  if (rest[0] === "help" && childrenOf(rows, row.path).length > 0)
    return { row, options: new Options(new Map()), arguments: [], help: true };
  const values = new Map<string, string[]>();
  const positional: string[] = [];
  let help = false;
  for (let i = 0; i < rest.length; i += 1) {
    const word = rest[i] ?? "";
    if (word === "--") {
      positional.push(...rest.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      positional.push(word);
      continue;
    }
    if (word === "--help" || word === "-h") {
      help = true;
      continue;
    }
    if (word === "--no-color") continue;
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    const spec = row.options?.find(
      (option) => `--${option.name}` === name || (option.short && `-${option.short}` === name),
    );
    if (!spec) {
      if (help || rest.includes("--help") || rest.includes("-h")) continue;
      const near = nearest(
        name,
        (row.options ?? []).map((option) => `--${option.name}`),
      );
      throw new UsageError(`error: unknown option '${name}'`, near ? `(Did you mean ${near}?)` : undefined);
    }
    let value = "true";
    if (spec.value) {
      const next = equals < 0 ? rest[i + 1] : word.slice(equals + 1);
      if (next === undefined) throw new UsageError(`error: option '${describe(spec)}' argument missing`);
      if (equals < 0) i += 1;
      value = next;
      if (spec.choices && !spec.choices.includes(value)) {
        throw new UsageError(`Invalid --${spec.name}: use ${spec.choices.join(", ")}`);
      }
    } else if (equals >= 0) throw new UsageError(`error: option '--${spec.name}' takes no value`);
    values.set(spec.name, [...(values.get(spec.name) ?? []), value]);
  }
  const options = new Options(values);
  if (help) return { row, options, arguments: positional, help };
  return { row, options, arguments: takeArguments(rows, row, positional, rest), help };
}

function takeArguments(
  rows: readonly CommandRow[],
  row: CommandRow,
  positional: readonly string[],
  rest: readonly string[],
): readonly string[] {
  const wanted = row.arguments ?? [];
  const extra = wanted.at(-1)?.many ? undefined : positional[wanted.length];
  if (extra !== undefined) {
    const children = childrenOf(rows, row.path);
    const child = children.find((candidate) => candidate.path === `${row.path} ${extra}`);
    if (child && rest[0] !== extra) {
      throw new UsageError(`error: options of '${child.path}' go after it: openclaw ${child.path} …`);
    }
    if (children.length > 0) throw unknownCommand(rows, row.path, extra);
    throw new UsageError(
      `error: too many arguments for '${row.path}': expected ${wanted.length}, got ${positional.length}`,
    );
  }
  const missing = wanted.find((argument, i) => argument.required && positional[i] === undefined);
  if (missing) throw new UsageError(`error: missing required argument '${missing.name}'`);
  return positional;
}

/** `-m, --message <text>` */
export function describe(option: OptionSpec): string {
  const long = `--${option.name}${option.value ? ` <${option.value}>` : ""}`;
  return option.short ? `-${option.short}, ${long}` : long;
}
