/** Which gateway a command talks to, and with which credentials (lifecycle.md §12.1). */
import { locateConfig } from "../config/locate.ts";
import type { LocatedConfig } from "../config/locate.ts";
import { CommandError } from "./command.ts";
import type { Options } from "./command.ts";
import type { Io } from "./io.ts";

export interface Target {
  url: string;
  /** Where the address came from, as errors show it. */
  source: string;
  credentials: { token?: string; password?: string };
  /** Loopback address of this machine. */
  local: boolean;
  /** Shown in errors; local gateways only. */
  bind?: string;
  tlsFingerprint?: string;
  config: LocatedConfig;
}

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "[::1]" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);

/** First address inside 100.64.0.0/10. */
function tailnetAddress(io: Io): string | undefined {
  return io.addresses().find((address) => {
    const [a = 0, b = 0] = address.split(".").map(Number);
    return a === 100 && b >= 64 && b < 128;
  });
}

/** Address of the gateway on this machine, whatever `gateway.mode` says. */
export function localTarget(config: LocatedConfig, io: Io): Target {
  const tailnet = config.bind === "tailnet" ? tailnetAddress(io) : undefined;
  const custom = config.bind === "custom" ? config.customBindHost : undefined;
  const host = tailnet ?? (custom && custom !== "0.0.0.0" ? custom : "127.0.0.1");
  return {
    url: `${config.tls ? "wss" : "ws"}://${host}:${config.port}`,
    source: tailnet ? `local tailnet ${tailnet}` : "local loopback",
    credentials: secrets(config.token, config.password),
    local: isLoopback(host),
    bind: config.bind,
    config,
  };
}

function secrets(token: string | undefined, password: string | undefined): Target["credentials"] {
  return { ...(token ? { token } : {}), ...(password ? { password } : {}) };
}

/** Throws CommandError when remote mode has no address or credentials would go to a typed host. */
export async function resolveTarget(options: Options, io: Io): Promise<Target> {
  const config = await locateConfig(io);
  const token = options.text("token");
  const password = options.text("password");
  const typed = options.text("url");
  if (typed !== undefined) return typedTarget(typed, secrets(token, password), config);
  if (config.mode !== "remote") {
    const local = localTarget(config, io);
    return { ...local, credentials: { ...local.credentials, ...secrets(token, password) } };
  }
  const { remote } = config;
  if (!remote.url) {
    throw new CommandError(
      `gateway remote mode misconfigured: gateway.remote.url missing\nConfig: ${config.path}\nFix: set gateway.remote.url, or set gateway.mode=local`,
    );
  }
  return {
    url: remote.url,
    source: "config gateway.remote.url",
    credentials: { ...secrets(remote.token, remote.password), ...secrets(token, password) },
    local: URL.canParse(remote.url) && isLoopback(new URL(remote.url).hostname),
    ...(remote.tlsFingerprint ? { tlsFingerprint: remote.tlsFingerprint } : {}),
    config,
  };
}

function typedTarget(url: string, given: Target["credentials"], config: LocatedConfig): Target {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || (parsed.protocol !== "ws:" && parsed.protocol !== "wss:")) {
    throw new CommandError("Invalid --url: use ws://host:port or wss://host:port");
  }
  const local = isLoopback(parsed.hostname);
  const none = !given.token && !given.password;
  // A stored secret never goes to a host somebody typed.
  if (none && !local) {
    throw new CommandError(
      "gateway url override requires explicit credentials\nFix: pass --token or --password together with --url",
    );
  }
  const credentials = none ? secrets(config.token, config.password) : given;
  return { url, source: "cli --url", credentials, local, config };
}
