/** Which gateway a command talks to, and with which credentials (lifecycle.md §12.1). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { locateConfig } from "../config/locate.ts";
import type { LocatedConfig } from "../config/locate.ts";
import { displayPath, expandHome } from "../kernel/paths.ts";
import { CommandError } from "./command.ts";
import type { Options } from "./command.ts";
import type { Io } from "./io.ts";

export interface Target {
  url: string;
  /** Where the address came from, as errors show it. */
  source: string;
  credentials: { token?: string; password?: string };
  /** Names of the settings the credentials came from, never their values. */
  credentialSources: readonly string[];
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
export function tailnetAddress(io: Pick<Io, "addresses">): string | undefined {
  return io.addresses().find((address) => {
    const [a = 0, b = 0] = address.split(".").map(Number);
    return a === 100 && b >= 64 && b < 128;
  });
}

type Found = Pick<Target, "credentials" | "credentialSources">;

/** What was found, with the name of its source; empty values count as absent. */
function found(token: readonly [string | undefined, string], password: readonly [string | undefined, string]): Found {
  const given = [token, password].filter(([value]) => value);
  return {
    credentials: { ...(token[0] ? { token: token[0] } : {}), ...(password[0] ? { password: password[0] } : {}) },
    credentialSources: given.map(([, source]) => source),
  };
}

const set = (io: Pick<Io, "env">, ...names: string[]): string | undefined => names.find((name) => io.env[name]);
const tokenVariable = (io: Pick<Io, "env">) => set(io, "OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN");
const passwordVariable = (io: Pick<Io, "env">) => set(io, "OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD");

const localSecrets = (config: LocatedConfig, io: Io): Found =>
  found(
    [config.token, tokenVariable(io) ?? "gateway.auth.token"],
    [config.password, passwordVariable(io) ?? "gateway.auth.password"],
  );

/** A secret of the command line stands in for the configured one of its kind. */
function withTyped(configured: Found, token: string | undefined, password: string | undefined): Found {
  const { credentials, credentialSources } = configured;
  const kept = (kind: "token" | "password") =>
    credentialSources.find((name) => name.toLowerCase().endsWith(kind)) ?? "";
  return found(
    token ? [token, "--token"] : [credentials.token, kept("token")],
    password ? [password, "--password"] : [credentials.password, kept("password")],
  );
}

/** Address of the gateway on this machine, whatever `gateway.mode` says. */
export function localTarget(config: LocatedConfig, io: Io): Target {
  const tailnet = config.bind === "tailnet" ? tailnetAddress(io) : undefined;
  const custom = config.bind === "custom" ? config.customBindHost : undefined;
  const host = tailnet ?? (custom && custom !== "0.0.0.0" ? custom : "127.0.0.1");
  return {
    url: `${config.tls ? "wss" : "ws"}://${host}:${config.port}`,
    source: tailnet ? `local tailnet ${tailnet}` : "local loopback",
    ...localSecrets(config, io),
    local: isLoopback(host),
    bind: config.bind,
    ...pinned(config.tls ? ownFingerprint(config, io) : undefined),
    config,
  };
}

const pinned = (tlsFingerprint: string | undefined) => (tlsFingerprint ? { tlsFingerprint } : {});

/** SHA-256 of this machine's own certificate. Undefined when it cannot be read: the chain is checked then. */
function ownFingerprint(config: LocatedConfig, io: Io): string | undefined {
  const gateway = config.document.gateway as { tls?: { certPath?: unknown } } | undefined;
  const named = gateway?.tls?.certPath;
  const path =
    typeof named === "string" && named
      ? expandHome(named, io)
      : join(config.stateDir, "gateway", "tls", "gateway-cert.pem");
  try {
    const { X509Certificate } = process.getBuiltinModule("node:crypto");
    return new X509Certificate(readFileSync(path)).fingerprint256;
  } catch {
    return undefined; // Not made yet, or another user's: the connection says what is wrong.
  }
}

/** Throws CommandError when remote mode has no address or credentials would go to a typed host. */
export async function resolveTarget(options: Options, io: Io): Promise<Target> {
  const config = await locateConfig(io);
  const token = options.text("token");
  const password = options.text("password");
  const fingerprint = options.text("tls-fingerprint");
  if (fingerprint !== undefined && !/^(sha-?256[:=])?([0-9a-f]{2}:?){32}$/i.test(fingerprint.trim())) {
    throw new CommandError("Invalid --tls-fingerprint: use the SHA-256 of the gateway's certificate, 64 hex digits");
  }
  const typed = options.text("url");
  if (typed !== undefined)
    return { ...typedTarget(typed, withTyped(nothing, token, password), config, io), ...pinned(fingerprint) };
  if (config.mode !== "remote") {
    const local = localTarget(config, io);
    return { ...local, ...withTyped(local, token, password), ...pinned(fingerprint) };
  }
  const remote = remoteTarget(config, io);
  if (!remote) {
    throw new CommandError(
      [
        "gateway remote mode misconfigured: gateway.remote.url missing",
        `Config: ${displayPath(config.path, io)}`,
        "Fix: set gateway.remote.url, or set gateway.mode=local",
      ].join("\n"),
    );
  }
  return { ...remote, ...withTyped(remote, token, password), ...pinned(fingerprint) };
}

const nothing: Found = { credentials: {}, credentialSources: [] };

/** The gateway of `gateway.remote`; undefined without an address. Local credentials never go there. Throws CommandError when
 *  the address is not one. */
export function remoteTarget(config: LocatedConfig, io: Io): Target | undefined {
  const { remote } = config;
  if (!remote.url) return undefined;
  const url = address(remote.url, "gateway.remote.url");
  return {
    url: remote.url,
    source: "config gateway.remote.url",
    ...remoteSecrets(config, io),
    local: isLoopback(url.hostname),
    ...pinned(remote.tlsFingerprint),
    config,
  };
}

/** The end of a tunnel on this machine's loopback, whose other end is the remote gateway. */
export function tunnelTarget(port: number, options: Options, config: LocatedConfig, io: Io): Target {
  const { remote } = config;
  const secrets = remoteSecrets(config, io);
  return {
    url: `${remote.tlsFingerprint ? "wss" : "ws"}://127.0.0.1:${port}`,
    source: "ssh tunnel",
    ...withTyped(secrets, options.text("token"), options.text("password")),
    local: true,
    ...pinned(options.text("tls-fingerprint") ?? remote.tlsFingerprint),
    config,
  };
}

const remoteSecrets = ({ remote }: LocatedConfig, io: Io): Found =>
  found([remote.token, "gateway.remote.token"], [remote.password, passwordVariable(io) ?? "gateway.remote.password"]);

/** An address for people, reports and errors: user, password and query, where secrets stand, are left out. */
export function shownAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.username && !url?.password && !url?.search && !url?.hash) return text;
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function address(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "ws:" || url.protocol === "wss:")) return url;
  throw new CommandError(`Invalid ${name}: use ws://host:port or wss://host:port`);
}

function typedTarget(text: string, given: Found, config: LocatedConfig, io: Io): Target {
  const url = address(text, "--url");
  const local = isLoopback(url.hostname);
  const none = given.credentialSources.length === 0;
  // A stored secret never goes to a host somebody typed.
  if (none && !local) {
    throw new CommandError(
      "gateway url override requires explicit credentials\nFix: pass --token or --password together with --url",
    );
  }
  // The own port is the own gateway; behind any other a tunnel may end in another machine with another certificate.
  const own = local && url.protocol === "wss:" && url.port === String(config.port);
  return {
    url: text,
    source: "cli --url",
    ...(none ? localSecrets(config, io) : given),
    local,
    ...pinned(own ? ownFingerprint(config, io) : undefined),
    config,
  };
}

/** Both the environment and the file hold a secret for the local gateway, and they differ: the gateway takes the file's, a
 *  command the variable's (lifecycle.md §4, §12.1). One sentence naming both and the next step; never a value. */
export function sourceConflict(target: Target, io: Io): string | undefined {
  if (!target.local || target.source === "config gateway.remote.url" || target.source === "ssh tunnel")
    return undefined;
  const { config } = target;
  const auth = (config.document.gateway as { auth?: Record<string, unknown> } | undefined)?.auth;
  for (const [kind, variable] of [
    ["token", tokenVariable(io)],
    ["password", passwordVariable(io)],
  ] as const) {
    const inFile = auth?.[kind];
    // A reference such as ${NAME} may well stand for the same secret.
    if (variable === undefined || typeof inFile !== "string" || !inFile || inFile.includes("${")) continue;
    if (inFile === io.env[variable] || !target.credentialSources.includes(variable)) continue;
    const file = displayPath(config.path, io);
    return (
      `${variable} and gateway.auth.${kind} in ${file} hold different ${kind}s: the gateway uses the one in the file, this command the variable's. ` +
      `Unset ${variable} (look in ./.env and ${displayPath(join(config.stateDir, ".env"), io)} too), or set both to the same ${kind}`
    );
  }
  return undefined;
}
