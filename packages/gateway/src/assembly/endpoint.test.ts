import { expect, test } from "vitest";
import type { GatewayConfig } from "../server/gateway.config.ts";
import { resolveEndpoint, type LaunchFlags } from "./startup-checks.ts";

const base = {
  mode: "local",
  port: 18_789,
  bind: "loopback",
  auth: { token: "T" },
  remote: {},
  tls: { enabled: false, autoGenerate: true },
  tailscale: { mode: "off", resetOnExit: false },
};
const password = { mode: "password", password: "P" };
const serve = { mode: "serve", resetOnExit: true };
const funnel = { mode: "funnel", resetOnExit: false };

const resolve = (config: Record<string, unknown> = {}, flags: LaunchFlags = {}, env: Record<string, string> = {}) =>
  resolveEndpoint(flags, { ...base, ...config } as unknown as GatewayConfig, true, "/c", { env });

test.each([
  [{}, {}, {}, 18_789],
  [{ port: 1_000 }, {}, {}, 1_000],
  [{ port: 1_000 }, {}, { OPENCLAW_GATEWAY_PORT: "2000" }, 2_000],
  [{ port: 1_000 }, {}, { OPENCLAW_GATEWAY_PORT: "" }, 1_000],
  [{ port: 1_000 }, {}, { OPENCLAW_GATEWAY_PORT: "-1" }, 1_000],
  [{ port: 1_000 }, {}, { OPENCLAW_GATEWAY_PORT: "70000" }, 1_000],
  [{ port: 1_000 }, { port: 3_000 }, { OPENCLAW_GATEWAY_PORT: "2000" }, 3_000],
])("config %j, flags %j, environment %j: port %i", (config, flags, env, port) => {
  expect(resolve(config, flags, env).port).toBe(port);
});

/** S9: what listens where. */
test.each([
  [{}, {}, "127.0.0.1"],
  [{ bind: "auto" }, {}, "127.0.0.1"],
  [{ bind: "lan" }, {}, "0.0.0.0"],
  [{ bind: "custom", customBindHost: "192.168.0.7" }, {}, "192.168.0.7"],
  [{ bind: "lan" }, { bind: "loopback" }, "127.0.0.1"],
])("config %j and flags %j listen on %s", (config, flags, host) => {
  expect(resolve(config, flags).host).toBe(host);
});

test.each([
  [{}, {}, { mode: "token", allowTailscale: false }],
  [{ auth: { password: "P" } }, {}, { mode: "password", allowTailscale: false }],
  [{ auth: { token: "T", password: "P" } }, {}, { mode: "password" }],
  [{ auth: { token: "T", password: "P" } }, { auth: "token" }, { mode: "token" }],
  [{ auth: { password: "P" } }, { token: "F" }, { mode: "token", token: "F" }],
  [{ tailscale: serve }, {}, { mode: "token", allowTailscale: true }],
  [{ tailscale: serve, auth: {} }, {}, { mode: "token", allowTailscale: true }],
  [{ tailscale: serve, auth: { token: "T", allowTailscale: false } }, {}, { allowTailscale: false }],
  [{ tailscale: serve, auth: password }, {}, { mode: "password", allowTailscale: false }],
  [{ tailscale: serve, auth: { ...password, allowTailscale: true } }, {}, { mode: "password", allowTailscale: true }],
  [{}, { tailscale: "serve" }, { allowTailscale: true }],
  [{ tailscale: serve }, { tailscale: "off" }, { allowTailscale: false }],
  [{ tailscale: funnel, auth: password }, {}, { mode: "password", allowTailscale: false }],
] as const)("config %j and flags %j authenticate as %j", (config, flags, auth) => {
  expect(resolve(config, flags).auth).toMatchObject(auth);
});

test("the secret of the flag wins over config, config over the environment", () => {
  const env = { OPENCLAW_GATEWAY_TOKEN: "E" };
  expect(resolve({}, { token: "F" }, env).auth.token).toBe("F");
  expect(resolve({}, {}, env).auth.token).toBe("T");
  expect(resolve({ auth: {} }, {}, env).auth.token).toBe("E");
});

test("a flag adds to what the config says of the exposure", () => {
  expect(resolve({ tailscale: serve }).tailscale).toEqual(serve);
  expect(resolve({}, { tailscale: "serve", tailscaleResetOnExit: true }).tailscale).toEqual(serve);
});

test.each([
  [{ auth: {} }, {}, /no token is configured\./u],
  [{ auth: { mode: "password" } }, {}, /no password is configured\./u],
  [{ auth: {}, remote: { token: "R" } }, {}, /gateway\.remote\.token is for reaching another gateway/u],
  [{ auth: {}, bind: "lan" }, {}, /Refusing to bind gateway to lan without auth\./u],
  [{ auth: {}, bind: "tailnet" }, {}, /Refusing to bind gateway to tailnet without auth\./u],
  [{ auth: {}, bind: "custom", customBindHost: "10.0.0.1" }, {}, /Refusing to bind gateway to custom without auth\./u],
  [{ bind: "custom" }, {}, /gateway\.customBindHost is not set/u],
  [{ bind: "custom", customBindHost: "box" }, {}, /not an IPv4 address \(box\)/u],
  [
    { tailscale: serve, bind: "lan" },
    {},
    /tailscale serve requires gateway bind=loopback \(127\.0\.0\.1\), not 0\.0\.0\.0/u,
  ],
  [{ tailscale: serve, bind: "custom", customBindHost: "10.0.0.1" }, {}, /not 10\.0\.0\.1/u],
  [{ tailscale: serve, auth: { mode: "password" } }, {}, /no password is configured/u],
  [{ tailscale: funnel }, {}, /tailscale funnel requires gateway auth mode=password/u],
  [{ tailscale: funnel, auth: password, bind: "lan" }, {}, /tailscale funnel requires gateway bind=loopback/u],
  [{ mode: "remote" }, {}, /Gateway start blocked: set gateway\.mode=local \(current: remote\)/u],
  [{}, { auth: "none" }, /Invalid --auth/u],
] as const)("config %j and flags %j are refused: %s", (config, flags, text) => {
  expect(() => resolve(config, flags)).toThrow(text);
});

test("what a refusal suggests names the profile", () => {
  expect(() => resolve({ auth: {} }, {}, { OPENCLAW_PROFILE: "rescue" })).toThrow(
    /`openclaw --profile rescue setup` writes one/u,
  );
  expect(() => resolve({ auth: {} }, {}, { OPENCLAW_PROFILE: "dev" })).toThrow(/`openclaw --dev setup` writes one/u);
  expect(() => resolve({ auth: {} }, {}, { OPENCLAW_PROFILE: "default" })).toThrow(/`openclaw setup` writes one/u);
});
