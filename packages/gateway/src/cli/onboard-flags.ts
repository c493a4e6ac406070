/** From the flags of `onboard` (cli.md §2.3) to answers, by step id. */
import { CommandError, UsageError } from "./command.ts";
import type { Options } from "./command.ts";
import { keyFlags } from "./onboard-options.ts";

const later = ["node-manager", "token-profile-id", "token-expires-in"];

/** Flags that answer one step as they are. */
const plain = {
  "remote-url": "remote-url",
  "remote-token": "remote-token",
  workspace: "workspace",
  mode: "mode",
  flow: "flow",
  "gateway-port": "port",
  "gateway-bind": "bind",
  "gateway-auth": "auth",
  "gateway-token": "token",
  "gateway-password": "password",
  tailscale: "tailscale",
} as const;

/** The flag that answers a step, for messages. */
export const flagOf: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(plain).map(([flag, step]) => [step, `--${flag}`])),
  provider: "--auth-choice",
};

const gatewayFlags = ["gateway-port", "gateway-bind", "gateway-auth", "gateway-token", "gateway-password", "tailscale"];

export interface Flags {
  given: Record<string, unknown>;
  /** Absent when no flag speaks of it. */
  authChoice?: string;
}

/** Throws UsageError for flags that contradict each other, CommandError for what this release cannot do. */
export function readFlags(options: Options, silent: boolean): Flags {
  for (const name of later)
    if (options.has(name)) throw new CommandError(`--${name} is not offered yet. Nothing was written.`);
  if (options.has("install-daemon") && (options.has("no-install-daemon") || options.has("skip-daemon")))
    throw new UsageError("Give --install-daemon or --no-install-daemon, not both");
  const given: Record<string, unknown> = {};
  for (const [flag, step] of Object.entries(plain)) if (options.has(flag)) given[step] = options.text(flag);
  if (options.has("accept-risk")) given.risk = true;
  if (options.has("reset")) given.existing = "reset";
  else if (silent) given.existing = "modify";
  if (silent || gatewayFlags.some((flag) => options.has(flag))) given.flow = "advanced";
  const authChoice = readModel(options, given);
  check(options, given);
  return { given, ...(authChoice === undefined ? {} : { authChoice }) };
}

function readModel(options: Options, given: Record<string, unknown>): string | undefined {
  const keys = keyFlags.filter(([flag]) => options.has(flag));
  const unknown = keys.find(([, , provider]) => provider === undefined);
  if (unknown) {
    throw new CommandError(
      `--${unknown[0]} is not offered yet. Name ${unknown[1]} under models.providers in the config file.`,
    );
  }
  if (keys.length > 1) throw new UsageError(`Give one key: ${keys.map(([flag]) => `--${flag}`).join(" or ")}`);
  const [flag, , provider] = keys[0] ?? [];
  const choice = options.text("auth-choice");
  if (choice === "token") {
    const named = options.text("token-provider");
    if (!named || !options.has("token")) throw new UsageError("--auth-choice token needs --token-provider and --token");
    given.provider = named;
    given.key = options.text("token");
    return choice;
  }
  if (options.has("token") || options.has("token-provider"))
    throw new UsageError("--token and --token-provider need --auth-choice token");
  if (flag !== undefined) {
    if (choice !== undefined && choice !== flag && choice !== "apiKey")
      throw new UsageError(`--auth-choice ${choice} does not go with --${flag}`);
    given.provider = provider;
    given.key = options.text(flag);
    return flag;
  }
  if (choice === undefined) return undefined;
  const named = keyFlags.find(([name]) => name === (choice === "apiKey" ? "anthropic-api-key" : choice))?.[2];
  given.provider = named ?? choice;
  return choice;
}

function check(options: Options, given: Record<string, unknown>): void {
  const has = (name: string) => options.has(name);
  if (given.mode !== "remote" && (has("remote-url") || has("remote-token")))
    throw new UsageError("--remote-url and --remote-token need --mode remote");
  if (has("gateway-token") && has("gateway-password"))
    throw new UsageError("Give --gateway-token or --gateway-password, not both");
  if (has("gateway-password")) given.auth ??= "password";
  if (has("gateway-token")) given.auth ??= "token";
  if (given.auth === "password" && has("gateway-token"))
    throw new UsageError("--gateway-token needs --gateway-auth token");
  if (given.auth === "token" && has("gateway-password"))
    throw new UsageError("--gateway-password needs --gateway-auth password");
  const exposed = given.tailscale !== undefined && given.tailscale !== "off";
  if (exposed && given.bind !== undefined && given.bind !== "loopback")
    throw new UsageError("--tailscale needs --gateway-bind loopback: a second way in would bypass it");
  if (given.tailscale === "funnel" && given.auth === "token")
    throw new UsageError("--tailscale funnel needs --gateway-auth password");
}
