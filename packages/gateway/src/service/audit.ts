/** What is wrong with an installed service, although it may run (lifecycle.md §9.10). Reads files, asks no program. The codes are
 *  stable; docs/guides/service.md lists them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { portOfCommand, scriptOf } from "./command.ts";
import { stopTimeoutSeconds } from "./definition.ts";
import { parsePlist } from "./launchd-plist.ts";
import { unitFolder, type Machine } from "./machine.ts";
import type { OpenedService } from "./open.ts";
import { entryOf, leastNode, versionManagerOf, type ProgramSource } from "./program.ts";
import { requiredPath, servicePath } from "./search-path.ts";
import { configurationExit, parseUnit } from "./systemd-unit.ts";
import type { ServiceCommand, ServiceState } from "./types.ts";

export interface Issue {
  code: string;
  message: string;
  detail?: string;
  /** `aggressive`: the definition was written by hand, and a repair replaces it. */
  level: "recommended" | "aggressive";
}

export interface AuditFacts {
  version: string;
  source: ProgramSource;
  /** Where commands look for the gateway of this config; absent when that cannot be told. */
  configPort?: number;
  /** Of this command, when it differs from the service's. */
  otherConfig?: { service: string; cli: string };
}

/** Empty when nothing is installed. */
export function auditService(service: OpenedService, state: ServiceState, facts: AuditFacts): Issue[] {
  if (!state.installed) return [];
  const { machine } = service;
  const { command } = state;
  if (!command || !command.programArguments.includes("gateway")) {
    return [
      {
        code: "gateway-command-missing",
        message: `${state.path} does not run "gateway".`,
        level: "aggressive",
      },
    ];
  }
  return [
    ...programIssues(command, machine, facts),
    ...pathIssues(command, service),
    ...secretIssues(command),
    ...placeIssues(command, facts),
    ...(state.manager === "systemd" ? systemdIssues(state, machine) : []),
    ...(state.manager === "launchd" ? launchdIssues(state) : []),
  ];
}

const issue = (code: string, message: string, detail?: string): Issue => ({
  code,
  message,
  ...(detail === undefined ? {} : { detail }),
  level: "recommended",
});

function programIssues(command: ServiceCommand, machine: Machine, { source }: AuditFacts): Issue[] {
  const [runtime = ""] = command.programArguments;
  const script = scriptOf(command);
  const there = (path: string) => existsSync(machine.at(path));
  const issues: Issue[] = [];
  if (!there(runtime)) issues.push(issue("gateway-runtime-missing", `The program of the service is gone: ${runtime}.`));
  if (script !== undefined && !there(script))
    issues.push(issue("gateway-entrypoint-missing", `The file the service runs is gone: ${script}.`));
  else if (script !== undefined && script !== entryOf(source)) {
    issues.push(
      issue(
        "gateway-entrypoint-mismatch",
        "The service runs another installation than this command.",
        `${script}, not ${entryOf(source)}`,
      ),
    );
  }
  if (/(^|[/\\])bun(\.exe)?$/u.test(runtime))
    issues.push(issue("gateway-runtime-bun", "The service runs on bun, which lacks parts the gateway needs.", runtime));
  const manager = versionManagerOf(runtime);
  if (manager !== undefined && there(runtime)) {
    issues.push(
      issue(
        "gateway-runtime-node-version-manager",
        `The service runs the Node of ${manager}: an upgrade there takes it away.`,
        runtime,
      ),
    );
    if (!["/usr/local/bin/node", "/usr/bin/node", "/opt/homebrew/bin/node"].some(there))
      issues.push(
        issue(
          "gateway-runtime-node-system-missing",
          `There is no Node ${leastNode} for the whole system to run instead.`,
        ),
      );
  }
  return issues;
}

function pathIssues({ environment }: ServiceCommand, { machine, serviceWorld }: OpenedService): Issue[] {
  const { platform } = machine.world;
  const required = requiredPath[platform];
  if (!required) return [];
  const path = environment.PATH;
  if (!path) return [issue("gateway-path-missing", "The service has no PATH of its own.")];
  const has = path.split(":");
  const missing = required.filter((folder) => !has.includes(folder));
  if (missing.length > 0)
    return [issue("gateway-path-missing-dirs", "PATH of the service lacks folders.", missing.join(":"))];
  // Variables of package managers may have been set at install time; folders of that kind are as good as ours.
  const minimal = servicePath(platform, serviceWorld.env, serviceWorld.homedir()).split(":");
  const foreign = has.filter(
    (folder) => !minimal.includes(folder) && versionManagerOf(join(folder, "node")) !== undefined,
  );
  if (foreign.length === 0) return [];
  return [
    issue("gateway-path-nonminimal", "PATH of the service names folders of one version of Node.", foreign.join(":")),
  ];
}

const secretName = /(^|_)(TOKEN|PASSWORD|PASSWD|SECRET|API_KEY|KEY)$/u;

/** Names, never values. */
function secretIssues({ environment }: ServiceCommand): Issue[] {
  const found = Object.keys(environment).filter((name) => environment[name] && secretName.test(name));
  if (found.length === 0) return [];
  return [
    issue(
      "gateway-secret-embedded",
      "The definition of the service holds secrets, which belong into the config or <state>/.env.",
      found.join(", "),
    ),
  ];
}

function placeIssues(command: ServiceCommand, { configPort, otherConfig }: AuditFacts): Issue[] {
  const port = portOfCommand(command);
  const issues: Issue[] = [];
  if (port !== undefined && configPort !== undefined && port !== configPort) {
    issues.push(
      issue(
        "gateway-port-mismatch",
        `The service listens on ${port}, and commands look on ${configPort}: set gateway.port.`,
      ),
    );
  }
  if (otherConfig) {
    issues.push(
      issue(
        "gateway-config-mismatch",
        "The service reads another config file than this command.",
        `${otherConfig.service}, not ${otherConfig.cli}`,
      ),
    );
  }
  return issues;
}

function systemdIssues(state: ServiceState, machine: Machine): Issue[] {
  const { values } = parseUnit([state.text ?? ""], machine.world.homedir());
  const last = (key: string) => values.get(key)?.at(-1) ?? "";
  const all = (key: string) => (values.get(key) ?? []).join(" ").split(/\s+/u);
  const seconds = (text: string) => Number(/^(\d+)(s|sec)?$/u.exec(text)?.[1] ?? Number.NaN);
  const issues: Issue[] = [];
  const want = (ok: boolean, code: string, message: string) => {
    if (!ok) issues.push(issue(code, message));
  };
  want(
    all("Unit.After").includes("network-online.target"),
    "systemd-after-network-online",
    "The unit does not wait for the network.",
  );
  want(
    all("Unit.Wants").includes("network-online.target"),
    "systemd-wants-network-online",
    "The unit does not ask for the network.",
  );
  want(
    last("Service.Restart") === "always",
    "systemd-restart",
    "The unit does not come back after an end (Restart=always).",
  );
  want(
    seconds(last("Service.RestartSec")) === 5,
    "systemd-restart-sec",
    "The unit does not wait 5 s between starts (RestartSec=5).",
  );
  want(values.has("Unit.StartLimitIntervalSec"), "systemd-start-limit", "The unit has no start limit of its own.");
  want(
    all("Service.RestartPreventExitStatus").includes(String(configurationExit)),
    "systemd-restart-prevent",
    `A configuration error starts the gateway again and again (RestartPreventExitStatus=${configurationExit}).`,
  );
  const stop = last("Service.TimeoutStopSec");
  want(
    stop === "" || seconds(stop) >= stopTimeoutSeconds,
    "systemd-stop-timeout",
    `The unit kills the gateway before it is done stopping (TimeoutStopSec=${stopTimeoutSeconds}).`,
  );
  if (state.scope === "user") {
    want(state.linger !== "no", "systemd-linger", `The service ends when ${machine.user} logs out.`);
    const system = join(unitFolder(machine, "system"), state.label);
    want(!existsSync(system), "systemd-user-and-system", `There is a system unit of the same name too: ${system}.`);
  }
  return issues;
}

function launchdIssues(state: ServiceState): Issue[] {
  const plist = parsePlist(state.text ?? "");
  if (!plist) return [];
  const { keepAlive, runAtLoad, exitTimeOut } = plist;
  return [
    ...(keepAlive ? [] : [issue("launchd-keep-alive", "The agent does not come back after an end (KeepAlive).")]),
    ...(runAtLoad ? [] : [issue("launchd-run-at-load", "The agent does not start at login (RunAtLoad).")]),
    ...((exitTimeOut ?? 0) >= stopTimeoutSeconds
      ? []
      : [
          issue(
            "launchd-exit-timeout",
            `The agent is killed before it is done stopping (ExitTimeOut ${stopTimeoutSeconds}).`,
          ),
        ]),
  ];
}
