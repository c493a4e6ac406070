/** What everybody must be able to use and nobody pays for: accessibility, keyboard, small windows, weight. control-ui.md §14
 *  and §17, cases 34, 35 and 40. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findings } from "./axe.ts";
import { connected, enter, openVisit, type Visit } from "./browser.ts";
import { openScene, type Scene } from "./scene.ts";

const built = join(import.meta.dirname, "../../packages/gateway/dist/ui");

export function careCases(): void {
  let scene: Scene;
  let visit: Visit;
  let page: Page;
  beforeAll(async () => {
    scene = await openScene();
    visit = await openVisit(scene.gateway.httpUrl);
    page = visit.page;
    await enter(visit, scene.gateway.httpUrl);
    await page.getByRole("log").getByText("Nothing needs to be done").waitFor();
  });
  afterAll(async () => {
    await visit.close();
    await scene.close();
  });

  const message = () => page.getByLabel("Message", { exact: true });

  test("axe finds nothing serious in the chat, in light and dark, at three widths, and with everything open [35]", async () => {
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [360, 1920, 1024]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await findings(page), `${width} px in ${colorScheme}`).toEqual([]);
      }
    }
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.locator(".tool .tool-line").first().click();
    await page.locator(".tool-body").waitFor();
    await message().fill("/");
    await page.locator(".command-menu").waitFor();
    expect(await findings(page)).toEqual([]);
    await message().fill("");
    await page.locator(".tool .tool-line").first().click();
    await page.locator(".session-button").click();
    expect(await findings(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    expect(await findings(page)).toEqual([]);
    await page.keyboard.press("Escape");
  });

  test("axe finds nothing serious at the entrance; both themes have the contrast [35]", async () => {
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await findings(page, ["color-contrast"])).toEqual([]);
    await page.emulateMedia({ colorScheme: "light" });
    const stranger = await openVisit(scene.gateway.httpUrl);
    await stranger.page.goto(`${scene.gateway.httpUrl}/chat`);
    await stranger.page.getByRole("heading", { name: "The gateway asks for its token" }).waitFor();
    expect(await findings(stranger.page)).toEqual([]);
    await stranger.page.emulateMedia({ colorScheme: "dark" });
    expect(await findings(stranger.page, ["color-contrast"])).toEqual([]);
    await stranger.close();
  });

  test("at 320 pixels nothing is wider than the window, the composer is seen above a keyboard, and the drawer opens and closes [34]", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    const tooWide =
      "document.documentElement.scrollWidth > innerWidth || document.querySelector('main').scrollWidth > innerWidth";
    expect(await page.evaluate(tooWide)).toBe(false);
    const bottom = async () => {
      const box = await message().boundingBox();
      return (box?.y ?? Number.NaN) + (box?.height ?? 0);
    };
    expect(await bottom()).toBeLessThanOrEqual(640);
    // What is left of a small phone once its keyboard is up.
    await page.setViewportSize({ width: 320, height: 260 });
    await message().fill("written\non\na\nphone");
    expect(await bottom()).toBeLessThanOrEqual(260);
    const fontSize = "parseFloat(getComputedStyle(document.querySelector('.composer textarea')).fontSize)";
    expect(await page.evaluate<number>(fontSize)).toBeGreaterThanOrEqual(16);
    await message().fill("");
    await page.setViewportSize({ width: 320, height: 640 });
    await page.getByRole("button", { name: "Navigation", exact: true }).click();
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Chat" }).click();
    await page.getByRole("button", { name: "Close the navigation" }).waitFor({ state: "detached" });
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test("every control is reached by Tab, has a name and shows its focus; Esc leads back [35]", async () => {
    await page.locator(".skip").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Shift+Tab");
    const seen: string[] = [];
    for (let steps = 0; steps < 40; steps++) {
      const focus = await page.evaluate<{ name: string; outlined: boolean }>(
        "(() => { const e = document.activeElement; const s = getComputedStyle(e); const box = getComputedStyle(e.closest('.composer-box') ?? e);" +
          "return { name: e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent?.trim() || e.title || ''," +
          " outlined: s.outlineStyle !== 'none' || box.boxShadow !== 'none' || e === document.body }; })()",
      );
      expect(focus.outlined, `focus is visible on ${focus.name}`).toBe(true);
      expect(focus.name).not.toBe("");
      seen.push(focus.name);
      if (focus.name === "Message") break;
      await page.keyboard.press("Tab");
    }
    expect(seen[0]).toBe("Skip to content");
    for (const name of [
      "Chat",
      "Keyboard shortcuts",
      "Model",
      "Thinking level",
      "New conversation",
      "Session",
      "Messages",
      "Message",
    ])
      expect(seen).toContain(name);
    const session = page.getByRole("button", { name: "Session", exact: true });
    await session.focus();
    await page.keyboard.press("Enter");
    await page.locator("[role=menuitem]:focus", { hasText: "Rename" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.locator("[role=menuitem]:focus", { hasText: "Hide thinking" }).waitFor();
    await page.keyboard.press("Escape");
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe("Session");
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe("Session");
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("Send the message").waitFor();
    await page.keyboard.press("Escape");
  });

  test("the theme follows the system until one is chosen, which then stays, from the first paint on", async () => {
    const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    await page.emulateMedia({ colorScheme: "light" });
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.getByRole("button", { name: /^Theme: system/ }).click();
    expect(await background()).toBe(light);
    await page.reload();
    await connected(page);
    expect(await background()).toBe(light);
    await page.getByRole("button", { name: /^Theme: light/ }).click();
    await page.getByRole("button", { name: /^Theme: dark/ }).click();
    await page.emulateMedia({ colorScheme: "light" });
  });

  test("words are announced once per reply, not per delta", async () => {
    await page.evaluate(
      "globalThis.said = []; new MutationObserver(() => said.push(document.querySelector('.sr-only[aria-live]').textContent.trim()))" +
        ".observe(document.querySelector('.sr-only[aria-live]'), { childList: true, characterData: true, subtree: true })",
    );
    await page.getByLabel("Message", { exact: true }).fill("anything");
    await page.getByLabel("Message", { exact: true }).press("Enter");
    await page.getByRole("log").getByText("What should I begin with?").waitFor();
    await expect.poll(() => page.evaluate("said")).toEqual(["Replying.", "Reply complete."]);
  });

  test("nothing broke a policy, nothing left the origin [40]", () => {
    expect(visit.complaints).toEqual([]);
    expect(visit.strays).toEqual([]);
  });

  test("the first load weighs at most 220 KB, compressed", () => {
    const index = readFileSync(join(built, "index.html"), "utf8");
    const named = [...index.matchAll(/assets\/([\w.-]+)/g)].map(([, name = ""]) => name);
    const entry = readFileSync(join(built, "assets", named.find((name) => name.endsWith(".js")) ?? ""), "utf8");
    const chat = readdirSync(join(built, "assets")).filter(
      (name) => /^chat-view-.*\.js$/.test(name) && entry.includes(name),
    );
    expect(chat).toHaveLength(1);
    const bytes = [...named, ...chat].map((name) => readFileSync(join(built, "assets", `${name}.gz`)).length);
    expect(bytes.reduce((sum, size) => sum + size, index.length)).toBeLessThanOrEqual(220 * 1024);
  });
}
