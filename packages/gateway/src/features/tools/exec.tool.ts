/** exec: a shell command (agent.md §4.2). Waits for its end, or lets it go on in the background and says how to follow it. */
import { isAbsolute, resolve } from "node:path";
import { Type } from "typebox";
import type { ConfigSource } from "../../config/section.ts";
import { expandHome } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import { childEnvironment } from "./child-env.ts";
import { plainText } from "./output-tail.ts";
import type { ProcessSession } from "./process-session.ts";
import type { Processes } from "./processes.ts";
import { errorResult, textResult, tool, type Tool, type ToolContext, type ToolResult } from "./tool.ts";
import type { AgentToolsConfig, ToolsConfig } from "./tools.config.ts";

const updateEveryMs = 200;
const updateTailChars = 2_000;
const runningTailChars = 4_000;

export interface ExecToolOptions {
  world: World;
  config: ConfigSource<{ tools: ToolsConfig }>;
  processes: Processes;
  agentTools?: ((agentId: string) => AgentToolsConfig | undefined) | undefined;
}

const params = Type.Object({
  command: Type.String({ minLength: 1, description: "Shell command." }),
  workdir: Type.Optional(Type.String({ description: "Working directory; the workspace unless given." })),
  env: Type.Optional(
    Type.Unsafe<Record<string, unknown>>({ type: "object", description: "Further environment variables." }),
  ),
  yieldMs: Type.Optional(
    Type.Number({ description: "Milliseconds to wait before it continues in the background, 10 to 120000." }),
  ),
  background: Type.Optional(Type.Boolean({ description: "Continue in the background at once; follow with process." })),
  timeout: Type.Optional(
    Type.Number({ description: "Seconds after which it is ended. 0 means never, in the background only." }),
  ),
  pty: Type.Optional(Type.Boolean({ description: "Run in a real terminal, for programs that need one." })),
  elevated: Type.Optional(Type.Boolean({ description: "Run outside the sandbox, if allowed." })),
  host: Type.Optional(Type.Enum(["sandbox", "gateway", "node"], { description: "Where to run." })),
  security: Type.Optional(
    Type.Enum(["deny", "allowlist", "full"], { description: "May only be stricter than configured." }),
  ),
  ask: Type.Optional(Type.Enum(["off", "on-miss", "always"], { description: "May only be stricter than configured." })),
  node: Type.Optional(Type.String({ description: "Node to run on." })),
});
type ExecParams = {
  [K in keyof (typeof params)["properties"]]?: unknown;
};

export function execTool(options: ExecToolOptions): Tool {
  const { world, processes } = options;
  return tool({
    name: "exec",
    description:
      "Run a shell command. Returns its output, or a sessionId when it continues in the background. Processes it leaves behind are ended with it; use background: true for servers and long jobs.",
    params,
    effects: true,
    async run(args, context) {
      const { exec } = options.config.current.tools;
      const refusal = refuse(args, context, options);
      if (refusal !== undefined)
        return errorResult(refusal, { status: "failed", exitCode: null, signal: null, timedOut: false });
      const background = args.background === true;
      const timeoutSec = args.timeout ?? exec.timeoutSec;
      if (timeoutSec <= 0 && !background)
        return errorResult("exec: timeout 0 (no limit) is possible only with background: true.");
      const workdir = args.workdir === undefined ? context.workspace : expandHome(args.workdir, world);
      const session = await processes.launch({
        agentId: context.agentId,
        sessionKey: context.sessionKey,
        command: args.command,
        cwd: isAbsolute(workdir) ? workdir : resolve(context.workspace, workdir),
        env: childEnvironment(world, { pathPrepend: exec.pathPrepend, extra: args.env ?? {} }),
        terminal: args.pty === true,
        input: background || args.yieldMs !== undefined,
        background,
        timeoutMs: timeoutSec <= 0 ? undefined : timeoutSec * 1_000,
      });
      if (background) return running(session);
      const yieldMs = Math.min(120_000, Math.max(10, args.yieldMs ?? exec.backgroundMs));
      return follow(session, { ...options, context, yieldMs });
    },
  });
}

/** Waits for the end, the yield or the abort, whichever comes first. */
async function follow(
  session: ProcessSession,
  options: ExecToolOptions & { context: ToolContext; yieldMs: number },
): Promise<ToolResult> {
  const { world, processes, context } = options;
  const yielded = Promise.withResolvers<void>();
  const timer = world.after(options.yieldMs, () => {
    if (!session.exit && processes.moveToBackground(session)) yielded.resolve();
  });
  const stop = () => void processes.end(session);
  context.signal.addEventListener("abort", stop, { once: true });
  if (context.signal.aborted) stop();
  let updatedAt = Number.NEGATIVE_INFINITY;
  session.onOutput = () => {
    const now = world.monotonic();
    if (now - updatedAt < updateEveryMs) return;
    updatedAt = now;
    context.update(textResult(shownText(session, session.output.tail(updateTailChars))));
  };
  const exit = await Promise.race([session.ended, yielded.promise]);
  timer.cancel();
  context.signal.removeEventListener("abort", stop);
  session.onOutput = undefined;
  return exit ? finished(session) : running(session);
}

function running(session: ProcessSession): ToolResult {
  const { sessionId, startedAt, cwd } = session.facts;
  const tail = shownText(session, session.output.tail(runningTailChars));
  const text = `Command still running (session ${sessionId}, pid ${session.pid}). Follow it with process: poll, log, write, send-keys, kill.`;
  return textResult(tail === "" ? text : `${text}\n\n${tail}`, {
    status: "running",
    sessionId,
    pid: session.pid,
    startedAt,
    cwd,
    tail,
  });
}

function finished(session: ProcessSession): ToolResult {
  const { exit, facts } = session;
  const aggregated = shownText(session, session.output.text());
  const notes: string[] = [];
  if (session.terminalMissing) notes.push("No terminal was available; the command ran with pipes.");
  if (session.output.dropped > 0) notes.push(`The first ${session.output.dropped} characters of output were left out.`);
  if (exit?.leftBehind) notes.push("Processes it left behind were ended; use background: true to keep one running.");
  const failed = exit === undefined || exit.exitCode !== 0 || exit.timedOut || exit.killed;
  if (failed) notes.push(`Command ${session.status()}.`);
  const text = [aggregated.trimEnd() || (failed ? "" : "(no output)"), ...notes.map((note) => `[${note}]`)];
  const details =
    exit && exit.exitCode !== null && !exit.timedOut && !exit.killed
      ? { status: "completed", exitCode: exit.exitCode, durationMs: exit.durationMs, aggregated, cwd: facts.cwd }
      : {
          status: "failed",
          exitCode: exit?.exitCode ?? null,
          signal: exit?.signal ?? null,
          timedOut: exit?.timedOut ?? false,
          durationMs: exit?.durationMs ?? 0,
          aggregated,
          cwd: facts.cwd,
        };
  return textResult(text.filter((part) => part !== "").join("\n\n"), details);
}

const shownText = (session: ProcessSession, raw: string): string => (session.terminal ? raw : plainText(raw));

const strictness = { deny: 0, allowlist: 1, full: 2 } as const;
type Security = keyof typeof strictness;

/** Why this call may not run, or undefined when it may (agent.md §4.4, settled.md 10). Every text names the setting. */
function refuse(args: ExecParams, context: ToolContext, options: ExecToolOptions): string | undefined {
  const { exec, elevated } = options.config.current.tools;
  const host = (args.host as typeof exec.host | undefined) ?? exec.host;
  if (host === "node" || args.node !== undefined || exec.host === "node") {
    return "exec: running on a node is not available. Leave host out to run on the gateway's machine (tools.exec.host).";
  }
  if (args.elevated === true && !elevated.enabled) return "exec: elevated is switched off (tools.elevated.enabled).";
  if (args.elevated === true && !context.owner)
    return "exec: elevated is only for the owner (tools.elevated.allowFrom).";
  const configured: Security | undefined = options.agentTools?.(context.agentId)?.exec?.security ?? exec.security;
  const base: Security = configured ?? (context.origin === "operator" ? "full" : "deny");
  const asked = args.security as Security | undefined;
  const security = asked !== undefined && strictness[asked] < strictness[base] ? asked : base;
  if (security === "deny") {
    const from =
      configured === undefined && asked !== "deny" ? ` for runs started by a ${originNames[context.origin]}` : "";
    return `exec is denied${from} (tools.exec.security). The owner can allow it with tools.exec.security: "full", or for this agent in agents.list[].tools.exec.security.`;
  }
  if (security === "allowlist") {
    return 'exec: security "allowlist" needs approvals, which this gateway does not have yet, so nothing was run (tools.exec.security).';
  }
  if (args.ask === "always" || exec.ask === "always") {
    return 'exec: ask "always" needs approvals, which this gateway does not have yet, so nothing was run (tools.exec.ask).';
  }
  return undefined;
}

const originNames = { operator: "operator", channel: "channel message", cron: "cron job", hook: "hook" } as const;
