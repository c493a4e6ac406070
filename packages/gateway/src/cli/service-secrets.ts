/** What the installing shell knows and the service would not: a token goes to `<state>/.env` (0600), which gateway and commands
 *  both read; of provider keys the person is told. Nothing secret ever goes into a unit or plist (R-SVC-8). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { locateConfig } from "../config/locate.ts";
import { displayPath, stateDir } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import { CommandError } from "./command.ts";
import { parseDotenv } from "./profile.ts";
import { rooms } from "./rooms.ts";

export interface SecretsToKeep {
  /** `OPENCLAW_GATEWAY_TOKEN` holds the typed token too. */
  world: World;
  typed: string | undefined;
  /** The state directory belongs to the account that runs this command. */
  own: boolean;
}

const names = ["OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD"] as const;

/** Returns what was kept, one line each. Throws CommandError for a typed token the gateway would not use. */
export async function keepSecrets({ world, typed, own }: SecretsToKeep): Promise<string[]> {
  const config = await locateConfig({ ...world, env: without(world.env) });
  if (typed !== undefined && config.token !== undefined) {
    const { timingSafeEqual } = process.getBuiltinModule("node:crypto");
    const [one, other] = [Buffer.from(typed), Buffer.from(config.token)];
    if (one.length === other.length && timingSafeEqual(one, other)) return [];
    throw new CommandError(
      `gateway.auth.token in ${displayPath(config.path, world)} is another token, and the gateway uses that one.\nChange it there, or install without --token. Nothing was installed.`,
    );
  }
  if (config.token !== undefined || config.password !== undefined) return [];
  const stored = new Map(stateEnv(world));
  const lines: string[] = [];
  for (const name of names) {
    const value = world.env[name];
    if (!value || stored.get(name)) continue;
    if (!own) {
      lines.push(
        `${name} is only in this shell; the service will not see it. Set it as the service's user: openclaw setup`,
      );
      continue;
    }
    const { setInDotenv } = await rooms.dotenv.load();
    lines.push(`Kept ${name} in ${displayPath(setInDotenv(world, name, value), world)}, where the service reads it.`);
  }
  return lines;
}

/** Names of the providers whose keys choose a model without a config (settled.md 12). */
const providerKeys = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY"];

/** A sentence for each key that only this shell has. */
export async function unseenKeys(world: World): Promise<string[]> {
  const stored = new Map(stateEnv(world));
  const { document } = await locateConfig(world);
  const written = JSON.stringify([document.env, document.models]) ?? "";
  return providerKeys
    .filter((name) => world.env[name] && !stored.get(name) && !written.includes(name))
    .map(
      (name) =>
        `${name} is set in this shell only; the service does not see it. Put it into ${displayPath(join(stateDir(world), ".env"), world)}.`,
    );
}

const without = (env: World["env"]): World["env"] =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.some((each) => each.slice(8) === name.slice(8))));

function stateEnv(world: World): [string, string][] {
  try {
    return parseDotenv(readFileSync(join(stateDir(world), ".env"), "utf8"));
  } catch {
    return []; // No such file: nothing is kept there.
  }
}
