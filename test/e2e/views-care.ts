/** Every view, as everybody must be able to use it: control-ui.md §14 and §17, cases 33, 34, 35, 39 and 40. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findings } from "./axe.ts";
import { connected, enter, openVisit, type Visit } from "./browser.ts";
import { openViewsScene, type ViewsScene } from "./views-scene.ts";

/** The catalogue itself can be read by a bundler only: it names components. */
const catalogue = readFileSync(join(import.meta.dirname, "../../apps/control-ui/src/views/catalogue.ts"), "utf8");
const paths = [...catalogue.matchAll(/path: "(\/[a-z]+)"/g)].map(([, path = ""]) => path);
/** Chat has cases of its own. */
const views = [...paths.filter((path) => path !== "/chat"), "/config?mode=raw"];

/** Pixels by which something is wider than the window. */
const overhang = `(() => {
  const main = document.querySelector("main");
  return Math.max(document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth);
})()`;

/** What has the focus: its name as it is spoken, whether it is seen, and a mark by which it is known again. */
const focused = `(() => {
  const element = document.activeElement;
  if (element === document.body) return { name: "", seen: true, place: "body" };
  const shape = (of) => {
    const { outlineStyle, outlineWidth, boxShadow, borderColor } = getComputedStyle(of);
    return { outline: outlineStyle !== "none" && outlineWidth !== "0px", boxShadow, borderColor };
  };
  const around = element.closest(".composer-box, .raw-frame, label, .search") ?? element;
  const seen = shape(element).outline || shape(around).outline || shape(element).boxShadow !== "none" || shape(around).boxShadow !== "none";
  const labelled = (element.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
  const name = element.getAttribute("aria-label") || labelled.trim() || element.labels?.[0]?.textContent || element.textContent?.trim() || element.title || "";
  const all = [...document.querySelectorAll("*")];
  return { name: name.slice(0, 80), seen, place: element.tagName + all.indexOf(element), inMain: element.closest("main") !== null };
})()`;

interface Focus {
  name: string;
  seen: boolean;
  place: string;
  inMain?: boolean;
}

/** What a person can act on in the view, as long as it is drawn and not switched off. */
const actable = `[...document.querySelectorAll("main :is(a[href], button, input, select, textarea, summary)")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled && element.tabIndex >= 0
    && !(element.type === "radio" && !element.checked) && !element.closest("details:not([open]) > :not(summary)")).length`;

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

  test.each(views)(
    "%s: axe finds nothing serious in light and dark at three widths, and nothing is wider than the window [34, 35]",
    async (path) => {
      await open(path);
      const themes = [
        [360, "light", "dark"],
        [1024, "dark", "light"],
        [1920, "light", "dark"],
      ] as const;
      for (const [width, whole, contrast] of themes) {
        await page.setViewportSize({ width, height: 740 });
        expect(await page.evaluate(overhang), `${path} at ${width} px`).toBe(0);
        await page.emulateMedia({ colorScheme: whole });
        expect(await findings(page), `${path} at ${width} px in ${whole}`).toEqual([]);
        // Themes differ in colours, and in nothing else.
        await page.emulateMedia({ colorScheme: contrast });
        expect(await findings(page, ["color-contrast"]), `${path} at ${width} px in ${contrast}`).toEqual([]);
      }
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 320, height: 740 });
      expect(await page.evaluate(overhang), `${path} at 320 px`).toBe(0);
      await page.setViewportSize({ width: 1280, height: 800 });
    },
    60_000,
  );

  test.each(views)(
    "%s: Tab alone reaches everything that can be acted on, each has a name and shows its focus [35]",
    async (path) => {
      await open(path);
      const expected = await page.evaluate<number>(actable);
      const reached = new Set<string>();
      await page.locator("#main").focus();
      // Polled views may draw a row anew; a few steps more than there are things is enough.
      for (let steps = 0; steps < expected + 30; steps++) {
        await page.keyboard.press("Tab");
        const focus = await page.evaluate<Focus>(focused);
        if (focus.inMain !== true) break;
        expect(focus.name, `a name for ${focus.place} after ${[...reached].at(-1)}`).not.toBe("");
        expect(focus.seen, `focus is visible on ${focus.name}`).toBe(true);
        reached.add(focus.place);
      }
      expect(reached.size).toBeGreaterThanOrEqual(expected);
      // And back out, to the navigation.
      for (let steps = 0; steps < expected + 60; steps++) {
        await page.keyboard.press("Shift+Tab");
        if ((await page.evaluate<Focus>(focused)).inMain !== true) return;
      }
      expect.unreachable(`${path} holds the focus`);
    },
    60_000,
  );

  test("every view is reached from the navigation by keyboard, and Back returns [35]", async () => {
    await open("/overview");
    const links = page.getByRole("navigation", { name: "Views" }).getByRole("link");
    const names = await links.allTextContents();
    expect(names.length).toBeGreaterThanOrEqual(paths.length - 1);
    for (const name of names) {
      const link = page.getByRole("link", { name: name.trim(), exact: true }).first();
      await link.focus();
      await page.keyboard.press("Enter");
      await expect.poll(() => link.getAttribute("aria-current")).toBe("page");
    }
    await open("/overview");
    await page.getByRole("link", { name: "Agents", exact: true }).focus();
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

  test("no view asked another origin for anything or broke the policy, which is sent and is heard of when broken [40]", async () => {
    for (const path of views) await open(path);
    expect(visit.strays).toEqual([]);
    expect(visit.complaints).toEqual([]);
    const answer = await page.goto(`${scene.gateway.httpUrl}/overview`);
    const policy = answer?.headers()["content-security-policy"] ?? "";
    for (const part of ["default-src 'self'", "base-uri 'none'", "object-src 'none'", "frame-ancestors 'none'"])
      expect(policy).toContain(part);
    expect(/script-src [^;]*/.exec(policy)?.[0]).not.toMatch(/unsafe|\*/);
    // The proof that silence means something.
    await page.evaluate(
      "(() => { const script = document.createElement('script'); script.textContent = 'globalThis.broken = 1'; document.head.append(script); })()",
    );
    await expect.poll(() => visit.complaints.join()).toMatch(/Content Security Policy/);
    expect(await page.evaluate("globalThis.broken")).toBeUndefined();
  });
}

/** Below a base path, as behind a proxy that has other pages too. */
export function basePathCases(): void {
  let scene: ViewsScene;
  let visit: Visit;
  beforeAll(async () => {
    scene = await openViewsScene({ controlUi: { basePath: "/openclaw" } });
    visit = await openVisit(scene.gateway.httpUrl);
    await enter(visit, scene.gateway.httpUrl, "/openclaw/chat");
  });
  afterAll(async () => {
    await visit.close();
    await scene.close();
  });

  test("below a base path every view opens by its address, survives a reload, and is found again by Back and Forward [33]", async () => {
    const { page } = visit;
    const title = () => page.locator("main h1").first().textContent();
    const origin = scene.gateway.httpUrl;
    const titles: string[] = [];
    for (const path of paths) {
      await page.goto(`${origin}/openclaw${path}`);
      await connected(page);
      await page.locator("main h1").first().waitFor();
      const before = await title();
      await page.reload();
      await connected(page);
      await expect.poll(title).toBe(before);
      expect(new URL(page.url()).pathname).toContain(`/openclaw${path}`);
      titles.push(before ?? "");
    }
    expect(new Set(titles).size).toBe(paths.length);
    for (const at of [paths.length - 2, paths.length - 3, paths.length - 2, paths.length - 1]) {
      if (new URL(page.url()).pathname.endsWith(paths[at + 1] ?? "nowhere")) await page.goBack();
      else await page.goForward();
      await expect.poll(title).toBe(titles[at]);
    }
    await page.goto(`${origin}/openclaw/NODES/`);
    await expect.poll(title).toBe(titles[paths.indexOf("/nodes")]);
    await page.goto(`${origin}/openclaw/no-such-view`);
    await connected(page);
    expect(new URL(page.url()).pathname).toMatch(/^\/openclaw\/chat/);
    expect(visit.strays).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });
}
