/** `gateway status`: the service, its config, the port and whether the gateway answers, each told apart. Never fails because it
 *  is down (lifecycle.md §9.7); `--require-rpc` makes it. */
import { locateConfig } from "../config/locate.ts";
import type { LocatedConfig } from "../config/locate.ts";
import { authSource } from "./auth-source.ts";
import type { AuthSource } from "./auth-source.ts";
import { UsageError } from "./command.ts";
import type { Context } from "./command.ts";
import { statusJson } from "./gateway-status-json.ts";
import { describeStatus } from "./gateway-status-text.ts";
import { judgeStatus, unauthorized } from "./gateway-status-verdict.ts";
import type { Verdict } from "./gateway-status-verdict.ts";
import { readLastKnown } from "./last-known.ts";
import type { LastKnown } from "./last-known.ts";
import { probe } from "./probe.ts";
import type { Probe } from "./probe.ts";
import { rooms } from "./rooms.ts";
import { gatherFacts, openFacts, startRefusal } from "./service-facts.ts";
import type { ServiceConfig, ServiceFacts } from "./service-facts.ts";
import { differences } from "./status-differences.ts";
import type { Difference } from "./status-differences.ts";
import { pasteRedactor } from "./status-paste.ts";
import { localTarget, resolveTarget } from "./target.ts";
import type { Target } from "./target.ts";

const hosts: Readonly<Record<string, string>> = { lan: "0.0.0.0", auto: "127.0.0.1", loopback: "127.0.0.1" };

export interface PortReport {
  port: number;
  status: "free" | "busy" | "unknown";
  listeners: { pid: number; user: string; command: string; commandLine: string; address: string }[];
  hints: string[];
}

/** Everything both outputs are made of. */
export interface SeenStatus {
  /** What is probed; its config is the one the service reads, when there is a service. */
  target: Target;
  /** As this command resolves it. */
  cli: LocatedConfig;
  /** Undefined on a system without a known service manager. */
  facts: ServiceFacts | undefined;
  result: Probe | undefined;
  auth: AuthSource;
  known: LastKnown | undefined;
  bindHost: string;
  portSource: "service args" | "env/config";
  port: PortReport | undefined;
  /** When this command would look at another port than the service listens on. */
  portCli: PortReport | undefined;
  differences: Difference[];
  /** Newest line the service left, when it does not answer. */
  lastError: string | undefined;
  /** What the gateway says of a config it does not start on. */
  refusal: string | undefined;
  verdict: Verdict;
}

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  const timeoutMs = options.integer("timeout", 10_000);
  if (options.has("no-probe") && options.has("require-rpc"))
    throw new UsageError("Give --no-probe or --require-rpc, not both");
  const [opened, cli] = await Promise.all([openFacts(context), locateConfig(io)]);
  const reads = opened?.reads;
  const target = await statusTarget(context, cli, reads);
  const ofService = reads !== undefined && target.config === reads.config;
  // Manager and gateway are asked at the same time.
  const [facts, result] = await Promise.all([
    opened && gatherFacts(opened, cli, options.has("deep")),
    options.has("no-probe") ? undefined : probe(target, io, timeoutMs, { status: {} }),
  ]);
  const { config } = target;
  const known = result?.ok ? undefined : readLastKnown(config.stateDir, io.now());
  const port = ofService ? reads.port : config.port;
  const down = result !== undefined && !result.ok && !unauthorized({ result });
  const looks = target.local && !options.has("url") && (down || (result !== undefined && options.has("deep")));
  const seen = {
    target,
    cli,
    facts,
    result,
    auth: authSource(options, target, ofService ? reads.io : io),
    known,
    bindHost: config.customBindHost ?? hosts[config.bind] ?? new URL(target.url).hostname,
    portSource: ofService && reads.fixed ? ("service args" as const) : ("env/config" as const),
    port: looks ? await portReport(port, io) : undefined,
    portCli: looks && ofService && cli.port !== port ? await portReport(cli.port, io) : undefined,
    differences: result ? differences({ ...target, config: cli }, result, known) : [],
    ...(await whyDown(opened, facts, result)),
  };
  const verdict = judgeStatus(seen, io);
  const whole: SeenStatus = { ...seen, verdict };
  if (context.json) context.printJson(statusJson(whole));
  else {
    const redactor = pasteRedactor(target, io);
    context.print(...describeStatus(context, whole).map((line) => redactor.clean(line)));
  }
  return options.has("require-rpc") && !result?.ok ? 1 : 0;
}

/** The gateway `--url` names; else, on its own machine, that of the service; else as the config says. */
async function statusTarget(
  { io, options }: Context,
  cli: LocatedConfig,
  reads: ServiceConfig | undefined,
): Promise<Target> {
  if (reads && !options.has("url") && cli.mode !== "remote") {
    const { config, port } = reads;
    const own = localTarget({ ...config, port }, reads.io);
    const [token, password] = [options.text("token"), options.text("password")];
    const credentials = { ...own.credentials, ...(token ? { token } : {}), ...(password ? { password } : {}) };
    // A config of another account cannot be read from here; what this command knows may still open the door.
    const secrets = Object.keys(credentials).length > 0 ? { credentials } : localTarget(cli, io);
    return { ...own, credentials: secrets.credentials, config };
  }
  try {
    return await resolveTarget(options, io);
  } catch (error) {
    if (options.has("url")) throw error;
    return localTarget(cli, io);
  }
}

/** Read only when it is of use: the journal and every config section cost more than the rest of the command. */
async function whyDown(
  opened: Awaited<ReturnType<typeof openFacts>>,
  facts: ServiceFacts | undefined,
  result: Probe | undefined,
): Promise<{ lastError: string | undefined; refusal: string | undefined }> {
  const nothing = { lastError: undefined, refusal: undefined };
  if (!opened || !facts?.state.installed || !result || result.ok) return nothing;
  const { runtime, problem } = facts.state;
  if (problem) return nothing;
  const configuration = runtime.lastExitStatus === 78 && runtime.status !== "running";
  const refusal = configuration && facts.reads ? await startRefusal(facts.reads) : undefined;
  if (refusal !== undefined || (runtime.status !== "running" && !runtime.lastExitStatus))
    return { ...nothing, refusal };
  const { lastWords } = await rooms.service.load();
  return { lastError: await lastWords(opened.service, facts.state), refusal };
}

/** Who holds the port (lifecycle.md §9.9). */
async function portReport(port: number, io: Context["io"]): Promise<PortReport> {
  const { holdersOf, portAnswers, portHints } = await rooms.listeners.load();
  const listeners = holdersOf(port);
  const busy = listeners.length > 0 || (await portAnswers(port));
  return { port, status: busy ? "busy" : "free", listeners, hints: busy ? portHints(listeners, io) : [] };
}
