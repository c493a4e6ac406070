/** The installed service: whether it runs, is set up as recommended, and has no rival (lifecycle.md §9.8–9.10). Says nothing where
 *  none is installed. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  auditService,
  enableLinger,
  installService,
  lingerCommand,
  openService,
  otherServices,
  programAt,
  removeService,
  ServiceError,
  startService,
  type Issue,
  type OpenedService,
  type Outcome,
  type ServiceState,
} from "../../service/index.ts";
import type { Check, DoctorContext, Finding, Found } from "./check.ts";

/** Undefined on a system whose service manager is not known. */
function opened({ world, machine }: DoctorContext): OpenedService | undefined {
  try {
    return openService({ world, ...machine });
  } catch (error) {
    if (error instanceof ServiceError) return undefined;
    throw error;
  }
}

async function look(context: DoctorContext): Promise<{ service: OpenedService; state: ServiceState } | undefined> {
  const service = opened(context);
  if (!service?.backend.definition().installed) return undefined;
  return { service, state: await service.backend.look() };
}

async function issues(context: DoctorContext): Promise<{ issues: Issue[]; service: OpenedService } | undefined> {
  const seen = await look(context);
  if (!seen) return undefined;
  const { service, state } = seen;
  const port = context.world.env.OPENCLAW_GATEWAY_PORT ? undefined : context.config?.gateway.port;
  const found = auditService(service, state, {
    version: context.version,
    source: programAt(import.meta.dirname),
    ...(port === undefined ? {} : { configPort: port }),
    ...otherConfig(context, state),
  });
  return { service, issues: found };
}

function otherConfig({ configPath, world }: DoctorContext, { command }: ServiceState): object {
  const { OPENCLAW_CONFIG_PATH: given, OPENCLAW_STATE_DIR: folder } = command?.environment ?? {};
  const path = given ?? (folder ? join(folder, "openclaw.json") : join(world.homedir(), ".openclaw", "openclaw.json"));
  return path === configPath || world.env.OPENCLAW_PROFILE ? {} : { otherConfig: { service: path, cli: configPath } };
}

/** What a rewrite does not change. */
const byHand: ReadonlySet<string> = new Set([
  "systemd-user-and-system",
  "gateway-runtime-node-version-manager",
  "gateway-runtime-node-system-missing",
]);
const grave: ReadonlySet<string> = new Set([
  "gateway-runtime-missing",
  "gateway-entrypoint-missing",
  "gateway-command-missing",
]);

function foundOf({ code, message, detail }: Issue, context: DoctorContext, service: OpenedService): Found {
  const force = context.command("gateway install --force");
  const fix =
    code === "systemd-user-and-system"
      ? "Keep one: sudo systemctl disable --now the system unit, or uninstall the one of this account."
      : byHand.has(code)
        ? `Install Node for the whole system, then run ${force}.`
        : code === "systemd-linger"
          ? lingerCommand(service.machine.user)
          : force;
  return {
    severity: grave.has(code) ? "error" : "warn",
    title: message,
    cause: detail === undefined ? "An earlier version, or somebody by hand, wrote it so." : context.show(detail),
    fix,
    subject: code,
    ...(byHand.has(code) ? { fixable: false as const } : {}),
  };
}

/** One rewrite mends every issue: it is made for the first, and the others find nothing left to do. */
const reinstall = async ({ subject }: Finding, context: DoctorContext): Promise<string[]> => {
  const seen = await issues(context);
  if (!seen?.issues.some(({ code }) => code === subject)) return [];
  const { service } = seen;
  const { path } = service.backend.definition();
  const kept = existsSync(path) ? context.keep(path) : undefined;
  const port = context.config?.gateway.port;
  const outcome = await installService(service, {
    version: context.version,
    force: true,
    source: programAt(import.meta.dirname),
    prepare: () => {
      if (port === undefined)
        throw new ServiceError({
          code: "configuration",
          message: "repair the config first",
          hints: [context.command("doctor --fix")],
        });
      const given = Number(context.world.env.OPENCLAW_GATEWAY_PORT);
      return Promise.resolve({ port: given > 0 ? given : port, warnings: [] });
    },
  });
  return [...lines(outcome), ...(kept === undefined ? [] : [`the former definition is in ${context.show(kept)}`])];
};

/** Throws with the text of a verb that failed. */
function lines(outcome: Outcome): string[] {
  if (outcome.ok) return (outcome.message ?? "").split("\n").filter(Boolean);
  throw new Error([outcome.error ?? outcome.message, ...(outcome.hints ?? [])].join(" "));
}

export const serviceChecks: readonly Check[] = [
  {
    id: "service-legacy",
    summary: "no service of an earlier product name is left",
    repair: "plain",
    find: (context) => {
      const service = opened(context);
      if (!service) return [];
      return otherServices(service, false)
        .filter(({ legacy }) => legacy)
        .map(({ label, detail, cleanup }) => ({
          severity: "warn" as const,
          title: `The service ${label} of an earlier version is installed.`,
          cause: `It would take the port and the channels: ${context.show(detail)}`,
          fix: cleanup.join(" && "),
          subject: label,
        }));
    },
    fix: async ({ subject }, context) => {
      const service = opened(context);
      const other = service && otherServices(service, false).find(({ label, legacy }) => legacy && label === subject);
      if (!service || !other) return [];
      const kept = context.keep(other.detail);
      await removeService(service, other);
      return [`stopped and removed ${other.label}; its definition is in ${context.show(kept)}`];
    },
  },
  {
    id: "service-other",
    summary: "no other service looks like a gateway",
    find: (context) => {
      const service = opened(context);
      if (!service) return [];
      return otherServices(service, context.deep)
        .filter(({ legacy }) => !legacy)
        .map(({ label, detail, cleanup }) => ({
          severity: "info" as const,
          title: `Another service looks like a gateway: ${label}.`,
          cause: `${context.show(detail)}. One gateway per machine is recommended; more need profiles and ports of their own.`,
          fix: `If it is not meant: ${cleanup.join(" && ")}`,
          subject: label,
        }));
    },
  },
  {
    id: "service-foreign",
    summary: "the definition of the service runs the gateway",
    repair: "forced",
    find: async (context) => {
      const seen = await issues(context);
      if (!seen) return [];
      const fix = `${context.command("doctor --fix --force")} replaces it`;
      return seen.issues
        .filter(({ level }) => level === "aggressive")
        .map((each) => ({ ...foundOf(each, context, seen.service), fix }));
    },
    fix: reinstall,
  },
  {
    id: "service-config",
    summary: "the service is set up as this version recommends",
    repair: "plain",
    find: async (context) => {
      const seen = await issues(context);
      if (!seen) return [];
      return seen.issues
        .filter(({ level, code }) => level === "recommended" && code !== "systemd-linger")
        .map((each) => foundOf(each, context, seen.service));
    },
    fix: reinstall,
  },
  {
    id: "service-linger",
    summary: "the service outlives the login",
    repair: "plain",
    find: async (context) => {
      const seen = await issues(context);
      if (!seen) return [];
      return seen.issues
        .filter(({ code }) => code === "systemd-linger")
        .map((each) => ({
          ...foundOf(each, context, seen.service),
          cause: "systemd ends the services of an account that has no session left, unless lingering is on.",
        }));
    },
    fix: async (_finding, context) => {
      const service = opened(context);
      if (!service) return [];
      const outcome = await enableLinger(service.machine, { interactive: false });
      if ("reason" in outcome) throw new Error(`not allowed (${outcome.reason}); run: ${outcome.command}`);
      return [`services of ${service.machine.user} now run without a login`];
    },
  },
  {
    id: "service-down",
    summary: "the installed service runs",
    repair: "plain",
    find: async (context) => {
      const seen = await look(context);
      if (!seen) return [];
      const { problem, runtime } = seen.state;
      if (problem) {
        const [hint = ""] = problem.hints;
        return [
          {
            severity: "warn",
            title: "The service cannot be seen from here.",
            cause: problem.message,
            fix: hint,
            fixable: false,
          },
        ];
      }
      if (runtime.status !== "stopped" || context.running) return [];
      const status = runtime.lastExitStatus;
      const failed = runtime.state === "failed" || (status ?? 0) > 0;
      return [
        {
          severity: failed ? "error" : "warn",
          title: failed
            ? `The service ended${status === undefined ? "" : ` with exit ${status}`}.`
            : "The service is stopped.",
          cause:
            status === 78
              ? "The gateway does not start on its configuration; see above."
              : (runtime.lastExitReason ?? "Nothing starts it until the next login or boot."),
          fix: context.command("gateway start"),
        },
      ];
    },
    fix: async (_finding, context) => {
      const service = opened(context);
      return service ? lines(await startService(service)) : [];
    },
  },
  {
    id: "service-app",
    summary: "nothing of the Mac app overrides the service",
    find: ({ world, state, show }) => {
      const path = join(state, "disable-launchagent");
      if (world.platform !== "darwin" || !existsSync(path)) return [];
      return [
        {
          severity: "info",
          title: "The Mac app is told not to start a gateway of its own.",
          cause: `${show(path)} is there: the app only connects.`,
          fix: `If it is not meant: rm ${show(path)}`,
          subject: path,
        },
      ];
    },
  },
];
