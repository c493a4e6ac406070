/** The whole way of a person: the built program, its printed address, a turn; and the same through what stands in between. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { selfSigned } from "../../packages/gateway/src/assembly/certificate.ts";
import { startFakeProvider } from "../support/fake-provider/index.ts";
import { openGateway } from "../support/gateway.ts";
import { makeHome, runCli, startGateway } from "../support/process.ts";
import { connected, openVisit } from "./browser.ts";
import { forwardTo } from "./forward.ts";

export function journeyCases(): void {
  test("start, `dashboard`, a turn with a tool in the browser, without typing a token", async () => {
    const provider = await startFakeProvider({
      script: (request) =>
        (request.body.messages as { role: string }[]).at(-1)?.role === "tool"
          ? ["It says ", "**hello**."]
          : ["Let me see. ", { toolCall: { id: "c1", name: "exec", arguments: { command: "printf hello" } } }],
    });
    const model = { id: "mock-1", name: "Mock", contextWindow: 200_000, maxTokens: 8_000, input: ["text"] };
    const home = makeHome({
      models: {
        providers: {
          mock: {
            baseUrl: provider.baseUrl("openai-completions"),
            apiKey: "mock-key-0123456789",
            api: "openai-completions",
            models: [model],
          },
        },
      },
      agents: { defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } } },
    });
    const gateway = await startGateway(home);
    await expect.poll(() => gateway.output()).toContain("open it in a browser: openclaw dashboard");
    const { code, stdout } = await runCli(home, ["dashboard", "--no-open"], {
      env: { OPENCLAW_GATEWAY_PORT: String(gateway.port) },
    });
    expect(code).toBe(0);
    const url = /^Dashboard URL: (\S+)$/m.exec(stdout)?.[1] ?? "";
    const visit = await openVisit(url);
    const { page } = visit;
    await page.goto(url);
    await connected(page);
    expect(page.url()).toBe(`http://127.0.0.1:${gateway.port}/chat`);
    await page.getByLabel("Message", { exact: true }).fill("Say hello by a tool");
    await page.keyboard.press("Enter");
    await page.locator(".tool.ok").getByText("exec").waitFor();
    await page.getByRole("log").getByText("It says hello.").waitFor();
    await page.getByRole("button", { name: "Send", exact: true }).waitFor();
    expect(visit.complaints).toEqual([]);
    expect(visit.strays).toEqual([]);
    await visit.close();
    await gateway.stop();
    await provider.close();
    home.remove();
  });

  test("through a forwarded port everything works as on the machine itself", async () => {
    const gateway = await openGateway();
    const forward = await forwardTo(gateway.port);
    const visit = await openVisit(forward.url);
    await visit.page.goto(`${forward.url}/#token=${gateway.token}`);
    await connected(visit.page);
    forward.cut();
    await visit.page.locator('.connection:not([data-phase="connected"])').first().waitFor({ state: "attached" });
    await connected(visit.page);
    expect(visit.complaints).toEqual([]);
    await visit.close();
    await forward.close();
    await gateway.stop();
  });

  test("behind a proxy that terminates TLS the page is wss and asks to be paired", async () => {
    const gateway = await openGateway({ config: { gateway: { trustedProxies: ["127.0.0.1"] } } });
    const pair = selfSigned({
      commonName: "localhost",
      names: ["127.0.0.1"],
      notBefore: Date.now() - 60_000,
      notAfter: Date.now() + 86_400_000,
      serial: randomBytes(16),
    });
    const headers = { "X-Forwarded-For": "203.0.113.20", "X-Forwarded-Proto": "https" };
    const proxy = await forwardTo(gateway.port, headers, pair);
    const visit = await openVisit(proxy.url, { ignoreHTTPSErrors: true });
    const sockets: string[] = [];
    visit.page.on("websocket", (socket) => sockets.push(socket.url()));
    await visit.page.goto(`${proxy.url}/chat#token=${gateway.token}`);
    await visit.page.getByRole("heading", { name: "This browser is new to the gateway" }).waitFor();
    const command = (await visit.page.locator(".command code").textContent()) ?? "";
    const wire = await gateway.connect({ scopes: ["operator.admin"] });
    await wire.call("device.pair.approve", { requestId: command.split(" ").at(-1) });
    await visit.page.getByRole("button", { name: "Check now" }).click();
    await connected(visit.page);
    expect(sockets[0]).toBe(`wss://127.0.0.1:${proxy.port}/`);
    expect(visit.complaints).toEqual([]);
    expect(visit.strays).toEqual([]);
    await wire.close();
    await visit.close();
    await proxy.close();
    await gateway.stop();
  });
}
