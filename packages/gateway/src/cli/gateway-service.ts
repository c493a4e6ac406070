/** `gateway uninstall`, `start`, `stop` and `restart`, and what the service verbs share: choosing the service, printing what
 *  happened (lifecycle.md §9.6). */
import { locateConfig } from "../config/locate.ts";
import { stopBudgetMs } from "../kernel/lifecycle.ts";
import type { OpenedService, Outcome } from "../service/index.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { rooms } from "./rooms.ts";
import { cleanLine } from "./terminal/clean.ts";
import { styleFor } from "./terminal/style.ts";

/** Default of `gateway.reload.deferralTimeoutMs`. */
const drainBudgetMs = 300_000;

/** Throws CommandError where services are managed elsewhere, or cannot be. */
export async function openFor({ io, options }: Context): Promise<OpenedService> {
  if (io.env.OPENCLAW_NIX_MODE === "1") {
    throw new CommandError("OPENCLAW_NIX_MODE=1: the service is managed by Nix. Change it there.");
  }
  const { openService, ServiceError } = await rooms.service.load();
  try {
    return openService({
      world: await io.world(),
      ...(options.has("system") ? { scope: "system" as const } : {}),
      native: options.has("native"),
      ...io.machine,
    });
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new CommandError([error.message, ...error.hints].join("\n"), { code: error.code, hints: error.hints });
  }
}

/** Prints the outcome, and returns the exit code. */
export function report(context: Context, outcome: Outcome): number {
  const { io } = context;
  if (context.json) context.printJson(outcome);
  const warn = styleFor(io.stderr, io.env).warn;
  for (const warning of outcome.warnings ?? []) context.note(warn(`Warning: ${cleanLine(warning)}`));
  if (outcome.error !== undefined) context.note(styleFor(io.stderr, io.env).error(outcome.error));
  const lines = (outcome.message ?? "").split("\n").filter(Boolean);
  const hints = outcome.hints ?? [];
  if (!outcome.ok) {
    context.note(...(context.json ? [] : lines), ...hints.map((hint) => `  ${hint}`));
    return 1;
  }
  if (!context.json) context.print(...lines, ...hints);
  return 0;
}

export async function uninstall(context: Context): Promise<number> {
  const { uninstallService } = await rooms.service.load();
  return report(context, await uninstallService(await openFor(context)));
}

export async function start(context: Context): Promise<number> {
  const { startService } = await rooms.service.load();
  return report(context, await startService(await openFor(context)));
}

export async function stop(context: Context): Promise<number> {
  const { stopService } = await rooms.service.load();
  return report(context, await stopService(await openFor(context)));
}

export async function restart(context: Context): Promise<number> {
  const { restartService } = await rooms.service.load();
  const service = await openFor(context);
  if (!context.options.has("when-idle")) return report(context, await restartService(service));
  const { document } = await locateConfig(context.io);
  const reload = ((document.gateway ?? {}) as { reload?: { deferralTimeoutMs?: unknown } }).reload;
  const drainMs = typeof reload?.deferralTimeoutMs === "number" ? reload.deferralTimeoutMs : drainBudgetMs;
  return report(context, await restartService(service, { whenIdleMs: drainMs + stopBudgetMs }));
}
