/** Who may enter the gateway, where it listens, and who runs now. */
import { readFileSync, statSync } from "node:fs";
import { isIPv4 } from "node:net";
import { join } from "node:path";
import { editConfigFile, secretWeakness } from "../../config/index.ts";
import { declared } from "../sections.ts";
import { resolvePort } from "../startup-checks.ts";
import { statusFilePath } from "../status-file.ts";
import { at, type Check, type DoctorContext, type Found } from "./check.ts";
import { describeHolder, holdersOf, portAnswers } from "./listeners.ts";

/** Where the secrets of the server come from (lifecycle.md §4). */
function secrets({ config, world }: DoctorContext) {
  const env = (name: string) => world.env[`OPENCLAW_${name}`] || world.env[`CLAWDBOT_${name}`] || undefined;
  const auth = config?.gateway.auth;
  const token = { config: auth?.token, env: env("GATEWAY_TOKEN") };
  const password = { config: auth?.password, env: env("GATEWAY_PASSWORD") };
  const mode = auth?.mode ?? ((password.config ?? password.env) ? "password" : "token");
  const used = mode === "token" ? token : password;
  return { token, password, mode, secret: used.config ?? used.env };
}

const portOf = ({ config, document, world }: DoctorContext): number => {
  const written = at(document, "gateway", "port");
  const port = config?.gateway.port ?? (typeof written === "number" ? written : 18_789);
  return resolvePort({}, { port }, world);
};

async function newToken(context: DoctorContext): Promise<string[]> {
  const value = context.world.randomBytes(24).toString("hex");
  const set = (key: string, to: string) => ({ path: ["gateway", "auth", key], value: to });
  await editConfigFile(context.configPath, [set("mode", "token"), set("token", value)], context.world, declared);
  return ["wrote a new random token to gateway.auth.token; clients read it from the config, others must be given it"];
}

const newTokenFix = "doctor --generate-gateway-token";

export const gatewayChecks: readonly Check[] = [
  {
    id: "auth-missing",
    summary: "a secret protects the gateway",
    repair: "plain",
    find: (context) => {
      const { config } = context;
      if (!config || config.gateway.mode !== "local" || context.snapshot.verdict !== "ok") return [];
      const { mode, secret } = secrets(context);
      if (secret) return [];
      const exposed = config.gateway.bind !== "loopback";
      return [
        {
          severity: "error",
          title: exposed
            ? `gateway.bind is ${config.gateway.bind}, and there is no ${mode}.`
            : `gateway.auth.mode is ${mode}, and there is no ${mode}.`,
          cause: exposed
            ? "Everybody in the network could enter; the gateway refuses to start."
            : "The gateway refuses to start without it, also on loopback.",
          fix:
            mode === "token"
              ? context.command(newTokenFix)
              : context.command("config set gateway.auth.password <password>"),
          subject: `gateway.auth.${mode}`,
          ...(mode === "token" ? {} : { fixable: false as const }),
        },
      ];
    },
    fix: (_finding, context) => newToken(context),
  },
  {
    id: "auth-weak",
    summary: "the secret is hard to guess",
    repair: "token",
    find: (context) => {
      const { mode, secret } = secrets(context);
      if (secret === undefined || !context.config) return [];
      const exposed = context.config.gateway.bind !== "loopback";
      const reason = secretWeakness(secret, mode === "password" ? "password" : "token", exposed);
      if (reason === undefined) return [];
      return [
        {
          severity: exposed ? "error" : "warn",
          title: `The gateway's ${mode} is weak.`,
          cause: reason,
          fix: `${newTokenFix} (clients must be given the new one)`,
          subject: `gateway.auth.${mode}`,
          ...(mode === "token" && secrets(context).token.config !== undefined ? {} : { fixable: false as const }),
        },
      ];
    },
    fix: (_finding, context) => newToken(context),
  },
  {
    id: "auth-differs",
    summary: "config and environment name the same secret",
    find: (context) => {
      const all = secrets(context);
      return (["token", "password"] as const).flatMap((name): Found[] => {
        const { config, env } = all[name];
        if (config === undefined || env === undefined || Buffer.from(config).equals(Buffer.from(env))) return [];
        const variable = `OPENCLAW_GATEWAY_${name.toUpperCase()}`;
        return [
          {
            severity: "warn",
            title: `${variable} and gateway.auth.${name} differ.`,
            cause: "The gateway takes the config's, commands in this shell take the variable's: they are refused.",
            fix: `Remove one of the two: unset ${variable}, or ${context.command(`config unset gateway.auth.${name}`)}`,
            subject: `gateway.auth.${name}`,
          },
        ];
      });
    },
  },
  {
    id: "bind-address",
    summary: "the address to listen on exists",
    repair: "plain",
    find: ({ config, command }) => {
      const host = config?.gateway.customBindHost;
      if (config?.gateway.bind !== "custom" || (host !== undefined && isIPv4(host))) return [];
      return [
        {
          severity: "error",
          title: `gateway.bind is custom, and gateway.customBindHost is ${host === undefined ? "not set" : "no IPv4 address"}.`,
          cause: "The gateway refuses to start rather than listen somewhere else.",
          fix: `${command("config set gateway.customBindHost <address>")}; the repair goes back to gateway.bind=loopback`,
          subject: "gateway.bind",
        },
      ];
    },
    fix: async (_finding, context) => {
      await editConfigFile(
        context.configPath,
        [{ path: ["gateway", "bind"], value: "loopback" }],
        context.world,
        declared,
      );
      return ["set gateway.bind=loopback"];
    },
  },
  {
    id: "dangerous-switch",
    summary: "no switch that gives up protection is on",
    find: ({ config, command }) => {
      const ui = config?.gateway.controlUi;
      const on = ui
        ? (
            ["allowInsecureAuth", "dangerouslyDisableDeviceAuth", "dangerouslyAllowHostHeaderOriginFallback"] as const
          ).filter((name) => ui[name])
        : [];
      return on.map((name) => ({
        severity: "warn" as const,
        title: `gateway.controlUi.${name} is on.`,
        cause: "It lets a browser in with less than the usual proof. It is meant for a short test.",
        fix: command(`config unset gateway.controlUi.${name}`),
        subject: `gateway.controlUi.${name}`,
      }));
    },
  },
  {
    id: "port-busy",
    summary: "the gateway's port is free, or the gateway holds it",
    find: async (context) => {
      if (context.running || context.config?.gateway.mode === "remote") return [];
      const port = portOf(context);
      if (!(await portAnswers(port))) return [];
      const holders = holdersOf(port);
      const who = holders.length > 0 ? holders.map(describeHolder).join(", ") : "a process this account cannot see";
      return [
        {
          severity: "error",
          title: `Port ${port} is already in use: ${who}.`,
          cause: holders.some(({ command }) => /openclaw/u.test(command))
            ? "It is a gateway with another state directory."
            : "Another program listens there; the gateway of this profile is not running.",
          fix: "Stop it, or set another gateway.port.",
          subject: String(port),
        },
      ];
    },
  },
  {
    id: "status-file",
    summary: "what the gateway notes about itself can be read",
    repair: "plain",
    find: (context) => {
      const path = statusFilePath(context.state);
      const size = statSync(path, { throwIfNoEntry: false })?.size;
      if (size === undefined || (context.status !== undefined && typeof context.status.pid === "number")) return [];
      return [
        {
          severity: "warn",
          title: `${context.show(path)} cannot be read.`,
          cause: "It is a hint for commands while the gateway is down; it was cut short or edited.",
          fix: `rm ${context.show(path)}; the gateway writes it again`,
          subject: path,
        },
      ];
    },
    fix: (finding, context) => [
      `moved ${context.show(finding.subject ?? "")} to ${context.show(context.setAside(finding.subject ?? ""))}`,
    ],
  },
  {
    id: "unclean-end",
    summary: "the gateway ended in order",
    find: ({ status, running, show, state }) =>
      !running && status?.state === "running"
        ? [
            {
              severity: "info",
              title: `The gateway (pid ${status.pid}) ended without a word.`,
              cause: `It was killed or the machine stopped; the last sign is of ${new Date(status.writtenAt).toISOString()}. Nothing that was acknowledged is lost.`,
              fix: `Start it again. Causes, if it crashed, are in ${show(join(state, "crashes"))}.`,
            },
          ]
        : [],
  },
  {
    id: "running-differs",
    summary: "the running gateway is this version and reads this config",
    find: (context) => {
      const { status, running } = context;
      if (!running || !status) return [];
      const found: Found[] = [];
      if (status.version !== context.version) {
        found.push({
          severity: "warn",
          title: `The running gateway is version ${status.version}, this command is ${context.version}.`,
          cause: "The program files changed under it.",
          fix: "Restart the gateway.",
          subject: "version",
        });
      }
      if (status.configPath !== context.configPath) {
        found.push({
          severity: "warn",
          title: `The running gateway reads ${context.show(status.configPath)}, this command ${context.show(context.configPath)}.`,
          cause: "It was started with another OPENCLAW_CONFIG_PATH or profile.",
          fix: "Use the same OPENCLAW_CONFIG_PATH or --profile for both.",
          subject: "configPath",
        });
      }
      const port = portOf(context);
      if (status.port !== port) {
        found.push({
          severity: "info",
          title: `The running gateway listens on ${status.port}; config and environment say ${port}.`,
          cause: "It was started with --port, or the setting changed since.",
          fix: "Pass --url to commands, or restart the gateway.",
          subject: "port",
        });
      }
      return found;
    },
  },
  {
    id: "gateway-problem",
    summary: "the running gateway reports no problem",
    find: ({ running, status, command }) =>
      running
        ? (status?.problems ?? []).map(({ part, message }) => ({
            severity: "warn" as const,
            title: `${part}: ${message}`,
            cause: "The running gateway says so.",
            fix: `See ${command("logs")}.`,
            subject: part,
          }))
        : [],
  },
  {
    id: "device-identity",
    summary: "the key of this machine's commands can be read",
    repair: "plain",
    find: (context) => {
      const path = join(context.state, "identity", "device.json");
      let text: string;
      try {
        text = readFileSync(path, "utf8");
      } catch {
        return []; // Made when it is needed; a mode that forbids reading has a check of its own.
      }
      try {
        const { deviceId } = JSON.parse(text) as { deviceId?: unknown };
        if (typeof deviceId === "string" && deviceId !== "") return [];
      } catch {
        // Judged below, like a document without an id.
      }
      return [
        {
          severity: "warn",
          title: `The device key ${context.show(path)} is damaged.`,
          cause: "Commands that must prove who they are fail. A new key is made, and must be approved once.",
          fix: `mv ${context.show(path)} away`,
          subject: path,
        },
      ];
    },
    fix: (finding, context) => [
      `moved ${context.show(finding.subject ?? "")} to ${context.show(context.setAside(finding.subject ?? ""))}`,
    ],
  },
];
