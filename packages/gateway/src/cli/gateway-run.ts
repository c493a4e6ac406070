/** `gateway` and `gateway run`: checks the words of the command line, then hands over to the assembly (lifecycle.md §2.2). */
import { CommandError } from "./command.ts";
import type { Context, Options } from "./command.ts";
import { rooms } from "./rooms.ts";
import type { RunOptions } from "../assembly/run-options.ts";

/** `or` stands before the last of three and more; the text for `--ws-log` has always gone without it. */
function oneOf<const T extends string>(
  options: Options,
  name: string,
  allowed: readonly T[],
  or = "or ",
): T | undefined {
  const value = options.text(name);
  if (value === undefined) return undefined;
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  const quoted = allowed.map((candidate) => `"${candidate}"`);
  const list = allowed.length > 2 ? `${quoted.slice(0, -1).join(", ")}, ${or}${quoted.at(-1)}` : quoted.join(" or ");
  throw new CommandError(`Invalid --${name} (use ${list})`);
}

function port(options: Options): number | undefined {
  const text = options.text("port");
  if (text === undefined) return undefined;
  const value = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  if (value < 1 || value > 65_535) throw new CommandError("Invalid port");
  return value;
}

export async function run(context: Context): Promise<number> {
  const { options, io } = context;
  const dev = options.has("dev") || io.env.OPENCLAW_PROFILE === "dev";
  if (options.has("reset") && !dev) throw new CommandError("Use --reset with --dev.");
  const wsLog = oneOf(options, "ws-log", ["auto", "full", "compact"], "");
  const given = port(options);
  const token = options.text("token");
  const password = options.text("password");
  const auth = oneOf(options, "auth", ["token", "password"]);
  const tailscale = oneOf(options, "tailscale", ["off", "serve", "funnel"]);
  const bind = oneOf(options, "bind", ["loopback", "lan", "tailnet", "auto", "custom"]);
  if (options.has("raw-stream")) io.env.OPENCLAW_RAW_STREAM = "1";
  const rawPath = options.text("raw-stream-path");
  if (rawPath !== undefined) io.env.OPENCLAW_RAW_STREAM_PATH = rawPath;
  // Children and derived ports read the environment, so what the flag says must stand there too.
  if (token !== undefined) io.env.OPENCLAW_GATEWAY_TOKEN = token;
  if (given !== undefined) io.env.OPENCLAW_GATEWAY_PORT = String(given);
  const runOptions: RunOptions = {
    ...(given === undefined ? {} : { port: given }),
    ...(bind === undefined ? {} : { bind }),
    ...(auth === undefined ? {} : { auth }),
    ...(token === undefined ? {} : { token }),
    ...(password === undefined ? {} : { password }),
    ...(tailscale === undefined ? {} : { tailscale }),
    tailscaleResetOnExit: options.has("tailscale-reset-on-exit"),
    verbose: options.has("verbose"),
    allowUnconfigured: options.has("allow-unconfigured"),
    dev: options.has("dev") || options.has("reset"),
    reset: options.has("reset"),
    force: options.has("force"),
    claudeCliLogs: options.has("claude-cli-logs"),
    wsLog: options.has("compact") ? "compact" : (wsLog ?? "auto"),
  };
  // A closed terminal or log pipe must not end the gateway.
  io.endOnBrokenPipe = false;
  const { runGateway } = await rooms.gateway.load();
  return runGateway(runOptions);
}
