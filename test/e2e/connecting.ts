/** Getting in and staying in: control-ui.md §2, §16.4 and the cases of §17 that are about it; their numbers in brackets. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openGateway, type GatewayOptions, type TestGateway } from "../support/gateway.ts";
import { freePort, makeHome, runCli } from "../support/process.ts";
import { connected, enter, openVisit, retryNow, type Visit } from "./browser.ts";
import { forwardTo } from "./forward.ts";

export function connectingCases(): void {
  let shared: TestGateway;
  let visit: Visit;
  beforeAll(async () => {
    shared = await openGateway();
  });
  afterAll(() => shared.stop());
  afterEach(() => visit.close());

  const fresh = async (gateway: { httpUrl: string } = shared, options = {}) => {
    visit = await openVisit(gateway.httpUrl, options);
    return visit.page;
  };
  const heading = (page: Page, text: string | RegExp) => page.getByRole("heading", { name: text }).waitFor();
  const typeToken = async (page: Page, token: string) => {
    await page.getByLabel("Gateway token").fill(token);
    await page.getByRole("button", { name: "Connect" }).click();
  };
  const using = async (options: GatewayOptions, body: (gateway: TestGateway) => Promise<void>) => {
    const gateway = await openGateway(options);
    try {
      await body(gateway);
    } finally {
      await gateway.stop();
    }
  };

  test("a token in the fragment lets a fresh browser in, leaves the address, and a reload keeps the session [1]", async () => {
    const page = await fresh();
    await enter(visit, shared.httpUrl);
    expect(page.url()).toBe(`${shared.httpUrl}/chat`);
    await page.reload();
    await connected(page);
    expect(await page.title()).not.toContain(shared.token);
    // Another tab has no token; the one the gateway gave this device lets it in.
    const tab = await visit.context.newPage();
    await tab.goto(`${shared.httpUrl}/chat`);
    await connected(tab);
    expect(await tab.evaluate(() => Object.keys(sessionStorage).filter((key) => key.includes("token")))).toEqual([]);
    expect(visit.complaints).toEqual([]);
    expect(visit.strays).toEqual([]);
  });

  test("another gateway is asked about before anything is opened or sent [2]", async () => {
    const page = await fresh();
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    await page.goto(`${shared.httpUrl}/chat?gatewayUrl=wss://evil.example#token=stolen`);
    await page.getByRole("dialog").getByText("evil.example").waitFor();
    expect(sockets).toEqual([]);
    await page.getByRole("button", { name: "Cancel" }).click();
    await heading(page, "The gateway asks for its token");
    expect(sockets.every((url) => url.startsWith(`ws://127.0.0.1:${shared.port}`))).toBe(true);
    expect(await page.evaluate(() => localStorage.getItem("openclaw.control-ui") ?? "")).not.toContain("evil");
    expect(visit.strays).toEqual([]);
  });

  test("without a token the page says where to get one; a wrong one and the right one answer without a reload [3]", async () => {
    const page = await fresh();
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    await page.goto(`${shared.httpUrl}/chat`);
    await heading(page, "The gateway asks for its token");
    await page.getByText("openclaw dashboard", { exact: true }).waitFor();
    await typeToken(page, "wrong");
    await heading(page, "That is not the gateway's token");
    await page.getByText("AUTH_TOKEN_MISMATCH").waitFor();
    const attempts = sockets.length;
    await page.evaluate("dispatchEvent(new Event('online'))");
    expect(sockets.length).toBe(attempts);
    await typeToken(page, shared.token);
    await connected(page);
  });

  test("a refused page tries again at most once in fifteen seconds, whatever wakes it [3]", async () => {
    const page = await fresh();
    await page.clock.install();
    let opened = 0;
    let ended = 0;
    page.on("websocket", (socket) => {
      opened += 1;
      socket.on("close", () => (ended += 1));
    });
    await page.goto(`${shared.httpUrl}/chat`);
    await heading(page, "The gateway asks for its token");
    for (let seconds = 0; seconds < 60; seconds += 5) {
      await page.clock.runFor(5_000);
      await page.evaluate("dispatchEvent(new Event('online'))");
      await expect.poll(() => opened - ended).toBe(0);
    }
    expect(opened).toBeGreaterThan(1);
    expect(opened).toBeLessThanOrEqual(5);
  });

  test("a gateway with a password asks for that", () =>
    using({ config: { gateway: { auth: { mode: "password", password: "open sesame" } } } }, async (gateway) => {
      const page = await fresh(gateway);
      await page.goto(`${gateway.httpUrl}/chat`);
      await heading(page, "The gateway asks for its password");
      await page.getByLabel("Gateway password").fill("open says me");
      await page.getByRole("button", { name: "Connect" }).click();
      await heading(page, "That is not the gateway's password");
      await page.getByLabel("Gateway password").fill("open sesame");
      await page.getByRole("button", { name: "Connect" }).click();
      await connected(page);
      const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
      expect(kept).not.toContain("sesame");
    }));

  test("too many wrong tokens: the page says how long to wait", () =>
    using({ config: { gateway: { trustedProxies: ["127.0.0.1"] } } }, async (gateway) => {
      const forward = await forwardTo(gateway.port, { "X-Forwarded-For": "203.0.113.8" });
      const page = await fresh({ httpUrl: forward.url });
      let ended = 0;
      page.on("websocket", (socket) => socket.on("close", () => (ended += 1)));
      await page.goto(`${forward.url}/chat`);
      await heading(page, "The gateway asks for its token");
      for (let attempt = 0; attempt < 11; attempt++) {
        await typeToken(page, `guess ${attempt}`);
        await expect.poll(() => ended, { timeout: 3_000, interval: 10 }).toBe(attempt + 2);
        if (await page.getByRole("heading", { name: "Too many wrong attempts" }).isVisible()) break;
      }
      await heading(page, "Too many wrong attempts");
      await page.getByText(/again in \d+ s/).waitFor();
      await forward.close();
    }));

  test("a new browser from elsewhere names the request and the command; approved by it, it comes in without a reload [7]", () =>
    using({ config: { gateway: { trustedProxies: ["127.0.0.1"] } } }, async (gateway) => {
      const forward = await forwardTo(gateway.port, { "X-Forwarded-For": "203.0.113.7" });
      const page = await fresh({ httpUrl: forward.url });
      await page.clock.install();
      await page.goto(`${forward.url}/chat#token=${gateway.token}`);
      await heading(page, "This browser is new to the gateway");
      const command = (await page.locator(".command code").textContent()) ?? "";
      const [requestId = ""] = /\S+$/.exec(command) ?? [];
      expect(command).toBe(`openclaw devices approve ${requestId}`);
      expect(await page.locator(".entrance-card").textContent()).toContain(requestId);
      await page.evaluate("globalThis.same = true");
      const { code, stdout, stderr } = await runCli(gateway.home, command.split(" ").slice(1), {
        env: { OPENCLAW_GATEWAY_PORT: String(gateway.port) },
      });
      expect(code, stdout + stderr).toBe(0);
      // The page asks again by itself.
      await page.clock.runFor(20_000);
      await connected(page);
      expect(await page.evaluate("globalThis.same")).toBe(true);
      expect(visit.complaints).toEqual([]);
      await forward.close();
    }));

  test("a page without secure context signs with its own arithmetic [4, 5]", async () => {
    const port = await freePort();
    const controlUi = { allowedOrigins: [`http://box.test:${port}`] };
    await using({ flags: { port }, config: { gateway: { controlUi } } }, async (gateway) => {
      const page = await fresh({ httpUrl: `http://box.test:${port}` });
      await page.goto(`http://box.test:${port}/chat#token=${gateway.token}`);
      expect(await page.evaluate("isSecureContext")).toBe(false);
      // The signature was accepted: what is missing is the approval, since the page came by another name.
      await heading(page, "This browser is new to the gateway");
      const wire = await gateway.connect({ scopes: ["operator.admin"] });
      const { pending } = await wire.call<{ pending: { requestId: string }[] }>("device.pair.list", {});
      await wire.call("device.pair.approve", { requestId: pending[0]?.requestId });
      await page.getByRole("button", { name: "Check now" }).click();
      await connected(page);
      await wire.close();
    });
  });

  test("a page from an origin nobody allowed names itself and the key", async () => {
    const port = await freePort();
    const controlUi = { allowedOrigins: ["http://box.test:1"] };
    await using({ flags: { port }, config: { gateway: { controlUi } } }, async () => {
      const page = await fresh({ httpUrl: `http://box.test:${port}` });
      await page.goto(`http://box.test:${port}/chat`);
      await heading(page, "The gateway does not accept pages from here");
      await page.getByText(`This page comes from http://box.test:${port}`).waitFor();
      await page.getByText("CONTROL_UI_ORIGIN_NOT_ALLOWED").waitFor();
    });
  });

  /** A gateway that answers `connect` with this refusal. */
  const refusing = (page: Page, message: string, details: Record<string, unknown>) =>
    page.routeWebSocket(/.*/, (socket) => {
      socket.send(JSON.stringify({ type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 1 } }));
      socket.onMessage((text) => {
        const { id } = JSON.parse(String(text)) as { id: string };
        const error = { code: "INVALID_REQUEST", message, details };
        socket.send(JSON.stringify({ type: "res", id, ok: false, error }));
      });
    });

  test("a gateway of another protocol is told apart from one that is away", async () => {
    const page = await fresh();
    const details = { code: "PROTOCOL_MISMATCH", expectedProtocol: 9, clientMinProtocol: 3, clientMaxProtocol: 4 };
    await refusing(page, "protocol mismatch", details);
    await page.goto(`${shared.httpUrl}/chat`);
    await heading(page, "The gateway and this page are of different versions");
    await page.getByText(/speaks protocol 9, this page 3 to 4/).waitFor();
    await page.getByRole("button", { name: "Reload the page" }).waitFor();
  });

  test("a gateway that takes no device from here leads to https and localhost, and names the key that weakens it [4]", async () => {
    const page = await fresh();
    await refusing(page, "device identity required", { code: "CONTROL_UI_DEVICE_IDENTITY_REQUIRED" });
    await page.goto(`${shared.httpUrl}/chat`);
    await heading(page, "This page cannot prove which device it is");
    await page
      .getByText(/https:\/\/ pages and on http:\/\/127\.0\.0\.1.*gateway\.controlUi\.allowInsecureAuth/)
      .waitFor();
    expect(await page.getByLabel("Gateway token").count()).toBe(0);
  });

  test("a newer gateway behind an older page offers a reload, once", async () => {
    const page = await fresh();
    await page.routeWebSocket(/.*/, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((text) => socket.send(String(text).replace('"version":"test"', '"version":"2099.1.0"')));
    });
    await enter(visit, shared.httpUrl);
    await page.getByText("The gateway is version 2099.1.0").waitFor();
    await page.getByRole("button", { name: "Later" }).click();
    await page.getByText("The gateway is version 2099.1.0").waitFor({ state: "detached" });
  });

  test("a revoked device is asked for the token again [6]", async () => {
    await fresh();
    await enter(visit, shared.httpUrl);
    const { deviceId } = await visit.page.evaluate(
      () => JSON.parse(localStorage.getItem("openclaw.device") ?? "{}") as { deviceId: string },
    );
    await visit.page.evaluate(() => sessionStorage.clear());
    await visit.page.reload();
    await connected(visit.page);
    const wire = await shared.connect({ scopes: ["operator.admin"] });
    await wire.call("device.token.revoke", { deviceId, role: "operator" });
    await heading(visit.page, "This browser's access was withdrawn");
    await typeToken(visit.page, shared.token);
    await connected(visit.page);
    await wire.close();
  });

  test("a gateway that goes away is said so, and found again when it is back; the draft stays [8]", async () => {
    const home = makeHome();
    const port = await freePort();
    const first = await openGateway({ home, flags: { port } });
    const page = await fresh(first);
    await enter(visit, first.httpUrl);
    await page.getByLabel("Message", { exact: true }).fill("half a thought");
    await first.stop();
    await page.getByText(/The gateway is (stopping|restarting)/).waitFor();
    await page.locator('.connection[data-phase="restarting"]').first().waitFor({ state: "attached" });
    const second = await openGateway({ home, flags: { port } });
    await retryNow(page);
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("half a thought");
    await page.reload();
    await connected(page);
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("half a thought");
    await second.stop();
    home.remove();
  });

  test("a restart says why and when it is back, and comes back by itself", () =>
    using({}, async (gateway) => {
      const page = await fresh(gateway);
      await enter(visit, gateway.httpUrl);
      await gateway.world.jump(600);
      gateway.host.restarts.request({ reason: "config.apply", delayMs: 0 });
      await gateway.world.jump(2_100);
      await page.getByText(/The gateway is restarting\. Back (in \d+ s|now)/).waitFor();
      await connected(page);
    }));

  test("nobody at the address: host, port and the next attempt are named", async () => {
    const forward = await forwardTo(shared.port);
    const page = await fresh({ httpUrl: forward.url });
    await enter(visit, forward.url);
    await forward.close();
    await page.getByText(`No gateway at 127.0.0.1:${forward.port}`).waitFor();
    await page.getByText(/Next attempt (in \d+ s|now)/).waitFor();
    expect(await page.getByRole("heading", { name: /token/ }).count()).toBe(0);
  });

  test("a gap makes the page read again what it shows, once for a burst [9]", async () => {
    const page = await fresh();
    const asked: string[] = [];
    let push: (text: string) => void = () => {};
    await page.routeWebSocket(/.*/, (socket) => {
      const server = socket.connectToServer();
      push = (text) => socket.send(text);
      socket.onMessage((text) => {
        asked.push((JSON.parse(String(text)) as { method: string }).method);
        server.send(text);
      });
      server.onMessage((text) => socket.send(text));
    });
    await enter(visit, shared.httpUrl);
    await page.locator(".empty, .message-row").first().waitFor();
    asked.length = 0;
    const tick = (seq: number) => push(JSON.stringify({ type: "event", event: "tick", payload: { ts: 1 }, seq }));
    for (const seq of [1_000, 1_010, 1_020]) tick(seq);
    await expect.poll(() => asked.filter((method) => method === "chat.history").length, { timeout: 1_000 }).toBe(1);
    expect(asked.filter((method) => method === "health")).toHaveLength(1);
    expect(asked.filter((method) => method === "system-presence")).toHaveLength(1);
  });

  test("below a base path deep links, Back, Forward and reload work [33]", () =>
    using({ config: { gateway: { controlUi: { basePath: "/openclaw" } } } }, async (gateway) => {
      const page = await fresh(gateway);
      await page.goto(`${gateway.httpUrl}/openclaw/chat/agent:main:work#token=${gateway.token}`);
      await connected(page);
      await heading(page, "work");
      await page.getByRole("button", { name: "New conversation" }).first().click();
      await heading(page, "New conversation");
      expect(page.url()).toContain("/openclaw/chat/agent:main:chat-");
      await page.goBack();
      await heading(page, "work");
      await page.goForward();
      await heading(page, "New conversation");
      await page.reload();
      await connected(page);
      await heading(page, "New conversation");
      expect(visit.complaints).toEqual([]);
    }));
}
