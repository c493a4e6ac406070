import { afterEach, describe, expect, test } from "vitest";
import { connectParams, startRig, type Rig, type TestClient } from "./server.fixture.ts";

let rig: Rig;
afterEach(() => rig.close());

async function refused(client: TestClient, params: Record<string, unknown>) {
  const answer = await client.request("connect", params);
  expect(answer.ok).toBe(false);
  return { ...answer.error, close: await client.closed };
}

describe("origins", () => {
  const controlUi = { client: { id: "openclaw-control-ui", version: "1", platform: "web", mode: "webchat" } };
  test.each([
    ["without Origin", {}, "origin not allowed"],
    ["foreign", { Origin: "https://evil.example" }, "origin not allowed"],
    ["null", { Origin: "null" }, "origin not allowed"],
    ["the dev server", { Origin: "http://localhost:5173" }, "control ui requires HTTPS or localhost (secure context)"],
  ])("the Control UI %s", async (_name, headers, message) => {
    rig = await startRig();
    const client = await rig.connect({ headers });
    expect((await refused(client, connectParams(controlUi))).message).toMatch(
      new RegExp(`^${message.replaceAll(/[()]/g, "\\$&")}`),
    );
  });

  test("a page that poses as the CLI is refused, a foreign Host with Origin gets 421", async () => {
    rig = await startRig();
    const client = await rig.connect({ headers: { Origin: "https://evil.example" } });
    expect((await refused(client, connectParams())).details?.code).toBe("CONTROL_UI_ORIGIN_NOT_ALLOWED");
    await expect(rig.connect({ headers: { Origin: "http://evil.example", Host: "evil.example" } })).rejects.toThrow(
      "421",
    );
  });

  test("allowInsecureAuth lets the Control UI in without a device", async () => {
    rig = await startRig();
    rig.settings.controlUi = { ...rig.settings.controlUi, allowInsecureAuth: true };
    const client = await rig.connect({ headers: { Origin: "http://localhost:5173" } });
    expect((await client.request("connect", connectParams(controlUi))).ok).toBe(true);
  });
});

describe("guessing", () => {
  const remote = { headers: { "X-Forwarded-For": "203.0.113.9" } };

  test("the eleventh wrong token of an address is not even judged, for five minutes", async () => {
    rig = await startRig({ settings: { trustedProxies: ["127.0.0.1"] } });
    for (let i = 0; i < 10; i++) {
      const client = await rig.connect(remote);
      expect((await refused(client, connectParams({ auth: { token: `guess${i}` } }))).message).toContain(
        "token mismatch",
      );
    }
    const right = await rig.connect(remote);
    const error = await refused(right, connectParams());
    expect(error.message).toBe("unauthorized: too many failed authentication attempts (retry later)");
    expect(error.details?.code).toBe("AUTH_RATE_LIMITED");
    expect((await rig.hello()).frames.length).toBeGreaterThan(0);
    await rig.world.clock.advance(300_001);
    const later = await rig.connect(remote);
    expect((await later.request("connect", connectParams())).ok).toBe(true);
  });

  test("a bearer is one more field to guess in: the eleventh is not judged, on no other way either", async () => {
    rig = await startRig({ settings: { trustedProxies: ["127.0.0.1"] } });
    const ready = async (bearer: string) => {
      const headers = { ...remote.headers, Authorization: `Bearer ${bearer}` };
      return (await fetch(`http://127.0.0.1:${rig.listener.port}/readyz`, { headers })).json();
    };
    expect(await ready(rig.settings.auth.token ?? "")).toHaveProperty("uptimeMs");
    for (let i = 0; i < 10; i++) expect(await ready(`guess${i}`)).toEqual({ ready: true });
    expect(await ready(rig.settings.auth.token ?? "")).toEqual({ ready: true });
    const client = await rig.connect(remote);
    expect((await refused(client, connectParams())).details?.code).toBe("AUTH_RATE_LIMITED");
  });

  test("loopback is slowed down but the owner is never locked out", async () => {
    rig = await startRig();
    for (let i = 0; i < 5; i++) {
      const client = await rig.connect();
      await refused(client, connectParams({ auth: { token: "wrong" } }));
    }
    const slowed = await rig.connect();
    await slowed.challenge();
    slowed.send({ type: "req", id: "x", method: "connect", params: connectParams({ auth: { token: "wrong" } }) });
    slowed.ws.ping();
    await new Promise((resolve) => slowed.ws.once("pong", resolve));
    expect(slowed.frames).toHaveLength(1);
    expect((await rig.hello()).frames.length).toBeGreaterThan(0);
    await rig.world.clock.advance(2_000);
    expect((await slowed.closed).code).toBe(1008);
  });
});
