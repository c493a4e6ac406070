/** `node --conditions=openclaw-source scripts/screenshots.ts <folder> [view…]`: pictures of the built app against a scripted
 *  gateway, every view in both themes and three widths. Those in docs/images are chosen from them by hand. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { closeBrowser, connected, openVisit } from "../test/e2e/browser.ts";
import { openScene } from "../test/e2e/scene.ts";

const widths = [360, 1024, 1920] as const;
/** Of the catalogue of views, which only a bundler can read. */
const views = ["/chat"];
const [folder = "screenshots", ...only] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const scene = await openScene();
try {
  for (const colorScheme of ["light", "dark"] as const) {
    const visit = await openVisit(scene.gateway.httpUrl, { colorScheme });
    await visit.page.goto(`${scene.gateway.httpUrl}/chat#token=${scene.gateway.token}`);
    await connected(visit.page);
    for (const path of views.filter((view) => only.length === 0 || only.includes(view.slice(1)))) {
      await visit.page.goto(`${scene.gateway.httpUrl}${path}`);
      await connected(visit.page);
      for (const width of widths) await shoot(visit.page, path, width, colorScheme);
    }
    await visit.close();
  }
} finally {
  await closeBrowser();
  await scene.close();
}

async function shoot(page: Page, path: string, width: number, theme: string): Promise<void> {
  await page.setViewportSize({ width, height: width < 760 ? 740 : 900 });
  await page.waitForLoadState("networkidle");
  // Highlighting and layout settle within two frames after the last answer.
  await page.evaluate(() => new Promise((done) => setTimeout(done, 350)));
  await page.screenshot({ path: join(folder, `${path.slice(1)}-${theme}-${width}.png`) });
}
