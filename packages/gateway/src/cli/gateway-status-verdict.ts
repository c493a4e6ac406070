/** What `gateway status` makes of everything it saw: one code, one sentence, the next command. The first that fits counts. */
import type { Io } from "./io.ts";
import { VERSION } from "../kernel/version.ts";
import { suggest } from "./profile.ts";
import type { SeenStatus } from "./gateway-status.ts";

export interface Verdict {
  /** Stable; docs/guides/service.md lists them. */
  code: string;
  message: string;
  /** Commands, the most probable help first. */
  next: string[];
}

type Seen = Omit<SeenStatus, "verdict">;

export function judgeStatus(seen: Seen, io: Pick<Io, "env">): Verdict {
  const { facts, result, target, port } = seen;
  const run = (words: string) => suggest(io.env, words);
  const state = facts?.state;
  const running = state?.runtime.status === "running";
  if (result?.ok) return answering(seen, run);
  if (isElsewhere(target)) {
    if (!result) return { code: "not-probed", message: `${target.url} was not asked.`, next: [] };
    const next = [run("gateway probe")];
    return { code: "unreachable", message: `The gateway at ${target.url} does not answer.`, next };
  }
  if (state?.runtime.cachedLabel) {
    const message = "The service runs from a definition whose file is gone: it will not come back after a restart.";
    return { code: "definition-missing", message, next: [run("gateway install --force")] };
  }
  if (state?.problem && state.installed) {
    const { message, hints } = state.problem;
    return { code: "manager-unreachable", message: `The service cannot be seen. ${message}`, next: [...hints] };
  }
  const gone = facts?.issues.find(
    ({ code }) => code === "gateway-runtime-missing" || code === "gateway-entrypoint-missing",
  );
  if (gone && !running)
    return {
      code: "program-missing",
      message: gone.message,
      next: [run("gateway install --force"), run("doctor --fix")],
    };
  if (unauthorized(seen)) {
    return {
      code: "unauthorized",
      message: "The gateway answers, and refuses the token or password of this command (see Auth).",
      next: [run("doctor")],
    };
  }
  if (!state?.installed) return notInstalled(seen, run);
  return running ? silent(seen, run) : stopped(seen, run, port);
}

type Run = (words: string) => string;

/** Not what a service of this machine would be. */
const isElsewhere = ({ local, source }: Seen["target"]): boolean =>
  !local || source === "config gateway.remote.url" || source === "cli --url";

export const unauthorized = ({ result }: Pick<Seen, "result">): boolean =>
  /unauthorized|pairing required|token mismatch|password mismatch/iu.test(result?.error ?? "");

function answering({ facts, result, target, differences }: Seen, run: Run): Verdict {
  const state = facts?.state;
  const version = result?.hello?.server.version;
  if (isElsewhere(target)) return { code: "ok", message: `The gateway at ${target.url} answers.`, next: [] };
  if (version !== undefined && version !== VERSION) {
    return {
      code: "version-skew",
      message: `The gateway runs version ${version}, and this command is ${VERSION}.`,
      next: [run(state?.installed ? "gateway restart" : "gateway")],
    };
  }
  if (differences.some(({ what }) => what === "config path" || what === "state dir")) {
    return {
      code: "config-mismatch",
      message: "Service and command use different configs: probably another profile or state directory.",
      next: [run("gateway install --force"), "openclaw --profile <name> gateway status"],
    };
  }
  if (!state?.installed) {
    const message = "The gateway answers, and is not a service: it ends with its terminal.";
    return { code: "foreground", message, next: [run("gateway install")] };
  }
  if (state.runtime.status === "stopped") {
    const message = "The gateway answers, and is not the installed service, which is stopped.";
    return { code: "foreground", message, next: [run("gateway restart")] };
  }
  const worst = facts?.issues[0];
  if (worst) return { code: "ok-with-issues", message: `The gateway answers. ${worst.message}`, next: [run("doctor")] };
  return { code: "ok", message: "The gateway answers.", next: [] };
}

function notInstalled({ port, result, facts }: Seen, run: Run): Verdict {
  if (port?.status === "busy") return taken(port, run);
  if (!result) return { code: "not-installed", message: "No service is installed.", next: [run("gateway install")] };
  const hints = facts?.state.problem?.hints ?? [];
  if (facts?.state.problem) {
    const { message } = facts.state.problem;
    return {
      code: "no-manager",
      message: `No gateway runs, and none can be installed here. ${message}`,
      next: [...hints],
    };
  }
  return {
    code: "not-installed",
    message: "No gateway runs, and no service is installed.",
    next: [run("gateway install"), run("gateway")],
  };
}

function taken(port: NonNullable<Seen["port"]>, run: Run): Verdict {
  const [holder] = port.listeners;
  const who = holder ? ` by ${holder.command} (pid ${holder.pid})` : "";
  const ours = port.listeners.some(({ command }) => /openclaw/u.test(command));
  return ours
    ? {
        code: "no-answer",
        message: `A gateway holds port ${port.port}${who}, and does not answer this command.`,
        next: [run("logs"), run("gateway restart")],
      }
    : {
        code: "port-taken",
        message: `Port ${port.port} is taken${who}.`,
        next: [run("gateway install --force --port <n>")],
      };
}

function stopped({ facts, port, refusal, lastError }: Seen, run: Run, report: Seen["port"]): Verdict {
  const runtime = facts?.state.runtime;
  const status = runtime?.lastExitStatus;
  if (refusal !== undefined || (status === 78 && runtime?.state === "failed")) {
    return {
      code: "configuration",
      message: "The service stays down: the gateway does not start on its configuration.",
      next: [run("doctor"), run("gateway start")],
    };
  }
  if (report?.status === "busy" && port) return taken(port, run);
  if (runtime?.state === "failed" || runtime?.state === "activating" || (status ?? 0) > 0) {
    const how =
      status === undefined
        ? ""
        : ` with exit ${status}${runtime?.lastExitReason ? ` (${runtime.lastExitReason})` : ""}`;
    const told = lastError === undefined ? "" : ` ${lastError}`;
    return { code: "crashed", message: `The service ended${how}.${told}`, next: [run("gateway start"), run("logs")] };
  }
  return { code: "stopped", message: "The service is installed and stopped.", next: [run("gateway start")] };
}

function silent({ facts, port, result, lastError }: Seen, run: Run): Verdict {
  const runtime = facts?.state.runtime;
  if (!result) return { code: "not-probed", message: "The service runs; the gateway was not asked.", next: [] };
  if (runtime?.state === "activating")
    return {
      code: "starting",
      message: "The service is starting; it may be warming up.",
      next: [run("gateway status")],
    };
  const holder = port?.listeners.find(({ pid }) => pid !== runtime?.pid);
  if (port?.status === "busy" && holder && !/openclaw/u.test(holder.command)) return taken(port, run);
  if (port?.status === "busy") {
    const message = "The service runs and its port is open, yet the gateway does not answer.";
    return { code: "no-answer", message, next: [run("logs"), run("gateway restart")] };
  }
  const told = lastError === undefined ? "" : ` ${lastError}`;
  const message = `The service runs, and its port is closed${port ? ` (${port.port})` : ""}.${told}`;
  return { code: "port-closed", message, next: [run("logs"), run("gateway restart")] };
}
