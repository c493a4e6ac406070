/** Rows of the service: `gateway install|uninstall|start|stop|restart|status`, and `daemon …`, their older name. A table without
 *  code. */
import type { CommandRow, OptionSpec } from "../command.ts";
import { json, target } from "../options.ts";

const system: OptionSpec = { name: "system", text: "The system service instead of the one of this account" };

const rows: readonly CommandRow[] = [
  {
    path: "gateway install",
    summary: "Install the gateway as a service, and start it",
    options: [
      { name: "port", value: "n", text: "Port of the service; the configured one without" },
      {
        name: "token",
        value: "token",
        text: "Token, when the config has none (visible to other users of this machine)",
      },
      { name: "runtime", value: "name", text: "What runs the service", fallback: "node" },
      { name: "force", text: "Write the service anew and restart it" },
      { name: "native", text: "On Windows: a scheduled task instead of WSL2" },
      system,
      json,
    ],
    examples: [
      ["openclaw gateway install", "on this account, from now on"],
      ["openclaw --profile rescue gateway install --port 19789", "a second gateway beside the first"],
      ["sudo openclaw gateway install --system", "without anybody logged in"],
    ],
    anyConfig: true,
    load: async () => (await import("../gateway-install.ts")).run,
  },
  {
    path: "gateway uninstall",
    summary: "Stop the service and remove it; config and data stay",
    options: [system, json],
    anyConfig: true,
    load: async () => (await import("../gateway-service.ts")).uninstall,
  },
  {
    path: "gateway start",
    summary: "Start the service",
    options: [system, json],
    anyConfig: true,
    load: async () => (await import("../gateway-service.ts")).start,
  },
  {
    path: "gateway stop",
    summary: "Stop the service until it is started again",
    options: [system, json],
    anyConfig: true,
    load: async () => (await import("../gateway-service.ts")).stop,
  },
  {
    path: "gateway restart",
    summary: "Restart the service",
    options: [
      { name: "when-idle", text: "Let the running turns end first; nothing new is admitted meanwhile" },
      system,
      json,
    ],
    anyConfig: true,
    load: async () => (await import("../gateway-service.ts")).restart,
  },
  {
    path: "gateway status",
    summary: "Show service, config, port and whether the gateway answers",
    options: [
      ...target("10000"),
      { name: "no-probe", text: "Do not connect" },
      { name: "deep", text: "Also look at system services" },
      { name: "require-rpc", text: "Exit 1 when the gateway does not answer" },
      json,
    ],
    anyConfig: true,
    load: async () => (await import("../gateway-status.ts")).run,
  },
];

export const serviceCommands: readonly CommandRow[] = [
  ...rows,
  { path: "daemon", summary: "Older name of the service commands of gateway" },
  ...rows.map((row) => ({ ...row, path: row.path.replace("gateway", "daemon") })),
];
