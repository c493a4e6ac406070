/** The Control UI in a real browser on loopback: first paint, chat ready, a long history being scrolled, and typing while a reply
 *  streams. A second context visits a page of one word: what browser and machine cost alone. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { browser, closeBrowser } from "../e2e/browser.ts";
import { tap } from "../e2e/tap.ts";
import { startFakeProvider } from "../support/fake-provider/index.ts";
import { median, quantile, type Row } from "./measure.ts";
import { createHome, startGateway, token } from "./processes.ts";
import { Wire } from "./wire.ts";

const sessionKey = "agent:main:bench";
const long = 5_000;
/** A task longer than this is felt. */
const feltMs = 100;
const chunksPerSecond = 200;
/** The page draws ten times a second, so that what is read from it lags behind what was sent. */
const sentPerSecond = 250;
/** One key after another, as a fast typist does it. */
const betweenKeysMs = 12;
const typed = "the quick brown fox jumps over the lazy dog, ".repeat(6);

/** Notes the moment at which the page is connected and shows the conversation. */
const noteReady = `new MutationObserver((_, self) => {
  if (!document.querySelector('.connection[data-phase="connected"]') || !document.querySelector(".empty, .message-row")) return;
  self.disconnect();
  globalThis.readyAt = performance.now();
}).observe(document, { childList: true, subtree: true, attributes: true });`;

const paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime";

export async function ui({ quick }: { quick: boolean }): Promise<Row[]> {
  // The model says one word and no more: what streams is put on the wire to the page, at a pace that nothing else decides.
  const provider = await startFakeProvider({ script: [["begun", { hang: true }]] });
  const models = {
    providers: {
      bench: {
        baseUrl: provider.baseUrl("openai-completions"),
        apiKey: "none",
        api: "openai-completions",
        models: [{ id: "fake" }],
      },
    },
  };
  const home = createHome({ models, agents: { defaults: { skipBootstrap: true, model: { primary: "bench/fake" } } } });
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
    const scrolled = await scroll(page.replace("/chat#", `/chat/${sessionKey}#`));
    const typing = await type(page.replace("/chat#", "/chat/agent:main:typing#"));
    const of = (key: "paint" | "ready" | "word") => median(visits.map((one) => one[key]));
    const none = (metric: string, value: number): Row => ({
      metric,
      gateway: value,
      unit: "",
      budget: { text: "none", met: value === 0 },
    });
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
      row(`longest task while ${long} messages are scrolled`, scrolled.longest, feltMs),
      none(`tasks over ${feltMs} ms while ${long} messages are scrolled`, scrolled.felt),
      {
        metric: "chunks of a reply that streams while somebody types",
        gateway: typing.chunksPerSecond,
        unit: "/s",
        budget: { text: `≥ ${chunksPerSecond} /s`, met: typing.chunksPerSecond >= chunksPerSecond },
      },
      none(`keys lost of ${typed.length} typed meanwhile`, typing.lost),
      row("key to the frame that shows it, meanwhile, 99 of 100", quantile(typing.delays, 0.99), feltMs),
      none(`tasks over ${feltMs} ms meanwhile`, typing.felt),
    ];
  } finally {
    await wire.close();
    await closeBrowser();
    plain.close();
    await gateway.stop();
    await provider.close();
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

/** Notes every long task from here on. */
const noteTasks =
  "globalThis.tasks = []; new PerformanceObserver((list) => { for (const entry of list.getEntries()) tasks.push(entry.duration); }).observe({ type: 'longtask' });";

async function tasks(page: Page): Promise<{ longest: number; felt: number }> {
  const all = await page.evaluate<number[]>("globalThis.tasks");
  return { longest: Math.max(0, ...all), felt: all.filter((ms) => ms > feltMs).length };
}

/** From the end to the first message, page by page: the times the page did not answer. */
async function scroll(url: string): Promise<{ longest: number; felt: number }> {
  const context = await (await browser()).newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    await page.goto(url);
    const log = page.getByRole("log");
    await log.getByText(`note ${long - 1}`).waitFor();
    await page.evaluate(noteTasks);
    await page.evaluate("setInterval(() => { document.querySelector('[role=log]').scrollTop = 0; }, 30)");
    await log.getByText(/^note 0$/).waitFor();
    return await tasks(page);
  } finally {
    await context.close();
  }
}

interface Typing {
  chunksPerSecond: number;
  lost: number;
  /** ms from each key to the next frame. */
  delays: number[];
  felt: number;
}

/** Types into the composer while a reply streams to the page, every chunk an event with the whole text so far. */
async function type(url: string): Promise<Typing> {
  const context = await (await browser()).newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    const wire = await tap(page);
    await page.goto(url);
    const message = page.getByLabel("Message", { exact: true });
    await message.fill("Go on");
    await message.press("Enter");
    const log = page.getByRole("log");
    await log.getByText("begun").waitFor();
    const sent = wire.asked.find(({ method }) => method === "chat.send")?.params;
    const about = { runId: sent?.idempotencyKey, sessionKey: sent?.sessionKey, state: "delta" };
    let text = "begun";
    let chunks = 0;
    const startedAt = performance.now();
    // Timers are late on a busy machine; what is due is sent together.
    const stream = setInterval(() => {
      for (const due = ((performance.now() - startedAt) * sentPerSecond) / 1_000; chunks < due; chunks++) {
        text += ` word${chunks}`;
        const said = { role: "assistant", content: [{ type: "text", text }], timestamp: 1 };
        wire.push({ event: "chat", payload: { ...about, seq: chunks, message: said } });
      }
    }, 5);
    try {
      await log.getByText("word50 ").waitFor();
      await page.evaluate(
        `${noteTasks} globalThis.delays = []; document.querySelector("textarea").addEventListener("keydown", (event) =>
           requestAnimationFrame(() => delays.push(performance.now() - event.timeStamp)))`,
      );
      const words = () =>
        page.evaluate<number>(
          "Number(document.querySelector('[role=log]').textContent.match(/word[0-9]+/g).at(-1).slice(4))",
        );
      const [from, began] = [await words(), performance.now()];
      await message.pressSequentially(typed, { delay: betweenKeysMs });
      const [to, ended] = [await words(), performance.now()];
      const value = await message.inputValue();
      return {
        chunksPerSecond: ((to - from) / (ended - began)) * 1_000,
        lost: [...typed].filter((letter, at) => value[at] !== letter).length,
        delays: await page.evaluate<number[]>("globalThis.delays"),
        felt: (await tasks(page)).felt,
      };
    } finally {
      clearInterval(stream);
    }
  } finally {
    await context.close();
  }
}
