/** lifecycle.md §12.1: which address a command takes, and what errors call its source. */
import { expect, test } from "vitest";
import { locateConfig } from "../config/locate.ts";
import { cli, home, withHome, writeConfig } from "./fake-terminal.ts";
import type { Io } from "./io.ts";
import { localTarget, tailnetAddress } from "./target.ts";

withHome();

const local = async (config: unknown, addresses: string[] = [], env: Record<string, string> = {}) => {
  writeConfig(JSON.stringify(config));
  const io = { env: { HOME: home, ...env }, homedir: () => home, addresses: () => addresses } as unknown as Io;
  const { url, source, credentials, credentialSources } = localTarget(await locateConfig(io), io);
  return { url, source, credentials, credentialSources };
};

test("lifecycle 12.1: a gateway bound to the tailnet is reached at its tailnet address, and the source says so", async () => {
  const config = { gateway: { bind: "tailnet", port: 2_000 } };
  expect(await local(config, ["10.0.0.1", "100.100.1.2"])).toMatchObject({
    url: "ws://100.100.1.2:2000",
    source: "local tailnet 100.100.1.2",
  });
  expect(await local(config, ["10.0.0.1"])).toMatchObject({ url: "ws://127.0.0.1:2000", source: "local loopback" });
  for (const other of ["100.63.0.1", "100.128.0.1", "10.64.0.1"])
    expect(tailnetAddress({ addresses: () => [other] })).toBeUndefined();
});

test("lifecycle 12.1: TLS changes the scheme, a custom host the address", async () => {
  expect((await local({ gateway: { port: 2_000, tls: { enabled: true } } })).url).toBe("wss://127.0.0.1:2000");
  expect((await local({ gateway: { port: 2_000, bind: "custom", customBindHost: "10.0.0.9" } })).url).toBe(
    "ws://10.0.0.9:2000",
  );
  expect((await local({ gateway: { port: 2_000, bind: "lan" } })).url).toBe("ws://127.0.0.1:2000");
});

test("lifecycle 12.1: for a command the environment wins over the config, and the source is named, not the value", async () => {
  const config = { gateway: { auth: { token: "from-config", password: "from-config" } } };
  expect(await local(config)).toMatchObject({
    credentials: { token: "from-config", password: "from-config" },
    credentialSources: ["gateway.auth.token", "gateway.auth.password"],
  });
  const env = { OPENCLAW_GATEWAY_TOKEN: "from-env", OPENCLAW_GATEWAY_PASSWORD: "" };
  expect(await local(config, [], env)).toMatchObject({
    credentials: { token: "from-env", password: "from-config" },
    credentialSources: ["OPENCLAW_GATEWAY_TOKEN", "gateway.auth.password"],
  });
});

test("lifecycle 12.1: no command starts a gateway by itself", async () => {
  for (const words of ["health", "gateway call status", "sessions", "agent --agent main --message hi"]) {
    const { code, err } = await cli(words, { env: { OPENCLAW_GATEWAY_PORT: "1" } });
    expect([words, code]).toEqual([words, 1]);
    expect(err).toMatch(/gateway closed \(1006 abnormal closure \(no close frame\)\): /u);
  }
});
