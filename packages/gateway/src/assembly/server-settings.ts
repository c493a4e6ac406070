/** What the server reads of config and flags, looked up at use. */
import { wireLimits } from "@openclaw/protocol";
import type { ServerSettings } from "../server/index.ts";
import type { EffectiveConfig } from "./sections.ts";
import type { Endpoint } from "./startup-checks.ts";

export function serverSettings(
  config: { current: EffectiveConfig },
  endpoint: Endpoint,
  verbose: boolean,
  logFrames: boolean,
): ServerSettings {
  return {
    auth: endpoint.auth,
    get allowedOrigins() {
      return config.current.gateway.controlUi.allowedOrigins;
    },
    get trustedProxies() {
      return config.current.gateway.trustedProxies;
    },
    get corsOrigins() {
      return config.current.gateway.http.cors?.allowedOrigins ?? [];
    },
    get strictTransportSecurity() {
      return config.current.gateway.http.securityHeaders?.strictTransportSecurity;
    },
    get controlUi() {
      return config.current.gateway.controlUi;
    },
    get maxBufferedBytes() {
      return config.current.gateway.limits.maxBufferedBytes;
    },
    tickIntervalMs: wireLimits.tickIntervalMs,
    get handshakeTimeoutMs() {
      return config.current.gateway.limits.handshakeTimeoutMs;
    },
    verbose,
    logFrames,
  };
}
