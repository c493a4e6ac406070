/** Behind a real nginx that terminates TLS, with the two blocks of docs/guides/reverse-proxy.md as they stand there: only names,
 *  ports and files are put in. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import JSON5 from "json5";
import { afterAll, beforeAll, expect, test } from "vitest";
import { selfSigned } from "../../packages/gateway/src/assembly/certificate.ts";
import { gate, openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { openGateway } from "../support/gateway.ts";
import { freePort } from "../support/process.ts";
import { connected, openVisit, proxiedHost, retryNow, type Visit } from "./browser.ts";
import { startNginx, type Nginx } from "./nginx.ts";

const guide = readFileSync(join(import.meta.dirname, "../../docs/guides/reverse-proxy.md"), "utf8");

/** The only code block of a language, with every name in `given` replaced; each must be there. */
function block(language: string, given: Record<string, string>): string {
  const found = [...guide.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, name]) => name === language);
  expect(found, `blocks of ${language}`).toHaveLength(1);
  return Object.entries(given).reduce((text, [from, to]) => {
    expect(text, `${from} in the ${language} block`).toContain(from);
    return text.replaceAll(from, to);
  }, found[0]?.[2] ?? "");
}

export function proxyCases(): void {
  let gateway: ScriptedGateway;
  let nginx: Nginx;
  let visit: Visit;
  let origin: string;

  beforeAll(async () => {
    const port = await freePort();
    origin = `https://${proxiedHost}:${port}`;
    const { gateway: gatewaySettings } = JSON5.parse<{ gateway: object }>(
      block("json5", { [`https://${proxiedHost}`]: origin }),
    );
    gateway = await openScriptedGateway({
      config: { gateway: { ...gatewaySettings, http: { endpoints: { chatCompletions: { enabled: true } } } } },
    });
    const pair = selfSigned({
      commonName: proxiedHost,
      names: [proxiedHost],
      notBefore: Date.now() - 60_000,
      notAfter: Date.now() + 86_400_000,
      serial: randomBytes(16),
    });
    nginx = await startNginx({
      port,
      files: { "pair.pem": pair.cert, "pair.key": pair.key },
      servers: block("nginx", {
        "listen 443": `listen 127.0.0.1:${port}`,
        "127.0.0.1:18789": `127.0.0.1:${gateway.port}`,
        [`/etc/ssl/certs/${proxiedHost}.pem`]: "%FOLDER%/pair.pem",
        [`/etc/ssl/private/${proxiedHost}.key`]: "%FOLDER%/pair.key",
      }),
    });
    visit = await openVisit(origin, { ignoreHTTPSErrors: true });
  });
  afterAll(async () => {
    await visit.close();
    await nginx.stop();
    await gateway.stop();
  });

  test("through nginx the page comes by https, connects by wss below its base path, and a reply streams", async () => {
    const { page } = visit;
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    await page.goto(`${origin}/openclaw/#token=${gateway.token}`);
    await page.getByRole("heading", { name: "This browser is new to the gateway" }).waitFor();
    const command = (await page.locator(".command code").textContent()) ?? "";
    const wire = await gateway.connect({ scopes: ["operator.admin"] });
    await wire.call("device.pair.approve", { requestId: command.split(" ").at(-1) });
    await page.getByRole("button", { name: "Check now" }).click();
    await connected(page);
    expect(new Set(sockets)).toEqual(new Set([`${origin.replace("https", "wss")}/openclaw/`]));
    expect(await page.evaluate("isSecureContext")).toBe(true);

    const seen = gate();
    gateway.script = async ({ body }) => {
      if ((body.messages as { role: string }[]).at(-1)?.role !== "tool")
        return ["First words. ", { toolCall: { id: "c1", name: "exec", arguments: { command: "printf here" } } }];
      await seen.opened;
      return ["Last words."];
    };
    await page.getByLabel("Message", { exact: true }).fill("Through the proxy");
    await page.keyboard.press("Enter");
    // The model says no more before this was read: nothing on the way holds words back.
    await page.getByRole("log").getByText("First words.").waitFor();
    await page.locator(".tool.ok").getByText("exec").waitFor();
    seen.open();
    await page.getByRole("log").getByText("Last words.").waitFor();
    await page.getByRole("button", { name: "Send", exact: true }).waitFor();
    await wire.close();
  });

  test("through nginx a deep link and a reload work, and nothing leaves the origin or breaks the policy", async () => {
    const { page } = visit;
    await page.goto(`${origin}/openclaw/sessions`);
    await connected(page);
    await page.getByRole("heading", { name: "Sessions", level: 1 }).waitFor();
    await page.reload();
    await connected(page);
    expect(page.url()).toBe(`${origin}/openclaw/sessions`);
    expect(visit.strays).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });

  test("through nginx a streamed answer of the HTTP API arrives as it is written", async () => {
    const seen = gate();
    gateway.script = async ({ body }) => {
      if ((body.messages as { role: string }[]).at(-1)?.role !== "tool")
        return ["First words. ", { toolCall: { id: "c1", name: "exec", arguments: { command: "printf here" } } }];
      await seen.opened;
      return ["Last words."];
    };
    const { port } = new URL(origin);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port,
          path: "/v1/chat/completions",
          method: "POST",
          rejectUnauthorized: false,
          headers: {
            host: `${proxiedHost}:${port}`,
            authorization: `Bearer ${gateway.token}`,
            "content-type": "application/json",
          },
        },
        resolve,
      );
      sent.on("error", reject);
      const messages = [{ role: "user", content: "Through the proxy" }];
      sent.end(JSON.stringify({ model: "openclaw", stream: true, messages }));
    });
    expect(answer.statusCode).toBe(200);
    let text = "";
    answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await expect.poll(() => text, { timeout: 8_000 }).toContain("First words.");
    seen.open();
    await expect.poll(() => text, { timeout: 8_000 }).toContain("[DONE]");
    expect(text).toContain("Last words.");
  });

  test("behind nginx a gateway that is away is waited for, and found again", async () => {
    const { page } = visit;
    await gateway.host.stop();
    await page.locator('.connection[data-phase="restarting"]').first().waitFor({ state: "attached" });
    const other = await visit.context.newPage();
    expect((await other.goto(`${origin}/openclaw/`))?.status()).toBe(502);
    await other.close();
    const next = await openGateway({ home: gateway.home, flags: { port: gateway.port } });
    try {
      await retryNow(page);
    } finally {
      await next.stop();
    }
  });
}
