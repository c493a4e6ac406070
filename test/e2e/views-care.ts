/** Every view, as everybody must be able to use it: control-ui.md §14 and §17, cases 33, 34, 35, 40. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connected, enter, openVisit, type Visit } from "./browser.ts";
import { openViewsScene, type ViewsScene } from "./views-scene.ts";

const views = [
  "/overview",
  "/channels",
  "/sessions",
  "/instances",
  "/nodes",
  "/agents",
  "/skills",
  "/config",
  "/config?mode=raw",
  "/logs",
  "/debug",
];

/** Pixels by which something is wider than the window. */
const overhang = `(() => {
  const main = document.querySelector("main");
  return Math.max(document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth);
})()`;

export function viewCareCases(): void {
  let scene: ViewsScene;
  let visit: Visit;
  let page: Page;
  beforeAll(async () => {
    scene = await openViewsScene();
    visit = await openVisit(scene.gateway.httpUrl);
    page = visit.page;
    await enter(visit, scene.gateway.httpUrl);
  });
  afterAll(async () => {
    await visit.close();
    await scene.close();
  });
  /** Opens a view and waits until nothing is being loaded any more. */
  const open = async (path: string) => {
    await page.goto(`${scene.gateway.httpUrl}${path}`);
    await connected(page);
    await page.locator(".page").waitFor();
    await page.locator(".skeleton").first().waitFor({ state: "detached" });
  };
  const findings = async (rules?: string[]): Promise<string[]> => {
    const builder = new AxeBuilder({ page });
    if (rules) builder.withRules(rules);
    const { violations } = await builder.analyze();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  };

  test.each(views)(
    "%s: axe finds nothing serious, in light and dark, and nothing is wider than the window [34, 35]",
    async (path) => {
      await open(path);
      expect(await findings()).toEqual([]);
      await page.emulateMedia({ colorScheme: "dark" });
      expect(await findings(["color-contrast"])).toEqual([]);
      await page.emulateMedia({ colorScheme: "light" });
      for (const width of [320, 360, 1024, 1920]) {
        await page.setViewportSize({ width, height: 740 });
        expect(await page.evaluate(overhang), `${path} at ${width} px`).toBe(0);
      }
      await page.setViewportSize({ width: 1280, height: 800 });
    },
    40_000,
  );

  test("every view is reached from the navigation by keyboard, and Back returns", async () => {
    await open("/overview");
    const link = page.getByRole("link", { name: "Agents", exact: true });
    await link.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Agents", level: 1 }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  });

  test("what the gateway does not offer is hidden: a view, and a button within one [39]", async () => {
    const poor = await openVisit(scene.gateway.httpUrl);
    try {
      await poor.page.routeWebSocket(/^ws:/, (socket) => {
        const server = socket.connectToServer();
        server.onMessage((frame) => socket.send(String(frame).replace(/"(web\.login\.start|skills\.status)",/g, "")));
      });
      await enter(poor, scene.gateway.httpUrl, "/channels");
      await poor.page.getByRole("article", { name: "WhatsApp" }).waitFor();
      expect(await poor.page.getByRole("button", { name: "Link", exact: true }).count()).toBe(0);
      expect(await poor.page.getByRole("link", { name: "Agents", exact: true }).count()).toBe(1);
      expect(await poor.page.getByRole("link", { name: "Skills", exact: true }).count()).toBe(0);
    } finally {
      await poor.close();
    }
  });

  test("no view asked another origin for anything or broke the policy [40]", () => {
    expect(visit.strays).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });
}
