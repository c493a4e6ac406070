import { expect, test } from "vitest";
import { locate } from "./locality.ts";
import { judgeTailnet, tailnetClaim } from "./tailnet.ts";

const who: Record<string, string> = { "100.64.0.9": "Ann@Example.com", "fd7a:115c:a1e0::9": "ann@example.com" };
const tailnet = { whois: (address: string) => Promise.resolve(who[address]) };

const serve = {
  host: "box.tail1.ts.net",
  "x-forwarded-for": "100.64.0.9",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "box.tail1.ts.net",
  "tailscale-user-login": "ann@example.com",
};
const without = (...names: (keyof typeof serve)[]) =>
  Object.fromEntries(Object.entries(serve).filter(([name]) => !names.includes(name as keyof typeof serve)));
const plain = { host: "localhost:18789" };
const proxy = ["10.0.0.2", "192.168.0.0/24"];
const own = ["127.0.0.1"];

type Row = readonly [
  peer: string | undefined,
  headers: Record<string, string | string[]>,
  proxies: readonly string[],
  local: boolean,
  tailnet: string,
];
const user = "tailscale_user_missing";
const headers = "tailscale_proxy_missing";
const failed = "tailscale_whois_failed";
const differs = "tailscale_user_mismatch";

/** R-AUTH-6, S7: who counts as local, and whose Tailscale login is believed. */
const rows: readonly Row[] = [
  // Direct, without any header of a proxy.
  ["127.0.0.1", plain, [], true, user],
  ["127.9.9.9", plain, [], true, user],
  ["::1", { host: "[::1]:18789" }, [], true, user],
  ["::ffff:127.0.0.1", { host: "127.0.0.1:18789" }, [], true, user],
  ["127.0.0.1", { host: "box.tail1.ts.net" }, [], true, user],
  ["127.0.0.1", { host: "BOX.TAIL1.TS.NET:443" }, [], true, user],
  ["127.0.0.1", { host: "example.com" }, [], false, user],
  ["127.0.0.1", { host: "ts.net.example.com" }, [], false, user],
  ["127.0.0.1", { host: "xts.net" }, [], false, user],
  ["127.0.0.1", {}, [], false, user],
  ["127.0.0.1", { host: "localhost@evil.example" }, [], false, user],
  ["192.168.0.7", plain, [], false, user],
  ["100.64.0.9", plain, [], false, user],
  ["8.8.8.8", plain, [], false, user],
  [undefined, plain, [], false, user],
  // A loopback peer with forwarding headers is not local.
  ["127.0.0.1", { ...plain, "x-forwarded-for": "127.0.0.1" }, [], false, user],
  ["127.0.0.1", { ...plain, "x-forwarded-for": "8.8.8.8" }, [], false, user],
  ["127.0.0.1", { ...plain, "x-real-ip": "127.0.0.1" }, [], false, user],
  ["127.0.0.1", { ...plain, "x-forwarded-host": "localhost" }, [], false, user],
  ["::1", { ...plain, "x-forwarded-for": "" }, [], false, user],
  ["127.0.0.1", { ...plain, "x-forwarded-for": "8.8.8.8" }, proxy, false, user],
  ["127.0.0.1", { ...plain, "x-forwarded-proto": "https" }, [], false, user],
  ["127.0.0.1", { ...plain, forwarded: "for=127.0.0.1" }, [], false, user],
  // Listed proxies speak for their clients, others do not.
  ["10.0.0.2", { ...plain, "x-forwarded-for": "127.0.0.1" }, proxy, true, user],
  ["10.0.0.2", { ...plain, "x-forwarded-for": "8.8.8.8" }, proxy, false, user],
  ["10.0.0.2", { ...plain, "x-forwarded-for": "127.0.0.1, 8.8.8.8" }, proxy, false, user],
  ["10.0.0.2", { ...plain, "x-forwarded-for": "127.0.0.1, 192.168.0.3" }, proxy, true, user],
  ["10.0.0.2", { ...plain, "x-real-ip": "127.0.0.1" }, proxy, true, user],
  ["10.0.0.2", { ...plain, "x-forwarded-for": "unknown" }, proxy, false, user],
  ["10.0.0.3", { ...plain, "x-forwarded-for": "127.0.0.1" }, proxy, false, user],
  ["192.168.0.200", { ...plain, "x-forwarded-for": "127.0.0.1" }, proxy, true, user],
  ["192.168.1.200", { ...plain, "x-forwarded-for": "127.0.0.1" }, proxy, false, user],
  ["127.0.0.1", { ...plain, "x-forwarded-for": "8.8.8.8" }, own, false, user],
  ["127.0.0.1", { ...plain, "x-forwarded-for": "127.0.0.1" }, own, true, user],
  ["::ffff:10.0.0.2", { ...plain, "x-forwarded-for": "127.0.0.1" }, proxy, true, user],
  // Tailscale Serve: the login counts with every header in place and the tailnet's word.
  ["127.0.0.1", serve, [], false, "ok"],
  ["::1", serve, [], false, "ok"],
  ["::ffff:127.0.0.1", serve, [], false, "ok"],
  ["127.0.0.1", serve, own, false, "ok"],
  ["127.0.0.1", { ...serve, "tailscale-user-login": "ANN@example.com" }, [], false, "ok"],
  ["127.0.0.1", { ...serve, "tailscale-user-login": "  ann@example.com  " }, [], false, "ok"],
  ["127.0.0.1", { ...serve, "x-forwarded-for": "fd7a:115c:a1e0::9" }, [], false, "ok"],
  ["127.0.0.1", { ...serve, "x-forwarded-for": " 100.64.0.9 " }, [], false, "ok"],
  ["127.0.0.1", { ...serve, host: "localhost:18789" }, [], false, "ok"],
  ["127.0.0.1", { ...serve, host: "example.com" }, [], false, "ok"],
  // Claims that do not hold.
  ["127.0.0.1", { ...serve, "tailscale-user-login": "bob@example.com" }, [], false, differs],
  ["127.0.0.1", { ...serve, "tailscale-user-login": "ann@example.com.evil" }, [], false, differs],
  ["127.0.0.1", { ...serve, "tailscale-user-login": "bob@example.com, ann@example.com" }, [], false, differs],
  ["127.0.0.1", { ...serve, "x-forwarded-for": "100.64.0.10" }, [], false, failed],
  ["127.0.0.1", { ...serve, "x-forwarded-for": "127.0.0.1" }, [], false, failed],
  ["127.0.0.1", { ...serve, "x-forwarded-for": "127.0.0.1" }, own, true, failed],
  ["127.0.0.1", { ...serve, "x-forwarded-for": "100.64.0.9, 8.8.8.8" }, [], false, headers],
  ["127.0.0.1", { ...serve, "x-forwarded-for": "8.8.8.8, 100.64.0.9" }, [], false, headers],
  ["127.0.0.1", { ...serve, "x-forwarded-for": "rubbish" }, [], false, headers],
  ["127.0.0.1", { ...serve, "x-forwarded-for": "100.64.0.9:1234" }, [], false, headers],
  ["127.0.0.1", { ...serve, "x-forwarded-proto": "" }, [], false, headers],
  ["127.0.0.1", without("x-forwarded-for"), [], false, headers],
  ["127.0.0.1", without("x-forwarded-proto"), [], false, headers],
  ["127.0.0.1", without("x-forwarded-host"), [], false, headers],
  ["127.0.0.1", without("x-forwarded-for", "x-forwarded-host"), [], false, headers],
  ["127.0.0.1", without("tailscale-user-login"), [], false, user],
  ["127.0.0.1", { ...serve, "tailscale-user-login": "" }, [], false, user],
  ["127.0.0.1", { ...serve, "tailscale-user-login": "   " }, [], false, user],
  ["127.0.0.1", { ...serve, "tailscale-user-login": ["ann@example.com", "bob@example.com"] }, [], false, user],
  // From elsewhere than loopback they are only text.
  ["100.64.0.9", serve, [], false, headers],
  ["192.168.0.7", serve, [], false, headers],
  ["8.8.8.8", serve, [], false, headers],
  ["10.0.0.2", serve, proxy, false, headers],
  [undefined, serve, [], false, headers],
];

test.each(rows)(
  "peer %s with %j and proxies %j: local %s, login %s",
  async (address, given, proxies, local, verdict) => {
    const peer = { address, headers: given };
    expect(locate(peer, proxies).local).toBe(local);
    expect((await judgeTailnet(tailnetClaim(peer), tailnet)) ?? "ok").toBe(verdict);
  },
);

test("the table has the sixty rows that R-AUTH-6 asks for", () => {
  expect(rows.length).toBeGreaterThanOrEqual(60);
});
