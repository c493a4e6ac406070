/** `config get` and `config file`: reading only, and without the gateway. */
import { locateConfig } from "../config/locate.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { clean } from "./terminal/clean.ts";

const forbidden = new Set(["", "__proto__", "constructor", "prototype"]);

/** Dots, `[0]`, `["key with.dots"]`; a backslash keeps the next character (config.md §6.1). Throws CommandError. */
export function splitPath(path: string): string[] {
  const keys: string[] = [];
  const pattern = /\[(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\d+))\]|((?:[^.[\]\\]|\\.)+)|(\.)/gy;
  let at = 0;
  let expectKey = true;
  for (const match of path.matchAll(pattern)) {
    at = match.index + match[0].length;
    const key = match[1] ?? match[2] ?? match[3] ?? match[4];
    if (key === undefined) {
      if (expectKey) break;
      expectKey = true;
      continue;
    }
    keys.push(key.replace(/\\(.)/g, "$1"));
    expectKey = false;
  }
  if (at !== path.length || expectKey || keys.some((key) => forbidden.has(key))) {
    throw new CommandError(`Invalid config path: ${clean(path)}`);
  }
  return keys;
}

export async function get(context: Context): Promise<number> {
  const [path = ""] = context.arguments;
  const keys = splitPath(path);
  const config = await locateConfig(context.io);
  if (config.verdict === "unreadable" || config.verdict === "invalid") {
    throw new CommandError(
      `Config invalid\nFile: ${config.path}\nProblem:\n  - ${config.problem ?? ""}\nRun: openclaw doctor --fix`,
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
