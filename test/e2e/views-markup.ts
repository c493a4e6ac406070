/** Names that look like markup, in every view that shows them: control-ui.md §17, case 21. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { makeDevice, type Wire } from "../support/wire.ts";
import { connected, enter, openVisit, type Visit } from "./browser.ts";

/** Each would leave a trace if it were taken for markup. */
const evil = (word: string) => `<b id=hit>${word}</b><img src=x onerror="globalThis.hit=1">`;
/** A session key may not hold a slash. */
const evilKey = "agent:main:<img src=x onerror=globalthis.hit=1>";

export function markupCases(): void {
  let gateway: ScriptedGateway;
  let wire: Wire;
  let node: Wire | undefined;
  let visit: Visit;
  let page: Page;
  beforeAll(async () => {
    gateway = await openScriptedGateway({
      config: {
        gateway: { trustedProxies: ["127.0.0.1"] },
        agents: { list: [{ id: "main", identity: { name: evil("agent") } }] },
      },
    });
    wire = await gateway.connect({ scopes: ["operator.admin"], max: 4 });
    gateway.script = () => [evil("reply")];
    const ended = wire.event("chat", ({ state }) => state === "final");
    await wire.call("chat.send", { sessionKey: evilKey, message: evil("question"), idempotencyKey: "1" });
    await ended;
    node = await gateway.connect({
      device: makeDevice(),
      role: "node",
      max: 4,
      client: { id: "node-host", mode: "node", displayName: evil("node"), platform: evil("platform") },
      caps: [evil("cap")],
      extra: { commands: ["system.run"] },
    });
    // Somebody who waits for approval.
    await gateway
      .connect(
        { device: makeDevice(), scopes: ["operator.read"], max: 4, client: { id: "cli", displayName: evil("guest") } },
        { headers: { "X-Forwarded-For": "203.0.113.44" } },
      )
      .catch(() => undefined);
    await wire.call("system-event", { text: evil("event"), host: evil("host") });
    visit = await openVisit(gateway.httpUrl);
    page = visit.page;
    await enter(visit, gateway.httpUrl, `/chat/${encodeURIComponent(evilKey)}`);
  });
  afterAll(async () => {
    await visit.close();
    await node?.close();
    await wire.close();
    await gateway.stop();
  });
  const untouched = async () => {
    expect(await page.evaluate("globalThis.hit")).toBeUndefined();
    expect(await page.locator("#hit, img[src=x]").count()).toBe(0);
  };
  const view = async (path: string) => {
    await page.goto(`${gateway.httpUrl}${path}`);
    await connected(page);
    await page.locator(".page").waitFor();
  };

  test("the names of an agent and a session, what was asked and answered, are text in the chat [21]", async () => {
    const log = page.getByRole("log");
    for (const word of ["agent", "question", "reply"]) await log.getByText(`<b id=hit>${word}</b>`).first().waitFor();
    await page.getByRole("heading", { name: "<img src=x" }).waitFor();
    await page.locator(".session-button").click();
    await page.getByRole("option", { name: "<img src=x" }).first().waitFor();
    await untouched();
  });

  test.each([
    ["/sessions", "<img src=x onerror=globalthis.hit=1>"],
    ["/instances", "<b id=hit>host</b>"],
    ["/nodes", "<b id=hit>node</b>"],
    ["/nodes", "<b id=hit>guest</b>"],
    ["/agents", "<b id=hit>agent</b>"],
    ["/overview", "<b id=hit>question</b>"],
  ])("%s: the name %s is text [21]", async (path, name) => {
    await view(path);
    await page.locator("main").getByText(name).first().waitFor();
    await untouched();
    expect(visit.strays).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });
}
