/** One-shot calls: connect, call, close; every wait bounded, Ctrl-C heard, failures in the common words. */
import { ClosedError, DeadlineError, GatewayClient, NotSentError, RequestError } from "@openclaw/client";
import type { DeviceIdentity } from "@openclaw/client";
import { fileDeviceTokens, fileIdentity, nodeSocket } from "@openclaw/client/node";
import { scopes } from "@openclaw/protocol";
import { join } from "node:path";
import { displayPath } from "../kernel/paths.ts";
import { CommandError, Interrupted } from "./command.ts";
import type { Context } from "./command.ts";
import type { Io } from "./io.ts";
import { suggest } from "./profile.ts";
import { resolveTarget, shownAddress, sourceConflict } from "./target.ts";
import type { Target } from "./target.ts";
import { VERSION } from "../kernel/version.ts";

export interface Connected {
  client: GatewayClient;
  target: Target;
  /** Deadline of the handshake, and of a call that names no other. */
  timeoutMs: number;
}

const families: Readonly<Record<string, string>> = { linux: "Linux", darwin: "Mac", win32: "Windows" };

export function createClient(target: Target, io: Io, timeoutMs: number, mode: "cli" | "probe" = "cli"): GatewayClient {
  const hasSecret = Boolean(target.credentials.token ?? target.credentials.password);
  // The shared secret on loopback is enough (R-AUTH-1); a device key would only cost time and pairing.
  const identityDir = join(target.config.stateDir, "identity");
  const needsDevice = !(hasSecret && target.local);
  // Made when the gateway asks for it: a command that reaches nobody leaves no file behind (R-CLI-2).
  let known: DeviceIdentity | undefined;
  const identity = () => (known ??= fileIdentity(identityDir, io.now()));
  const { tlsFingerprint } = target;
  return new GatewayClient({
    url: target.url,
    socket: (url, events) => nodeSocket(url, events, tlsFingerprint ? { tlsFingerprint } : {}),
    client: {
      id: "cli",
      mode,
      version: VERSION,
      platform: io.platform,
      deviceFamily: families[io.platform] ?? io.platform,
      instanceId: io.uuid(),
    },
    role: "operator",
    scopes: [...scopes],
    credentials: target.credentials,
    ...(needsDevice
      ? {
          identity,
          // The tokens on file belong to the configured gateway: a typed host neither gets nor replaces them.
          ...(target.source === "cli --url"
            ? {}
            : {
                deviceTokens: fileDeviceTokens(
                  identityDir,
                  () => identity().deviceId,
                  () => io.now(),
                ),
              }),
        }
      : {}),
    reconnect: false,
    handshakeTimeoutMs: timeoutMs,
    callTimeoutMs: timeoutMs,
    clock: {
      now: () => io.now(),
      monotonic: () => io.monotonic(),
      after: (ms, run) => io.after(ms, run),
      random: () => io.random(),
    },
    wakes: () => () => {},
  });
}

/** Connects, runs `use`, closes. Throws CommandError with the connection's facts, or Interrupted. */
export async function withGateway<T>(
  context: Context,
  use: (connected: Connected) => Promise<T>,
  options: { timeoutMs?: number; onInterrupt?: (connected: Connected) => Promise<void> } = {},
): Promise<T> {
  const { io } = context;
  const timeoutMs = options.timeoutMs ?? context.options.integer("timeout", 10_000);
  const target = await resolveTarget(context.options, io);
  const client = createClient(target, io, timeoutMs);
  const connected: Connected = { client, target, timeoutMs };
  let interrupt: (error: Error) => void = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = reject;
  });
  interrupted.catch(() => undefined); // Only one of the two below is awaited to the end.
  let asked = false;
  const release = io.onInterrupt(() => {
    if (asked || !options.onInterrupt) return interrupt(new Interrupted());
    asked = true;
    void options.onInterrupt(connected).finally(() => interrupt(new Interrupted()));
  });
  try {
    const work = client.connect().then(() => use(connected));
    work.catch(() => undefined); // Its failure after Ctrl-C is nobody's business.
    return await Promise.race([work, interrupted]);
  } catch (error) {
    throw describeFailure(error, target, io);
  } finally {
    release();
    client.stop();
  }
}

/** The common words for a connection that failed (lifecycle.md §12.1); other errors pass unchanged. */
export function describeFailure(error: unknown, target: Target, io: Io): unknown {
  if (error instanceof RequestError)
    return new CommandError(`Error: ${error.message}`, { code: error.code }, { cause: error });
  if (!(error instanceof ClosedError || error instanceof DeadlineError || error instanceof NotSentError)) return error;
  const lines = [error.message, ...connectionFacts(target, io)];
  const hint = hintFor(error, target, io);
  if (hint) lines.push(`Hint: ${hint}`);
  const code = error instanceof ClosedError ? { closeCode: error.code } : {};
  return new CommandError(lines.join("\n"), { url: shownAddress(target.url), ...code }, { cause: error });
}

/** Target, source, config and bind, one line each. */
export function connectionFacts(target: Target, io: Io): string[] {
  const { config } = target;
  const lines = [
    `Gateway target: ${shownAddress(target.url)}`,
    `Source: ${target.source}`,
    `Config: ${displayPath(config.path, io)}${config.verdict === "ok" ? "" : ` (${config.verdict})`}`,
  ];
  if (config.problem) lines.push(`Problem: ${config.problem}`);
  if (target.bind) lines.push(`Bind: ${target.bind}`);
  return lines;
}

function hintFor(error: Error, target: Target, io: Io): string | undefined {
  if (!(error instanceof ClosedError)) return `is the gateway busy? See ${suggest(io.env, "gateway status")}`;
  if (/ECONNREFUSED/.test(error.reason) && target.local) {
    return `the gateway is not running here. Start it with ${suggest(io.env, "gateway")}`;
  }
  const refused = error.refusal;
  if (refused?.code === "NOT_PAIRED" && /pairing required/.test(refused.message)) {
    return `on the gateway's machine, run ${suggest(io.env, "devices list")}, then ${suggest(io.env, "devices approve <requestId>")}`;
  }
  if (error.code === 1006 && /^(no close reason)?$/.test(error.reason) && target.url.startsWith("ws:")) {
    return "something listens there and ended the connection without an answer. If TLS is on over there, use wss://";
  }
  const tls = tlsHint(error.reason, target, io);
  if (tls) return tls;
  if (/unauthorized|device identity required/.test(error.reason)) {
    const conflict = sourceConflict(target, io);
    if (conflict) return conflict;
    const taken = `this command found ${credentialNames(target)}`;
    return target.local
      ? `${taken}. The gateway was started with another; set OPENCLAW_GATEWAY_TOKEN or pass --token`
      : `${taken}. It must be the one of that gateway (gateway.auth there): set gateway.remote.token or gateway.remote.password here`;
  }
  return undefined;
}

function tlsHint(reason: string, target: Target, io: Io): string | undefined {
  if (/not the pinned one/.test(reason)) {
    return target.tlsFingerprint && target.source === "config gateway.remote.url"
      ? "nothing was sent. If that gateway has a new certificate, compare with the fingerprint in its log and set gateway.remote.tlsFingerprint"
      : `nothing was sent. Compare with the fingerprint in the gateway's log (${suggest(io.env, "logs")}) and pass --tls-fingerprint`;
  }
  if (/self[- ]signed|unable to (verify|get)|certificate|altnames/i.test(reason)) {
    return "the certificate is not known here. Compare with the fingerprint in the gateway's log, then pass --tls-fingerprint or set gateway.remote.tlsFingerprint";
  }
  return /wrong version number|packet length too long|EPROTO/i.test(reason)
    ? "the gateway does not speak TLS on this port. Use ws:// instead of wss://"
    : undefined;
}

function credentialNames({ credentials, credentialSources }: Target): string {
  const names = [credentials.token ? "a token" : "", credentials.password ? "a password" : ""].filter(Boolean);
  return names.length === 0 ? "no token or password" : `${names.join(" and ")} (${credentialSources.join(", ")})`;
}

/** A value of the wire as a record, for output that must survive other versions. */
export const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

export const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
