/** `node --conditions=openclaw-source scripts/screenshots.ts <folder> [view…]`: pictures of the built app against a scripted
 *  gateway: every view in both themes and three widths, and every state of the connection. Those in docs/images are chosen from
 *  them by hand. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { closeBrowser, connected, openVisit, type Visit } from "../test/e2e/browser.ts";
import { forwardTo } from "../test/e2e/forward.ts";
import { openScene, type Scene } from "../test/e2e/scene.ts";
import { openGateway } from "../test/support/gateway.ts";
import { root } from "./root.ts";

const widths = [360, 1024, 1920] as const;
const themes = ["light", "dark"] as const;
const [folder = "screenshots", ...only] = process.argv.slice(2);
const wanted = (name: string): boolean => only.length === 0 || only.includes(name);

/** The catalogue itself can be read by a bundler only: it names components. */
const catalogue = readFileSync(join(root, "apps/control-ui/src/views/catalogue.ts"), "utf8");
const paths = [...catalogue.matchAll(/path: "(\/[a-z]+)"/g)].map(([, path = ""]) => path);

mkdirSync(folder, { recursive: true });
const scene = await openScene();
try {
  for (const theme of themes) {
    const visit = await openVisit(scene.gateway.httpUrl, { colorScheme: theme });
    await views(visit, scene, theme);
    await visit.close();
  }
  if (wanted("states")) await states(scene);
} finally {
  await closeBrowser();
  await scene.close();
}

async function views({ page }: Visit, { gateway }: Scene, theme: string): Promise<void> {
  await page.goto(`${gateway.httpUrl}/chat#token=${gateway.token}`);
  await connected(page);
  for (const path of paths.filter((candidate) => wanted(candidate.slice(1)))) {
    await page.goto(`${gateway.httpUrl}${path}`);
    await connected(page);
    for (const width of widths) await shoot(page, `${path.slice(1)}-${theme}-${width}`, width);
  }
}

/** What a person sees while there is no connection. */
async function states({ gateway }: Scene): Promise<void> {
  await using(gateway.httpUrl, async (page) => {
    await page.goto(`${gateway.httpUrl}/chat`);
    await page.getByRole("heading", { name: /asks for its token/ }).waitFor();
    await both(page, "state-token-missing");
    await page.getByLabel("Gateway token").fill("wrong");
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByRole("heading", { name: /not the gateway's token/ }).waitFor();
    await both(page, "state-token-wrong");
  });
  const proxied = await openGateway({ config: { gateway: { trustedProxies: ["127.0.0.1"] } } });
  const proxy = await forwardTo(proxied.port, { "X-Forwarded-For": "203.0.113.7" });
  await using(proxy.url, async (page) => {
    await page.goto(`${proxy.url}/chat#token=${proxied.token}`);
    await page.getByRole("heading", { name: /new to the gateway/ }).waitFor();
    await both(page, "state-pairing");
  });
  await proxy.close();
  await proxied.stop();
  const forward = await forwardTo(gateway.port);
  await using(forward.url, async (page) => {
    await page.goto(`${forward.url}/chat#token=${gateway.token}`);
    await connected(page);
    await page.getByText("Nothing needs to be done").waitFor();
    await forward.close();
    await page.getByText(/^No gateway at/).waitFor();
    await both(page, "state-offline");
  });
  const stopping = await openGateway();
  await using(stopping.httpUrl, async (page) => {
    await page.goto(`${stopping.httpUrl}/chat#token=${stopping.token}`);
    await connected(page);
    await stopping.stop();
    await page.getByText(/The gateway is (stopping|restarting)/).waitFor();
    await both(page, "state-restarting");
  });
}

async function using(origin: string, body: (page: Page) => Promise<void>): Promise<void> {
  const visit = await openVisit(origin);
  await body(visit.page);
  await visit.close();
}

async function both(page: Page, name: string): Promise<void> {
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme });
    await shoot(page, `${name}-${theme}`, 1024);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

async function shoot(page: Page, name: string, width: number): Promise<void> {
  await page.setViewportSize({ width, height: width < 760 ? 740 : 900 });
  await page.waitForLoadState("networkidle");
  // Highlighting and layout settle within two frames after the last answer.
  await page.evaluate(() => new Promise((done) => setTimeout(done, 350)));
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
