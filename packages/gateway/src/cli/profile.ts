/** Global options before the command word, and the environment they and dotenv files make (lifecycle.md §2.1, §13). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commandLine, stateDir } from "../kernel/paths.ts";
import type { Io } from "./io.ts";

export interface Globals {
  /** From the command word on. */
  words: readonly string[];
  profile?: string;
  dev: boolean;
  version: boolean;
  help: boolean;
  noColor: boolean;
}

/** Wrong profile flags: exit 2. */
export class ProfileError extends Error {}

/** Unknown options before the command word are left in `words` and refused there. Throws ProfileError. */
export function readGlobals(argv: readonly string[]): Globals {
  const globals: Globals = { words: [], dev: false, version: false, help: false, noColor: argv.includes("--no-color") };
  let i = 0;
  let update = false;
  for (; i < argv.length; i += 1) {
    const word = argv[i] ?? "";
    if (word === "--dev") globals.dev = true;
    else if (word === "--profile") {
      i += 1;
      globals.profile = named(argv[i]);
    } else if (word.startsWith("--profile=")) globals.profile = named(word.slice("--profile=".length));
    else if (word === "--version" || word === "-V" || word === "-v") globals.version = true;
    else if (word === "--help" || word === "-h") globals.help = true;
    else if (word === "--update") update = true;
    else if (word !== "--no-color") break;
  }
  if (globals.dev && globals.profile !== undefined) throw new ProfileError("Cannot combine --dev with --profile");
  const words = argv.slice(i);
  return { ...globals, words: update ? ["update", ...words] : words };
}

function named(value: string | undefined): string {
  if (value === undefined || value === "" || value.startsWith("-")) throw new ProfileError("--profile needs a name");
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(value)) {
    throw new ProfileError(`Invalid --profile "${value}": use letters, digits, "_" and "-"`);
  }
  return value;
}

/** Sets what is unset; an empty value counts as unset. */
export function applyProfile(globals: Globals, io: Pick<Io, "env" | "homedir">): void {
  const { env } = io;
  const name = globals.dev ? "dev" : globals.profile;
  const fallback = (key: string, value: string) => {
    if (!env[key]) env[key] = value;
  };
  if (globals.noColor) {
    env.NO_COLOR = "1";
    env.FORCE_COLOR = "0";
  }
  if (name === undefined) return;
  fallback("OPENCLAW_PROFILE", name);
  fallback("OPENCLAW_STATE_DIR", join(io.homedir(), name === "default" ? ".openclaw" : `.openclaw-${name}`));
  fallback("OPENCLAW_CONFIG_PATH", join(env.OPENCLAW_STATE_DIR ?? "", "openclaw.json"));
  if (globals.dev) fallback("OPENCLAW_GATEWAY_PORT", "19001");
}

/** `./.env`, then `<state>/.env`. What is set already wins; no variables inside values. */
export function applyDotenv(io: Pick<Io, "env" | "homedir" | "cwd">): void {
  for (const folder of [() => io.cwd(), () => stateDir(io)]) {
    let text: string;
    try {
      text = readFileSync(join(folder(), ".env"), "utf8");
    } catch {
      continue; // Missing or unreadable: most folders have none.
    }
    for (const [name, value] of parseDotenv(text)) if (!io.env[name]) io.env[name] = value;
  }
}

export function parseDotenv(text: string): [string, string][] {
  const entries: [string, string][] = [];
  for (const line of text.replace(/^\uFEFF/u, "").split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (!match) continue;
    const [, name = "", raw = ""] = match;
    const quoted = /^(["'])(.*?)\1(?:\s+#.*)?$/.exec(raw);
    entries.push([name, quoted ? (quoted[2] ?? "") : raw.replace(/(?:^|\s+)#.*$/, "")]);
  }
  return entries;
}

/** `openclaw …` as the person would type it, with the active profile. */
export const suggest = (env: Io["env"], command: string): string => commandLine({ env }, command);
