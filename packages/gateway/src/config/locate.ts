/** The little a client command must know of the config: where it is, and how to reach and enter the gateway. Loads no
 *  schema and no JSON5 parser unless the file needs them. What the file says in other places is not judged here. */
import { readFileSync } from "node:fs";
import { configPath, stateDir } from "../kernel/paths.ts";

type Env = Readonly<Record<string, string | undefined>>;
type Json = Record<string, unknown>;

/** `missing` counts as an empty config; after `unreadable` and `invalid` only the environment is known. */
export type LocateVerdict = "ok" | "missing" | "unreadable" | "invalid";

export interface LocatedConfig {
  path: string;
  stateDir: string;
  verdict: LocateVerdict;
  /** One sentence, when the verdict is `unreadable` or `invalid`. */
  problem?: string;
  /** What the file says, includes resolved, `${VAR}` not replaced. Empty unless the verdict is `ok`. */
  document: Json;
  mode?: string;
  port: number;
  portSource: "env" | "config" | "default";
  bind: string;
  customBindHost?: string;
  tls: boolean;
  basePath: string;
  authMode?: string;
  /** Of the local gateway: environment before file. */
  token?: string;
  password?: string;
  remote: { url?: string; token?: string; password?: string; tlsFingerprint?: string };
  /** `agents.defaults.timeoutSeconds` */
  agentTimeoutSeconds?: number;
  logFile?: string;
}

const maxBytes = 8 * 1024 * 1024;
const defaultPort = 18_789;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a path of keys; undefined when anything on the way is missing. */
function at(document: Json, ...keys: string[]): unknown {
  let value: unknown = document;
  for (const key of keys) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

const portOf = (value: unknown): number | undefined => {
  const port = typeof value === "string" && /^\d+$/.test(value.trim()) ? Number(value) : value;
  return typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
};

/** Never throws for what the file contains. */
export async function locateConfig(world: { env: Env; homedir(): string }): Promise<LocatedConfig> {
  const path = configPath(world);
  const { verdict, problem, document } = await readDocument(path, world.env);
  const first = (...names: string[]) => names.map((name) => world.env[name]).find((value) => value);
  const text = (...keys: string[]) => resolveText(at(document, ...keys), world.env, document);
  /** A text that is none of the choices is a mistake that others report; here it may be anything, also a secret. */
  const choice = (choices: readonly string[], ...keys: string[]) => {
    const found = text(...keys);
    return found !== undefined && choices.includes(found) ? found : undefined;
  };
  const envPort = portOf(first("OPENCLAW_GATEWAY_PORT", "CLAWDBOT_GATEWAY_PORT"));
  const filePort = portOf(at(document, "gateway", "port"));
  const timeout = at(document, "agents", "defaults", "timeoutSeconds");
  return {
    path,
    stateDir: stateDir(world),
    verdict,
    ...(problem === undefined ? {} : { problem }),
    document,
    port: envPort ?? filePort ?? defaultPort,
    portSource: envPort ? "env" : filePort ? "config" : "default",
    bind: choice(["loopback", "lan", "tailnet", "auto", "custom"], "gateway", "bind") ?? "loopback",
    tls: at(document, "gateway", "tls", "enabled") === true,
    basePath: text("gateway", "controlUi", "basePath") ?? "/",
    ...present({
      mode: choice(["local", "remote"], "gateway", "mode"),
      customBindHost: text("gateway", "customBindHost"),
      authMode: choice(["token", "password"], "gateway", "auth", "mode"),
      token: first("OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN") ?? text("gateway", "auth", "token"),
      password: first("OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD") ?? text("gateway", "auth", "password"),
      logFile: text("logging", "file"),
      agentTimeoutSeconds: typeof timeout === "number" && timeout > 0 ? timeout : undefined,
    }),
    remote: present({
      url: text("gateway", "remote", "url"),
      token: text("gateway", "remote", "token"),
      password:
        first("OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD") ?? text("gateway", "remote", "password"),
      tlsFingerprint: text("gateway", "remote", "tlsFingerprint"),
    }),
  };
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends Json>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}

interface Reading {
  verdict: LocateVerdict;
  problem?: string;
  document: Json;
}

async function readDocument(path: string, env: Env): Promise<Reading> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    if (code === "ENOENT" || code === "ENOTDIR") return { verdict: "missing", document: {} };
    return { verdict: "unreadable", problem: `The config file cannot be read (${code}).`, document: {} };
  }
  if (text.length > maxBytes) {
    return { verdict: "invalid", problem: `The config file is larger than ${maxBytes} bytes.`, document: {} };
  }
  const invalid = (problem: string): Reading => ({ verdict: "invalid", problem, document: {} });
  const bare = text.replace(/^\uFEFF/u, "");
  let document: unknown;
  try {
    document = JSON.parse(bare);
  } catch {
    // Not plain JSON: comments, single quotes, trailing commas. Only then is the JSON5 parser worth its start-up time.
    const { default: json5 } = await import("json5");
    try {
      document = json5.parse(bare);
    } catch (error) {
      return invalid(`JSON5 parse failed: ${(error as Error).message}`);
    }
  }
  if (!isObject(document)) return invalid("The config file must hold an object.");
  if (!bare.includes("$include")) return { verdict: "ok", document };
  const { resolveIncludes } = await import("./include.ts");
  try {
    const whole = resolveIncludes(document, path, env.OPENCLAW_INCLUDE_ROOTS, new Set());
    return isObject(whole) ? { verdict: "ok", document: whole } : invalid("The config file must hold an object.");
  } catch (error) {
    return invalid((error as Error).message);
  }
}

/** A string with `${VAR}` replaced (config.md §2.4). Undefined when a variable is missing: then the value is not known. */
function resolveText(value: unknown, env: Env, document: Json): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  let missing = false;
  const text = value.replace(/\$(\$?)\{([A-Z_][A-Z0-9_]*)\}/g, (match, escaped: string, name: string) => {
    if (escaped) return match.slice(1);
    const own = at(document, "env", "vars", name) ?? at(document, "env", name);
    const found = env[name] || (typeof own === "string" ? own : "");
    if (!found) missing = true;
    return found;
  });
  return missing ? undefined : text;
}
