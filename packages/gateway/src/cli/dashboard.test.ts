import { describe, expect, test } from "vitest";
import { dashboardUrl, somebodyIsThere } from "./dashboard.ts";
import { at, cli, gateway, withHome, writeConfig } from "./fake-terminal.ts";

withHome();

describe("dashboard", () => {
  test("prints the address of a gateway that answers, its token in the fragment", async () => {
    const fake = await gateway();
    const { code, out } = await cli("dashboard --no-open", { env: at(fake, { OPENCLAW_GATEWAY_TOKEN: "a b&c" }) });
    expect([code, out]).toEqual([0, `Dashboard URL: http://127.0.0.1:${fake.port}/#token=a%20b%26c\n`]);
  });

  test("prints no address that nobody answers at", async () => {
    const { code, out, err } = await cli("dashboard --no-open", { env: { OPENCLAW_GATEWAY_PORT: "1" } });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("No gateway to open");
    expect(err).toContain("openclaw gateway");
  });

  test("says so when the app is switched off", async () => {
    const fake = await gateway();
    writeConfig(JSON.stringify({ gateway: { mode: "local", controlUi: { enabled: false } } }));
    const { code, err } = await cli("dashboard --no-open", { env: at(fake) });
    expect(code).toBe(1);
    expect(err).toContain("gateway.controlUi.enabled");
  });

  test("a password is never put into an address", async () => {
    const fake = await gateway();
    writeConfig(JSON.stringify({ gateway: { mode: "local", auth: { mode: "password", password: "hush" } } }));
    const { out, err } = await cli("dashboard --no-open", { env: { OPENCLAW_GATEWAY_PORT: String(fake.port) } });
    expect(out).toBe(`Dashboard URL: http://127.0.0.1:${fake.port}/\n`);
    expect(err).toContain("asks for the gateway's password");
  });

  test("answers one document with --json", async () => {
    const fake = await gateway();
    const { out } = await cli("dashboard --json", { env: at(fake) });
    expect(JSON.parse(out)).toEqual({ url: `http://127.0.0.1:${fake.port}/#token=T`, opened: false });
  });

  test("the address follows scheme and base path", () => {
    const url = (address: string, basePath: string) =>
      dashboardUrl({
        url: address,
        credentials: {},
        config: { basePath } as Parameters<typeof dashboardUrl>[0]["config"],
      });
    expect(url("wss://box.ts.net:443", "claw/")).toBe("https://box.ts.net/claw/");
    expect(url("ws://127.0.0.1:1", "/")).toBe("http://127.0.0.1:1/");
  });

  test("a browser is opened only where somebody sits", () => {
    expect(somebodyIsThere({ platform: "linux", env: {} })).toBe(false);
    expect(somebodyIsThere({ platform: "linux", env: { DISPLAY: ":0" } })).toBe(true);
    expect(somebodyIsThere({ platform: "darwin", env: {} })).toBe(true);
    expect(somebodyIsThere({ platform: "darwin", env: { SSH_CONNECTION: "1" } })).toBe(false);
  });
});
