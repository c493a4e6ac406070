/** `gateway probe`: every address that is known, side by side (lifecycle.md §14.4). */
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { probe, selfOf } from "./probe.ts";
import type { Probe } from "./probe.ts";
import { list, record } from "./rpc.ts";
import { localTarget, resolveTarget } from "./target.ts";
import type { Target } from "./target.ts";
import { clean } from "./terminal/clean.ts";

const budgets = { loopbackMs: 800, otherMs: 1_500 } as const;

type Kind = "explicit" | "configRemote" | "localLoopback";

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
  if (options.has("ssh") || options.has("ssh-auto") || options.has("ssh-identity")) {
    throw new CommandError("--ssh is not offered yet. Open the tunnel yourself and pass --url ws://127.0.0.1:<port>.");
  }
  const startedAt = io.monotonic();
  const timeoutMs = options.integer("timeout", 3_000);
  const resolved = await resolveTarget(options, io);
  const { config } = resolved;
  const found: { id: Kind; target: Target }[] = [];
  if (options.has("url")) found.push({ id: "explicit", target: resolved });
  else if (config.mode === "remote") found.push({ id: "configRemote", target: resolved });
  found.push({
    id: "localLoopback",
    target: options.has("url") || config.mode === "remote" ? localTarget(config, io) : resolved,
  });
  const results = await Promise.all(
    found.map(async ({ id, target }) => {
      const budgetMs = Math.min(
        timeoutMs,
        target.local && id === "localLoopback" ? budgets.loopbackMs : budgets.otherMs,
      );
      const asked = { health: {}, status: {}, "system-presence": {}, "config.get": {} };
      return { id, result: await probe(target, io, budgetMs, asked) };
    }),
  );
  const reached = results.filter(({ result }) => result.ok);
  const hosts = new Set(reached.map(({ result }) => JSON.stringify([result.hello?.snapshot.stateDir, selfOf(result)])));
  const warnings =
    hosts.size > 1
      ? [
          {
            code: "multiple_gateways",
            message: "Several different gateways answer.",
            targetIds: reached.map(({ id }) => id),
          },
        ]
      : [];
  const ok = reached.length > 0;
  if (context.json) {
    context.printJson({
      ok,
      ts: io.now(),
      durationMs: Math.round(io.monotonic() - startedAt),
      timeoutMs,
      primaryTargetId: reached[0]?.id ?? null,
      warnings,
      network: { localLoopbackUrl: `${config.tls ? "wss" : "ws"}://127.0.0.1:${config.port}` },
      targets: results.map(({ id, result }) => describeJson(id, result, id === reached[0]?.id)),
    });
  } else {
    for (const { id, result } of results) context.print(...describe(id, result));
    for (const warning of warnings) context.note(`Warning: ${warning.message}`);
  }
  return ok ? 0 : 1;
}

function describeJson(id: Kind, result: Probe, active: boolean): Record<string, unknown> {
  return {
    id,
    kind: id,
    url: result.url,
    active,
    tunnel: null,
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
