/** `gateway probe`: every address that is known, side by side (lifecycle.md §14.4). */
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { probe, selfOf } from "./probe.ts";
import type { Probe } from "./probe.ts";
import { list, record, textOf } from "./rpc.ts";
import { openTunnel, parseSshTarget } from "./ssh-tunnel.ts";
import type { SshTarget } from "./ssh-tunnel.ts";
import { localTarget, remoteTarget, resolveTarget, tailnetAddress, tunnelTarget } from "./target.ts";
import type { Target } from "./target.ts";
import { clean } from "./terminal/clean.ts";

const budgets = { loopbackMs: 800, sshMs: 2_000, otherMs: 1_500 } as const;

/** Also the order in which the primary target is chosen among those that answer. */
type Kind = "explicit" | "configRemote" | "sshTunnel" | "localLoopback";

interface Warning {
  code: "ssh_tunnel_failed" | "multiple_gateways";
  message: string;
  targetIds?: Kind[];
}

interface Candidate {
  id: Kind;
  target: Target;
  /** Typed, or what commands without `--url` talk to. */
  chosen: boolean;
}

/** What of a config may be shown: no secret has a place here. */
function configSummary(answer: unknown): Record<string, unknown> | null {
  if (answer === undefined) return null;
  const { path, exists, valid, issues, config } = record(answer);
  const gateway = record(record(config).gateway);
  const auth = record(gateway.auth);
  return {
    path,
    exists,
    valid,
    issues: list(issues),
    gateway: {
      mode: gateway.mode ?? null,
      bind: gateway.bind ?? null,
      port: gateway.port ?? null,
      authMode: auth.mode ?? null,
    },
  };
}

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  if (options.has("ssh-auto")) {
    throw new CommandError(
      "--ssh-auto is not offered: gateways on the network are not looked for. Use --ssh user@host.",
    );
  }
  const startedAt = io.monotonic();
  const timeoutMs = options.integer("timeout", 3_000);
  const resolved = await resolveTarget(options, io);
  const { config } = resolved;
  const ssh = sshTarget(context, config);
  const local = localTarget(config, io);
  const found: Candidate[] = [];
  if (options.has("url")) found.push({ id: "explicit", target: resolved, chosen: true });
  const remoteMode = config.mode === "remote";
  const remote = remoteMode && !options.has("url") ? resolved : remoteTarget(config, io);
  if (remote) found.push({ id: "configRemote", target: remote, chosen: remoteMode });
  const warnings: Warning[] = [];
  const tunnel = ssh && (await throughTunnel(ssh, config, context, Math.min(timeoutMs, budgets.sshMs), warnings));
  if (tunnel) found.push({ id: "sshTunnel", target: tunnel.target, chosen: true });
  const usesLocal = !options.has("url") && !remoteMode;
  found.push({ id: "localLoopback", target: usesLocal ? resolved : local, chosen: !remoteMode });
  const results = await Promise.all(
    found.map(async ({ id, target, chosen }) => {
      const budgetMs = Math.min(timeoutMs, id === "localLoopback" ? budgets.loopbackMs : budgets.otherMs);
      const asked = { health: {}, status: {}, "system-presence": {}, "config.get": {} };
      return { id, chosen, result: await probe(target, io, budgetMs, asked) };
    }),
  ).finally(() => tunnel?.stop());
  const reached = results.filter(({ result }) => result.ok);
  const hosts = new Set(reached.map(({ result }) => JSON.stringify([result.hello?.snapshot.stateDir, selfOf(result)])));
  if (hosts.size > 1) {
    const targetIds = reached.map(({ id }) => id);
    warnings.push({ code: "multiple_gateways", message: "Several different gateways answer.", targetIds });
  }
  const ok = reached.length > 0;
  if (context.json) {
    context.printJson({
      ok,
      ts: io.now(),
      durationMs: Math.round(io.monotonic() - startedAt),
      timeoutMs,
      primaryTargetId: reached[0]?.id ?? null,
      warnings,
      network: networkOf(config, io),
      // Looking for gateways on the network is not built; the shape stays.
      discovery: { timeoutMs: 0, count: 0, beacons: [] },
      targets: results.map(({ id, result, chosen }) =>
        describeJson(id, result, chosen, id === "sshTunnel" ? (tunnel?.facts ?? null) : null),
      ),
    });
  } else {
    for (const { id, result } of results) context.print(...describe(id, result));
    for (const warning of warnings) context.note(`Warning: ${warning.message}`);
  }
  return ok ? 0 : 1;
}

/** `--ssh`, else `gateway.remote.sshTarget`; undefined when neither is there. */
function sshTarget({ options }: Context, config: Target["config"]): SshTarget | undefined {
  const remote = record(record(config.document.gateway).remote);
  const typed = options.text("ssh");
  const text = typed ?? (textOf(remote.sshTarget) || undefined);
  const identity = options.text("ssh-identity") ?? (textOf(remote.sshIdentity) || undefined);
  if (text === undefined) {
    if (options.has("ssh-identity")) throw new CommandError("--ssh-identity goes with --ssh user@host");
    return undefined;
  }
  const target = parseSshTarget(text, identity);
  const name = typed === undefined ? "gateway.remote.sshTarget" : "--ssh";
  if (!target) throw new CommandError(`Invalid ${name}: use user@host or user@host:port`);
  return target;
}

/** The gateway at the other end of an ssh tunnel, entered with what was typed or what `gateway.remote` holds: secrets of this
 *  machine stay here. Undefined, with a warning added, when the tunnel does not open. */
async function throughTunnel(
  ssh: SshTarget,
  config: Target["config"],
  { io, options }: Context,
  timeoutMs: number,
  warnings: Warning[],
) {
  const world = await io.world();
  try {
    const { port, stop } = await openTunnel(ssh, config.port, world, timeoutMs);
    const target = tunnelTarget(port, options, config, io);
    return { target, stop, facts: { destination: ssh.destination, localPort: port, remotePort: config.port } };
  } catch (error) {
    warnings.push({ code: "ssh_tunnel_failed", message: (error as Error).message, targetIds: ["sshTunnel"] });
    return undefined;
  }
}

function networkOf(config: Target["config"], io: Context["io"]): Record<string, string | null> {
  const scheme = config.tls ? "wss" : "ws";
  const tailnet = tailnetAddress(io);
  return {
    localLoopbackUrl: `${scheme}://127.0.0.1:${config.port}`,
    localTailnetUrl: tailnet === undefined ? null : `${scheme}://${tailnet}:${config.port}`,
    tailnetIPv4: tailnet ?? null,
  };
}

function describeJson(id: Kind, result: Probe, active: boolean, tunnel: unknown): Record<string, unknown> {
  return {
    id,
    kind: id,
    url: result.url,
    active,
    tunnel,
    connect: { ok: result.ok, latencyMs: result.latencyMs, error: result.error, close: result.close },
    self: selfOf(result),
    config: configSummary(result.answers["config.get"]),
    health: result.answers.health ?? null,
    summary: result.answers.status ?? null,
    presence: result.answers["system-presence"] ?? null,
  };
}

function describe(id: Kind, result: Probe): string[] {
  const head = `${id}: ${result.url}`;
  if (!result.ok) return [head, `  not reachable: ${clean(result.error ?? "").split("\n")[0] ?? ""}`];
  const self = selfOf(result);
  return [
    head,
    `  reachable (${result.latencyMs}ms), version ${clean(self?.version ?? "unknown")}, host ${clean(self?.host ?? "unknown")}`,
  ];
}
