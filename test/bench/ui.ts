/** The Control UI in a real browser on loopback: first paint, chat ready, and a long history being scrolled. A second context
 *  visits a page of one word from the same gateway's port: what browser and machine cost alone. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { browser, closeBrowser } from "../e2e/browser.ts";
import { median, type Row } from "./measure.ts";
import { createHome, startGateway, token } from "./processes.ts";
import { Wire } from "./wire.ts";

const sessionKey = "agent:main:bench";
const long = 5_000;

/** Notes the moment at which the page is connected and shows the conversation. */
const noteReady = `new MutationObserver((_, self) => {
  if (!document.querySelector('.connection[data-phase="connected"]') || !document.querySelector(".empty, .message-row")) return;
  self.disconnect();
  globalThis.readyAt = performance.now();
}).observe(document, { childList: true, subtree: true, attributes: true });`;

const paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime";

export async function ui({ quick }: { quick: boolean }): Promise<Row[]> {
  const home = createHome();
  const gateway = await startGateway(home);
  const wire = await Wire.connect(gateway.url, token);
  const plain = createServer((_request, response) => response.setHeader("content-type", "text/html").end("<p>word"));
  await new Promise<void>((resolve) => void plain.listen(0, "127.0.0.1", resolve));
  const word = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/`;
  const page = `${gateway.url.replace(/^ws/, "http")}/chat#token=${token}`;
  try {
    const visits: { paint: number; ready: number; word: number }[] = [];
    for (let round = 0; round < (quick ? 3 : 9); round++)
      visits.push({ ...(await visit(page)), word: (await visit(word)).paint });
    // A session has to exist before something is put into it.
    await wire.call("sessions.patch", { key: sessionKey, label: "bench" });
    for (let from = 0; from < long; from += 250)
      await Promise.all(
        Array.from({ length: 250 }, (_, index) =>
          wire.call("chat.inject", { sessionKey, message: `note ${from + index} ${"text ".repeat(index % 40)}` }),
        ),
      );
    const longest = await scroll(page.replace("/chat#", `/chat/${sessionKey}#`));
    const of = (key: "paint" | "ready" | "word") => median(visits.map((one) => one[key]));
    const row = (metric: string, value: number, limit: number, floor?: number): Row => ({
      metric,
      gateway: value,
      ...(floor === undefined ? {} : { floor }),
      unit: "ms",
      budget: { text: `≤ ${limit} ms`, met: value <= limit },
    });
    return [
      row("Control UI, first contentful paint", of("paint"), 300, of("word")),
      row("Control UI, chat ready", of("ready"), 700),
      row(`longest task while ${long} messages are scrolled`, longest, 100),
    ];
  } finally {
    await wire.close();
    await closeBrowser();
    plain.close();
    await gateway.stop();
    home.remove();
  }
}

async function visit(url: string): Promise<{ paint: number; ready: number }> {
  const context = await (await browser()).newContext();
  try {
    const page = await context.newPage();
    await page.addInitScript({ content: noteReady });
    await page.goto(url);
    return {
      paint: await known(page, paint),
      ready: url.includes("/chat") ? await known(page, "globalThis.readyAt") : 0,
    };
  } finally {
    await context.close();
  }
}

/** The value of an expression once it has one. The page's policy forbids to wait inside of it. */
async function known(page: Page, expression: string): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const value = await page.evaluate<number | undefined>(expression);
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`the page never knew ${expression}`);
}

/** From the end to the first message, page by page; the longest time the page did not answer. */
async function scroll(url: string): Promise<number> {
  const context = await (await browser()).newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    await page.goto(url);
    const log = page.getByRole("log");
    await log.getByText(`note ${long - 1}`).waitFor();
    await page.evaluate(
      "globalThis.longest = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) longest = Math.max(longest, entry.duration); }).observe({ type: 'longtask' });" +
        "setInterval(() => { document.querySelector('[role=log]').scrollTop = 0; }, 30)",
    );
    await log.getByText(/^note 0$/).waitFor();
    return await page.evaluate<number>("globalThis.longest");
  } finally {
    await context.close();
  }
}
