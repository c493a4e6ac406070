/** `${VAR}` in string values and the `env` block (config.md §2.3, §2.4). */
import { isObject, joinPath, type Issue } from "./validate.ts";

type Env = Readonly<Record<string, string | undefined>>;

const reference = /\$(\$?)\{([A-Z_][A-Z0-9_]*)\}/gu;

/** Textual, not recursive; `$${X}` yields the literal `${X}`. A variable that is unset or empty becomes an issue. */
export function substitute(value: unknown, env: Env, issues: Issue[], path = ""): unknown {
  if (typeof value === "string") {
    return value.replace(reference, (match, escaped: string, name: string) => {
      if (escaped) return match.slice(1);
      const found = env[name];
      if (found) return found;
      issues.push({ path, message: `Missing env var "${name}" referenced at config path: ${path}` });
      return match;
    });
  }
  if (Array.isArray(value)) return value.map((item, i) => substitute(item, env, issues, `${path}[${i}]`));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, substitute(item, env, issues, joinPath(path, key))]),
  );
}

/** Environment extended by the document's `env` block: names already set win. */
export function withConfigEnv(document: unknown, env: Env): Env {
  const block = isObject(document) && isObject(document.env) ? document.env : undefined;
  if (!block) return env;
  const given = { ...block, ...(isObject(block.vars) ? block.vars : {}) };
  const added: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "string" && value && !env[name]) added[name] = value;
  }
  return { ...added, ...Object.fromEntries(Object.entries(env).filter(([, value]) => value)) };
}
