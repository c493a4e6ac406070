/** `config history` and `config diff`: the last texts of the config, with the gateway up or down. */
import { configPath } from "../kernel/paths.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { rooms } from "./rooms.ts";
import { clean } from "./terminal/clean.ts";

interface Entry {
  id: string;
  at: number;
  hash: string;
  path: string;
}

/** By number (1 is the newest), by id, or by the beginning of the id or hash. Throws CommandError. */
export function findEntry<E extends Entry>(entries: readonly E[], name: string): E {
  if (entries.length === 0) throw new CommandError("The history is empty: nothing was written yet.");
  const number = /^\d{1,2}$/.test(name) ? entries[Number(name) - 1] : undefined;
  if (number) return number;
  const found = name ? entries.filter((entry) => entry.id.startsWith(name) || entry.hash.startsWith(name)) : [];
  const ids = new Set(found.map((entry) => entry.hash));
  const [first] = found;
  if (first && ids.size === 1) return first;
  throw new CommandError(
    `${first ? "Several entries match" : "No entry matches"} "${clean(name)}". See openclaw config history.`,
  );
}

export async function history(context: Context): Promise<number> {
  const config = await rooms.config.load();
  const { declared } = await rooms.sections.load();
  const { hash } = config.readConfig(configPath(context.io), context.io, declared);
  const entries = config.listHistory(context.io).map((entry, i) => ({
    number: i + 1,
    id: entry.id,
    at: entry.at,
    hash: entry.hash,
    current: hash.startsWith(entry.hash),
    path: entry.path,
  }));
  if (context.json) {
    context.printJson({ entries });
    return 0;
  }
  if (entries.length === 0) context.print("The history is empty: nothing was written yet.");
  for (const entry of entries) {
    const time = new Date(entry.at).toISOString().replace("T", " ").slice(0, 19);
    context.print(`${String(entry.number).padStart(2)}  ${time} UTC  ${entry.hash}${entry.current ? "  current" : ""}`);
  }
  return 0;
}

export async function diff(context: Context): Promise<number> {
  const [name] = context.arguments;
  const config = await rooms.config.load();
  const { declared } = await rooms.sections.load();
  const now = config.readConfig(configPath(context.io), context.io, declared);
  if (now.verdict === "unreadable") throw new CommandError(`${now.path} ${now.issues[0]?.message ?? "cannot be read"}`);
  const entries = config.listHistory(context.io);
  const entry =
    name === undefined ? entries.find((candidate) => !now.hash.startsWith(candidate.hash)) : findEntry(entries, name);
  if (!entry) {
    if (context.json) context.printJson({ from: null, changes: [] });
    else context.print("Nothing differs: the history has no other text.");
    return 0;
  }
  const schema = config.documentSchema(declared);
  const before = parsed(config.parseDocument, config.readHistory(entry));
  const after = now.raw === null ? {} : parsed(config.parseDocument, now.raw);
  // Compared as they are, shown masked: a changed secret is a change too.
  const secrets = config.secretsOf(after, schema, config.secretsOf(before, schema));
  const [old, next] = [before, after].map((value) => config.redactValues(value, schema, secrets));
  const changes = config
    .diffConfig(before, after)
    .map((path) => ({ path, before: config.getIn(old, path.split(".")), after: config.getIn(next, path.split(".")) }));
  if (context.json) {
    context.printJson({ from: entry.id, changes });
    return 0;
  }
  if (changes.length === 0) context.print(`No value differs from ${entry.id}.`);
  for (const change of changes)
    context.print(`${clean(change.path)}: ${shown(change.before)} -> ${shown(change.after)}`);
  return 0;
}

function parsed(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new CommandError(
      `A text cannot be parsed, so its values cannot be compared: ${(error as Error).message}`,
      {},
      { cause: error },
    );
  }
}

const shown = (value: unknown): string => (value === undefined ? "(not set)" : clean(JSON.stringify(value)));
