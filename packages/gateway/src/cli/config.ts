/** `config get` and `config file`: reading only, and without the gateway. */
import { locateConfig } from "../config/locate.ts";
import { parsePath } from "../config/path.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { suggest } from "./profile.ts";
import { clean } from "./terminal/clean.ts";

/** The keys of a path as it was typed. Throws CommandError. */
export function keysOf(path: string): string[] {
  try {
    return parsePath(path);
  } catch (error) {
    throw new CommandError(clean((error as Error).message), {}, { cause: error });
  }
}

export async function get(context: Context): Promise<number> {
  const [path = ""] = context.arguments;
  const keys = keysOf(path);
  const config = await locateConfig(context.io);
  if (config.verdict === "unreadable" || config.verdict === "invalid") {
    throw new CommandError(
      `Config invalid\nFile: ${config.path}\nProblem:\n  - ${config.problem ?? ""}\nRun: ${suggest(context.io.env, "doctor --fix")}`,
    );
  }
  let value: unknown = config.document;
  for (const key of keys) {
    const found = typeof value === "object" && value !== null && Object.hasOwn(value, key);
    if (!found) throw new CommandError(`Config path not found: ${clean(path)}`);
    value = (value as Record<string, unknown>)[key];
  }
  const { substitute, withConfigEnv } = await import("../config/substitute.ts");
  value = substitute(value, withConfigEnv(config.document, context.io.env), []);
  if (context.json || (typeof value === "object" && value !== null)) context.printJson(value);
  else context.print(clean(String(value)));
  return 0;
}

export async function file(context: Context): Promise<number> {
  context.print((await locateConfig(context.io)).path);
  return 0;
}
