/** What must hold before the gateway binds (lifecycle.md §2.2 steps 5-10, §4). Pure: the same checks are run dry against a new
 *  config before a restart is asked for (R-REL-5). Throws StartRefused with the text for the person at the terminal. */
import { networkInterfaces } from "node:os";
import { isIPv4 } from "node:net";
import { commandLine } from "../kernel/paths.ts";
import type { GatewayConfig } from "../server/gateway.config.ts";
import type { AuthSettings } from "../server/ports.ts";
import type { World } from "../kernel/world.ts";

/** A start that cannot succeed. `configuration`: it will fail the same way again until somebody changes something. */
export class StartRefused extends Error {
  override readonly name = "StartRefused";
  readonly configuration: boolean;
  constructor(message: string, configuration = true) {
    super(message);
    this.configuration = configuration;
  }
}

/** Past the checks of §2.2: the state directory, its lock or the port cannot be had. Told after `Gateway failed to start: `. */
export class StartFailed extends StartRefused {}

/** Flags of `gateway run`; they win over config and environment, also after a restart in process. */
export interface LaunchFlags {
  port?: number;
  bind?: string;
  auth?: string;
  token?: string;
  password?: string;
  tailscale?: "off" | "serve" | "funnel";
  tailscaleResetOnExit?: boolean;
  allowUnconfigured?: boolean;
}

export interface Endpoint {
  host: string;
  port: number;
  bind: "loopback" | "lan" | "tailnet" | "auto" | "custom";
  auth: AuthSettings;
  tls: GatewayConfig["tls"];
  tailscale: GatewayConfig["tailscale"];
}

const binds = ["loopback", "lan", "tailnet", "auto", "custom"] as const;

export function resolveEndpoint(
  flags: LaunchFlags,
  config: GatewayConfig,
  exists: boolean,
  path: string,
  world: Pick<World, "env">,
): Endpoint {
  if (flags.auth !== undefined && flags.auth !== "token" && flags.auth !== "password") {
    throw new StartRefused('Invalid --auth (use "token" or "password")');
  }
  checkPresence(flags, config, exists, path, world);
  const bind = (flags.bind ?? config.bind) as Endpoint["bind"];
  if (!binds.includes(bind)) {
    throw new StartRefused('Invalid --bind (use "loopback", "lan", "tailnet", "auto", or "custom")');
  }
  const tailscale = {
    mode: flags.tailscale ?? config.tailscale.mode,
    resetOnExit: flags.tailscaleResetOnExit || config.tailscale.resetOnExit,
  };
  const auth = resolveAuth(flags, config, bind, tailscale.mode, world);
  const host = bindHost(bind, config.customBindHost);
  checkExposure(tailscale.mode, host, auth);
  return { host, port: resolvePort(flags, config, world), bind, auth, tls: config.tls, tailscale };
}

/** The proxy of Tailscale speaks to loopback, and the public must know a password (lifecycle.md §2.3 step 6). */
function checkExposure(mode: GatewayConfig["tailscale"]["mode"], host: string, auth: AuthSettings): void {
  if (mode === "off") return;
  if (!host.startsWith("127.")) {
    throw new StartRefused(
      `tailscale ${mode} requires gateway bind=loopback (127.0.0.1), not ${host}. Set gateway.bind to loopback, or gateway.tailscale.mode to off.`,
    );
  }
  if (mode === "funnel" && auth.mode !== "password") {
    throw new StartRefused(
      "tailscale funnel requires gateway auth mode=password. Set gateway.auth.mode to password and gateway.auth.password (or OPENCLAW_GATEWAY_PASSWORD).",
    );
  }
}

function checkPresence(
  flags: LaunchFlags,
  config: GatewayConfig,
  exists: boolean,
  path: string,
  world: Pick<World, "env">,
): void {
  if (flags.allowUnconfigured) return;
  if (!exists) {
    throw new StartRefused(
      `Missing config. Run \`${commandLine(world, "setup")}\` or set gateway.mode=local (or pass --allow-unconfigured).\nLooked for ${path}.`,
    );
  }
  if (config.mode !== "local") {
    throw new StartRefused(
      `Gateway start blocked: set gateway.mode=local (current: ${config.mode ?? "unset"}) or pass --allow-unconfigured.`,
    );
  }
}

/** `--port` > OPENCLAW_GATEWAY_PORT > gateway.port. A variable that is no port is ignored. */
export function resolvePort(
  flags: LaunchFlags,
  config: Pick<GatewayConfig, "port">,
  world: Pick<World, "env">,
): number {
  if (flags.port !== undefined) return flags.port;
  const text = world.env.OPENCLAW_GATEWAY_PORT || world.env.CLAWDBOT_GATEWAY_PORT;
  const fromEnv = text && /^\d+$/u.test(text) ? Number(text) : 0;
  return fromEnv > 0 && fromEnv < 65_536 ? fromEnv : config.port;
}

function bindHost(bind: Endpoint["bind"], custom: string | undefined): string {
  switch (bind) {
    case "lan":
      return "0.0.0.0";
    case "tailnet":
      return tailnetAddress() ?? "127.0.0.1";
    case "custom":
      if (custom && isIPv4(custom)) return custom;
      throw new StartRefused(
        `gateway.bind is "custom" but gateway.customBindHost is ${custom ? `not an IPv4 address (${custom})` : "not set"}. Set it to an address of this machine.`,
      );
    default:
      return "127.0.0.1";
  }
}

function tailnetAddress(): string | undefined {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family } of addresses ?? []) {
      const [a, b] = address.split(".").map(Number);
      if (family === "IPv4" && a === 100 && b !== undefined && b >= 64 && b < 128) return address;
    }
  }
  return undefined;
}

function resolveAuth(
  flags: LaunchFlags,
  config: GatewayConfig,
  bind: Endpoint["bind"],
  tailscale: GatewayConfig["tailscale"]["mode"],
  world: Pick<World, "env">,
): AuthSettings {
  const env = world.env;
  const token = flags.token || config.auth.token || env.OPENCLAW_GATEWAY_TOKEN || env.CLAWDBOT_GATEWAY_TOKEN;
  const password =
    flags.password || config.auth.password || env.OPENCLAW_GATEWAY_PASSWORD || env.CLAWDBOT_GATEWAY_PASSWORD;
  const mode =
    (flags.auth as AuthSettings["mode"] | undefined) ??
    config.auth.mode ??
    (password && !flags.token ? "password" : "token");
  const secret = mode === "token" ? token : password;
  const allowTailscale = config.auth.allowTailscale ?? (tailscale === "serve" && mode !== "password");
  if (!secret && bind !== "loopback") {
    throw new StartRefused(
      `Refusing to bind gateway to ${bind} without auth.\nSet gateway.auth.token (or OPENCLAW_GATEWAY_TOKEN), or pass --token.`,
    );
  }
  const misplaced = config.remote.token
    ? "\ngateway.remote.token is for reaching another gateway; this one reads gateway.auth.token."
    : "";
  if (!secret && !(allowTailscale && mode === "token")) {
    throw new StartRefused(
      mode === "token"
        ? `Gateway auth is set to token, but no token is configured.\nSet gateway.auth.token (or OPENCLAW_GATEWAY_TOKEN), or pass --token.\n\`${commandLine(world, "setup")}\` writes one.${misplaced}`
        : "Gateway auth is set to password, but no password is configured.\nSet gateway.auth.password (or OPENCLAW_GATEWAY_PASSWORD), or pass --password.",
    );
  }
  return { mode, allowTailscale, ...(token ? { token } : {}), ...(password ? { password } : {}) };
}
