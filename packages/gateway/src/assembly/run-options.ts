/** What `gateway run` hands to the assembly: the command line, checked for spelling only. */
export interface RunOptions {
  port?: number;
  bind?: "loopback" | "lan" | "tailnet" | "auto" | "custom";
  auth?: "token" | "password";
  /** Already in `OPENCLAW_GATEWAY_TOKEN` of this process. */
  token?: string;
  password?: string;
  tailscale?: "off" | "serve" | "funnel";
  tailscaleResetOnExit: boolean;
  verbose: boolean;
  allowUnconfigured: boolean;
  /** Create the development config and workspace when missing. */
  dev: boolean;
  /** With `dev`: start from nothing. */
  reset: boolean;
  force: boolean;
  claudeCliLogs: boolean;
  wsLog: "auto" | "full" | "compact";
}
