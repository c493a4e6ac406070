/** `config set`, `config unset` and `config restore`: the file is edited under its lock, whether a gateway runs or not. A running
 *  one sees the change by itself. */
import { configPath, displayPath } from "../kernel/paths.ts";
import { keysOf } from "./config.ts";
import { findEntry } from "./config-history.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { rooms } from "./rooms.ts";
import { clean } from "./terminal/clean.ts";

const load = async () => {
  const [config, { declared }] = await Promise.all([rooms.config.load(), rooms.sections.load()]);
  return { config, declared };
};

export async function set(context: Context): Promise<number> {
  const [path = "", text = ""] = context.arguments;
  const { config, declared } = await load();
  const keys = keysOf(path);
  const value = await readValue(text, keys, context.json);
  return write(
    context,
    keys,
    value,
    (applied, changed) => `Updated ${clean(path)}. ${changed ? applied : "It had that value already."}`,
    { config, declared },
  );
}

export async function unset(context: Context): Promise<number> {
  const [path = ""] = context.arguments;
  const { config, declared } = await load();
  const keys = keysOf(path);
  const before = config.readConfig(configPath(context.io), context.io, declared);
  if (config.getIn(before.parsed, keys) === undefined) throw new CommandError(`Config path not found: ${clean(path)}`);
  return write(context, keys, undefined, (applied) => `Removed ${clean(path)}. ${applied}`, { config, declared });
}

type Loaded = Awaited<ReturnType<typeof load>>;

async function write(
  context: Context,
  keys: string[],
  value: unknown,
  tell: (applied: string, changed: boolean) => string,
  { config, declared }: Loaded,
): Promise<number> {
  const world = await context.io.world();
  const file = configPath(world);
  const before = config.readConfig(file, world, declared);
  const written = await told(config.editConfigFile(file, [{ path: keys, value }], world, declared));
  const effective = written.snapshot.config;
  const plan = before.config && config.reloadPlan(config.diffConfig(before.config, effective), declared);
  const message = tell(whenApplied(plan && plan.restart.length > 0, effective), written.changed);
  if (context.json)
    context.printJson({
      ok: true,
      path: config.formatPath(keys),
      file: written.path,
      changed: written.changed,
      hash: written.hash,
      message,
    });
  else context.print(message);
  for (const warning of written.snapshot.warnings) context.note(`Warning: ${warning.path}: ${warning.message}`);
  return 0;
}

/** The writer's refusals are texts for people; they need no prefix. */
async function told<T>(writing: Promise<T>): Promise<T> {
  try {
    return await writing;
  } catch (error) {
    if (error instanceof Error && error.name === "GatewayError")
      throw new CommandError(error.message, {}, { cause: error });
    throw error;
  }
}

/** What a gateway that runs on this file does with the change. After a broken text it is not known what runs. */
function whenApplied(restarts: boolean | undefined, effective: Record<string, unknown> | undefined): string {
  const mode = (effective?.gateway as { reload?: { mode?: string } } | undefined)?.reload?.mode;
  if (restarts === undefined) return "A running gateway takes it over by itself.";
  if (mode === "off" || (mode === "hot" && restarts)) return "Restart the gateway to apply.";
  return restarts || mode === "restart"
    ? "A running gateway restarts by itself to apply it."
    : "A running gateway applies it by itself.";
}

/** JSON5, else the text as it is. Where only a text is legal, a number stays the text that was typed. */
async function readValue(text: string, keys: readonly string[], strict: boolean): Promise<unknown> {
  const { config, declared } = await load();
  let value: unknown;
  try {
    value = config.parseDocument(text);
  } catch (error) {
    if (strict) throw new CommandError(`Failed to parse the value: ${(error as Error).message}`);
    return text;
  }
  const plain = typeof value === "number" || typeof value === "boolean" || value === null;
  return plain && !strict && config.schemaAt(declared, keys)?.type === "string" ? text : value;
}

export async function restore(context: Context): Promise<number> {
  const [name = ""] = context.arguments;
  const { config, declared } = await load();
  const world = await context.io.world();
  const entry = findEntry(config.listHistory(world), name);
  const file = configPath(world);
  const { hash } = config.readConfig(file, world, declared);
  const written = await told(
    config.replaceConfigFile(file, config.readHistory(entry), world, declared, { baseHash: hash }),
  );
  const message = written.changed
    ? `Restored ${entry.id} to ${displayPath(written.path, world)}. The former text is in the history.`
    : `${displayPath(written.path, world)} holds that text already.`;
  if (context.json)
    context.printJson({ ok: true, id: entry.id, file: written.path, changed: written.changed, hash: written.hash });
  else context.print(message);
  return 0;
}
