/** Rows of `gateway …`: running it, asking it. A table without code. */
import type { CommandRow, OptionSpec } from "../command.ts";
import { json, rpc, target } from "../options.ts";

const gatewayRun: readonly OptionSpec[] = [
  { name: "port", value: "n", text: "Port for WebSocket and HTTP", fallback: "18789" },
  { name: "bind", value: "mode", text: "loopback, lan, tailnet, auto or custom", fallback: "loopback" },
  { name: "token", value: "token", text: "Token for this process (visible to other users of this machine)" },
  { name: "password", value: "password", text: "Password for this process (visible to other users of this machine)" },
  { name: "auth", value: "mode", text: "token or password" },
  { name: "tailscale", value: "mode", text: "off, serve or funnel" },
  { name: "tailscale-reset-on-exit", text: "Undo the Tailscale exposure when the gateway stops" },
  { name: "allow-unconfigured", text: "Start although gateway.mode is not local" },
  { name: "dev", text: "Create the development config and workspace when missing" },
  { name: "reset", text: "With --dev: start from nothing" },
  { name: "force", text: "Take the port from whoever listens on it" },
  { name: "verbose", text: "Debug lines on the console" },
  { name: "claude-cli-logs", text: "Accepted for old scripts; has no effect" },
  {
    name: "ws-log",
    value: "style",
    text: "With --verbose: compact has a line per request, full one per frame; auto is compact",
    fallback: "auto",
  },
  { name: "compact", text: "Same as --ws-log compact" },
  { name: "raw-stream", text: "Keep what models answer, event by event, in a file" },
  {
    name: "raw-stream-path",
    value: "path",
    text: "Where that file is (default: logs/raw-stream.jsonl of the state directory)",
  },
];

const loadGatewayRun = async () => (await import("../gateway-run.ts")).run;

export const gatewayCommands: readonly CommandRow[] = [
  {
    path: "gateway",
    summary: "Run the gateway in the foreground, or ask a running one",
    options: gatewayRun,
    examples: [
      ["openclaw gateway", "run until stopped"],
      ["openclaw gateway --port 19001 --verbose", "another port, debug lines"],
      ["openclaw gateway call health --json", "one call"],
    ],
    anyConfig: true,
    load: loadGatewayRun,
  },
  {
    path: "gateway run",
    summary: "Run the gateway in the foreground",
    options: gatewayRun,
    anyConfig: true,
    load: loadGatewayRun,
  },
  {
    path: "gateway call",
    summary: "Call one method and print its answer",
    arguments: [{ name: "method", required: true }],
    options: [...rpc, { name: "params", value: "json", text: "Parameters as a JSON object", fallback: "{}" }],
    examples: [
      ["openclaw gateway call health --json", "the whole health answer"],
      [`openclaw gateway call sessions.list --params '{"limit":5}'`, "with parameters"],
    ],
    anyConfig: true,
    load: async () => (await import("../gateway-call.ts")).run,
  },
  {
    path: "gateway health",
    summary: "Ask the gateway for its health",
    options: rpc,
    anyConfig: true,
    load: async () => (await import("../health.ts")).runGatewayHealth,
  },
  {
    path: "gateway probe",
    summary: "Try every known gateway address",
    options: [
      ...target("3000"),
      json,
      { name: "ssh", value: "target", text: "Probe through an SSH tunnel (user@host[:port])" },
      { name: "ssh-identity", value: "path", text: "Key for the SSH tunnel" },
      { name: "ssh-auto", text: "Find the SSH target by discovery" },
    ],
    anyConfig: true,
    load: async () => (await import("../gateway-probe.ts")).run,
  },
  {
    path: "dashboard",
    summary: "Open the Control UI in a browser",
    options: [...target("3000"), json, { name: "no-open", text: "Only print the address" }],
    examples: [
      ["openclaw dashboard", "print the address, copy it, open it"],
      ["openclaw dashboard --no-open", "print the address"],
    ],
    anyConfig: true,
    load: async () => (await import("../dashboard.ts")).run,
  },
];
