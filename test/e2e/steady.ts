/** Pages that stay: without storage, in several tabs, for days. control-ui.md §2.3, §14 and §17, cases 36, 37 and 38. */
import { appendFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import type { Wire } from "../support/wire.ts";
import { connected, enter, openVisit, type Visit } from "./browser.ts";
import { tap, type Tap } from "./tap.ts";

const megabyte = 1_048_576;

export function steadyCases(): void {
  let gateway: ScriptedGateway;
  let wire: Wire;
  let visit: Visit;
  beforeAll(async () => {
    gateway = await openScriptedGateway();
    gateway.script = () => ["Understood."];
    wire = await gateway.connect({ scopes: ["operator.admin"], max: 4 });
  });
  afterAll(async () => {
    await wire.close();
    await gateway.stop();
  });
  afterEach(async () => {
    const { complaints, strays } = visit;
    await visit.close();
    expect(complaints).toEqual([]);
    expect(strays).toEqual([]);
  });
  const message = (page: Page) => page.getByLabel("Message", { exact: true });
  /** Goes to a place inside the app as Back and Forward do. */
  const go = async (page: Page, path: string) => {
    await page.evaluate(`history.pushState(null, "", "${path}"); dispatchEvent(new PopStateEvent("popstate"))`);
    await page.locator("main h1").first().waitFor();
  };

  test("a browser that stores nothing keeps all in memory: secret, device, draft, theme, and what is on its way [36]", async () => {
    visit = await openVisit(gateway.httpUrl);
    const { page } = visit;
    const forbid = (name: string) =>
      `Object.defineProperty(window, "${name}", { get() { throw new DOMException("forbidden", "SecurityError"); } });`;
    await page.addInitScript({ content: forbid("localStorage") + forbid("sessionStorage") });
    const frames = await tap(page);
    await enter(visit, gateway.httpUrl, "/chat/agent:main:memory");
    await message(page).fill("kept in memory");
    for (const path of ["/sessions", "/overview", "/config", "/logs", "/nodes", "/chat/agent:main:memory"])
      await go(page, path);
    expect(await message(page).inputValue()).toBe("kept in memory");
    const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await background();
    await page.getByRole("button", { name: /^Theme: system/ }).click();
    await expect.poll(background).not.toBe(dark);
    const device = () =>
      frames.asked
        .filter(({ method }) => method === "connect")
        .map(({ params }) => (params.device as { id: string }).id);
    frames.cut();
    await expect.poll(() => device().length, { timeout: 8_000 }).toBe(2);
    await connected(page);
    expect(new Set(device()).size).toBe(1);
    await message(page).press("Enter");
    await page.getByRole("log").getByText("Understood.").waitFor();
    expect(await page.getByRole("log").getByText("kept in memory").count()).toBe(1);
  });

  test("two tabs at once: two instances of one device, the same conversation in both, and neither disturbs the other [37]", async () => {
    visit = await openVisit(gateway.httpUrl);
    const { page } = visit;
    await enter(visit, gateway.httpUrl, "/chat/agent:main:tabs");
    const tab = await visit.context.newPage();
    await tab.goto(`${gateway.httpUrl}/chat/agent:main:tabs`);
    await connected(tab);
    const instance = (one: Page) => one.evaluate(() => sessionStorage.getItem("openclaw.tab"));
    expect(await instance(page)).not.toBe(await instance(tab));
    const { paired } = await wire.call<{ paired: { clientId?: string }[] }>("device.pair.list", {});
    expect(paired.filter(({ clientId }) => clientId === "openclaw-control-ui")).toHaveLength(2);
    for (const [from, to, words] of [
      [page, tab, "from the first"],
      [tab, page, "from the second"],
    ] as const) {
      await message(to).fill(`draft while ${words}`);
      await message(from).fill(words);
      await message(from).press("Enter");
      for (const one of [page, tab]) {
        await one.getByRole("log").getByText(words, { exact: true }).waitFor();
        await one.getByRole("button", { name: "Send", exact: true }).waitFor();
      }
      expect(await message(to).inputValue()).toBe(`draft while ${words}`);
      for (const one of [page, tab])
        expect(await one.getByRole("log").getByText(words, { exact: true }).count()).toBe(1);
      await message(to).fill("");
    }
    await tab.close();
    await message(page).fill("alone again");
    await message(page).press("Enter");
    await page.getByRole("log").getByText("alone again").waitFor();
  });

  /** What a long day brings, in seconds: every view, 1,600 events, 2,000 log lines, eight lost connections, six sessions. */
  const day = async (page: Page, frames: Tap, number: number) => {
    const health = frames.said.findLast(({ payload }) => payload?.type === "hello-ok")?.payload?.snapshot as
      | { health: Record<string, unknown> }
      | undefined;
    const { file } = await wire.call<{ file: string }>("logs.tail", { limit: 1 });
    expect(file.startsWith(gateway.home.path)).toBe(true);
    let seq = number * 1_000_000;
    const push = (event: string, payload: Record<string, unknown>) => frames.push({ event, payload, seq: (seq += 1) });
    for (const path of ["/debug", "/instances", "/overview", "/channels", "/sessions", "/nodes", "/agents", "/logs"]) {
      await go(page, path);
      if (path === "/logs")
        appendFileSync(
          file,
          Array.from({ length: 2_000 }, (_, index) => `{"0":"day ${number} line ${index}"}\n`).join(""),
        );
      for (let index = 0; index < 50; index++) {
        push("tick", { ts: index });
        push("health", { ...health?.health, ts: index });
        push("no.such.event", { text: "x".repeat(500), index });
        const sessionKey = `agent:main:other-${number}-${index}`;
        const text = [{ type: "text", text: "y".repeat(500) }];
        push("chat", {
          runId: `${number}-${index}`,
          sessionKey,
          seq: 1,
          state: "final",
          message: { role: "assistant", content: text, timestamp: 1 },
        });
      }
      frames.cut();
      await page.evaluate("dispatchEvent(new Event('online'))");
      await connected(page);
    }
    for (let index = 0; index < 6; index++) {
      await go(page, `/chat/agent:main:day-${number}-${index}`);
      await message(page).fill("Hello there");
      await message(page).press("Enter");
      await page.getByRole("log").getByText("Understood.").waitFor();
    }
    await go(page, "/chat/agent:main:main");
    frames.asked.length = 0;
    frames.said.splice(0, frames.said.length - 200);
  };

  test("days of events, views, sessions, log lines and lost connections: memory, nodes and listeners stay where they were [38]", async () => {
    visit = await openVisit(gateway.httpUrl);
    const { page } = visit;
    const frames = await tap(page);
    await enter(visit, gateway.httpUrl);
    const tools = await visit.context.newCDPSession(page);
    await tools.send("HeapProfiler.enable");
    await tools.send("Performance.enable");
    const measure = async () => {
      for (let round = 0; round < 3; round++) await tools.send("HeapProfiler.collectGarbage");
      const { metrics } = await tools.send("Performance.getMetrics");
      const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
      return { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") };
    };
    const after: Awaited<ReturnType<typeof measure>>[] = [];
    for (let number = 1; number <= 3; number++) {
      await day(page, frames, number);
      after.push(await measure());
    }
    // The first day fills what is bounded; a leak is what grows again.
    const [, second, third] = after;
    if (!second || !third) throw new Error("three days were measured");
    expect(third.heap - second.heap, JSON.stringify(after)).toBeLessThan(1 * megabyte);
    expect(third.nodes - second.nodes, JSON.stringify(after)).toBeLessThan(200);
    expect(third.listeners - second.listeners, JSON.stringify(after)).toBeLessThan(30);
    expect(third.heap).toBeLessThan(30 * megabyte);
  }, 120_000);
}
