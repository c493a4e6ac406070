/** One real Chromium for all cases, and pages that tell what they requested and what they complained about. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from "playwright-core";
import { token } from "../support/process.ts";

/** The path of the installed browser; undefined where there is none. Without one `npm test` says what it skipped, and CI fails. */
export function browserPath(): string | undefined {
  // The first is the engine without windows and menus, which nobody sees here, and takes half the time.
  const names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const folders = (process.env.PATH ?? "").split(delimiter);
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        continue; // Not in this folder.
      }
    }
  }
  return undefined;
}

/** For the names of cases. */
export const needsBrowser = "needs Chromium: apt-get install -y --no-install-recommends chromium-headless-shell";

/** The name of the guide for reverse proxies; here it leads to loopback. */
export const proxiedHost = "gateway.example.org";

let running: Promise<Browser> | undefined;

export function browser(): Promise<Browser> {
  const executablePath = browserPath();
  if (executablePath === undefined) throw new Error(`No browser found on PATH; it ${needsBrowser}`);
  running ??= chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      `--host-resolver-rules=MAP box.test 127.0.0.1, MAP ${proxiedHost} 127.0.0.1`,
    ],
  });
  return running;
}

export async function closeBrowser(): Promise<void> {
  const open = running;
  running = undefined;
  await (await open)?.close();
}

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Requests that went anywhere but to the page's own origin. */
  readonly strays: string[];
  /** Errors and policy violations the page reported. Failed sockets are left out: some cases want them. */
  readonly complaints: string[];
  close(): Promise<void>;
}

/** A fresh profile. `given` may carry on with the storage of an earlier one. */
export async function openVisit(origin: string, given: BrowserContextOptions = {}): Promise<Visit> {
  const context = await (
    await browser()
  ).newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: "reduce",
    locale: "en-GB",
    ...given,
  });
  context.setDefaultTimeout(12_000);
  const page = await context.newPage();
  const strays: string[] = [];
  const complaints: string[] = [];
  const { host } = new URL(origin);
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (/^(https?|wss?):$/.test(url.protocol) && url.host !== host) strays.push(request.url());
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).host !== host) strays.push(socket.url());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/WebSocket connection|Failed to load resource/.test(message.text()))
      complaints.push(message.text());
  });
  return { page, context, strays, complaints, close: () => context.close() };
}

/** Opens the app with the token in the fragment and waits until it is connected. */
export async function enter(visit: Visit, httpUrl: string, path = "/chat"): Promise<void> {
  await visit.page.goto(`${httpUrl}${path}#token=${token}`);
  await connected(visit.page);
}

export const connected = (page: Page): Promise<void> =>
  page.locator('.connection[data-phase="connected"]').first().waitFor({ state: "attached" });

/** Presses "Retry now" and waits for the connection. The page may have come back by itself before it was pressed. */
export async function retryNow(page: Page): Promise<void> {
  const pressed = page.getByRole("button", { name: "Retry now" }).click({ timeout: 2_000 });
  await Promise.all([pressed.catch(() => undefined), connected(page)]);
}
