/** Sessions, devices, instances, logs, debug: control-ui.md §7-9, §11 and §17, cases 21, 23, 24, 27, 30, 31. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeDevice } from "../support/wire.ts";
import { enter, openVisit, type Visit } from "./browser.ts";
import { openViewsScene, type ViewsScene } from "./views-scene.ts";

export function operateViewCases(): void {
  let scene: ViewsScene;
  let visit: Visit;
  let page: Page;
  beforeAll(async () => {
    scene = await openViewsScene();
    visit = await openVisit(scene.gateway.httpUrl);
    page = visit.page;
    await enter(visit, scene.gateway.httpUrl, "/sessions");
  });
  afterAll(async () => {
    await visit.close();
    await scene.close();
  });
  const go = (name: string) => page.getByRole("link", { name, exact: true }).first().click();
  const session = (name: string) => page.getByRole("row", { name });
  const act = async (name: string, action: string) => {
    await page.getByRole("button", { name: `Actions for ${name}` }).click();
    await page.getByRole("menuitem", { name: action }).click();
  };

  test("sessions are found by a part of their name", async () => {
    await session("Garden").waitFor();
    await page.getByLabel("Search sessions").fill("gard");
    await page.getByText("1 of 3 sessions").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("3 sessions", { exact: true }).waitFor();
  });

  test("a label and a level are changed, and given back to the default [24]", async () => {
    await act("Garden", "Change…");
    const dialog = page.getByRole("dialog", { name: "Change Garden" });
    await dialog.getByLabel("Label").fill("Vegetables");
    await dialog.getByLabel("Thinking").selectOption("low");
    await dialog.getByRole("button", { name: "Save" }).click();
    await session("Vegetables").getByText("thinking low").waitFor();
    await act("Vegetables", "Change…");
    await page.getByLabel("Thinking").selectOption("");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("thinking low").waitFor({ state: "detached" });
    const label = async () =>
      (await scene.wire.call<{ sessions: { key: string; label?: string }[] }>("sessions.list", {})).sessions.find(
        ({ key }) => key === "agent:main:garden",
      )?.label;
    expect(await label()).toBe("Vegetables");
    await act("Vegetables", "Change…");
    await page.getByLabel("Label").fill("");
    await page.getByRole("button", { name: "Save" }).click();
    await session("Vegetables").waitFor({ state: "detached" });
    expect(await label()).toBeUndefined();
    await scene.wire.call("sessions.patch", { key: "agent:main:garden", label: "Vegetables" });
    await page.reload();
  });

  test("deleting asks with the key and takes the session away; the main session cannot be deleted [24]", async () => {
    await page.getByRole("button", { name: "Actions for Main session" }).click();
    expect(await page.getByRole("menuitem", { name: "Delete…" }).isDisabled()).toBe(true);
    await page.keyboard.press("Escape");
    await act("Vegetables", "Delete…");
    const dialog = page.getByRole("dialog", { name: "Delete Vegetables?" });
    await dialog.getByText("agent:main:garden").waitFor();
    await dialog.getByRole("button", { name: "Delete session" }).click();
    await session("Vegetables").waitFor({ state: "detached" });
  });

  test("a name that looks like markup is shown as text [21]", async () => {
    await scene.wire.call("sessions.patch", { key: "agent:main:planning", label: "<img src=x onerror=alert(1)>" });
    await page.reload();
    await page.getByRole("link", { name: "<img src=x onerror=alert(1)>" }).waitFor();
    expect(await page.locator("main img").count()).toBe(0);
  });

  test("who comes and goes is seen without a reload [23]", async () => {
    await go("Instances");
    await page.getByText("this tab").waitFor();
    const guest = await scene.gateway.connect({
      client: { id: "openclaw-macos", mode: "ui", displayName: "Kitchen Mac" },
      scopes: ["operator.read"],
    });
    await page.getByRole("heading", { name: "Kitchen Mac" }).waitFor();
    await guest.close();
    await page.getByText("left", { exact: true }).waitFor();
  });

  test("a device that asks is approved here, gets a new token shown once, and is forgotten [27]", async () => {
    await go("Nodes & devices");
    await page.getByText("this browser").waitFor();
    const device = makeDevice();
    const ask = () =>
      scene.gateway.connect(
        {
          device,
          scopes: ["operator.read"],
          max: 4,
          client: { id: "openclaw-macos", mode: "ui", displayName: "Visitor" },
        },
        { headers: { "X-Forwarded-For": "203.0.113.9" } },
      );
    await expect(ask()).rejects.toThrow(/pairing/i);
    const waiting = page.getByRole("article", { name: "Visitor" });
    await waiting.getByText("203.0.113.9").waitFor();
    await waiting.getByRole("button", { name: "Approve" }).click();
    await page.getByText("Visitor was let in.").waitFor();
    await (await ask()).close();
    await act("Visitor", "New token as operator…");
    await page.getByRole("button", { name: "Make a new token" }).click();
    const shown = page.getByRole("dialog", { name: "The new token" });
    expect((await shown.locator("code").textContent())?.length).toBeGreaterThan(20);
    await shown.getByRole("button", { name: "Done" }).click();
    await act("Visitor", "Forget the device…");
    await page.getByRole("button", { name: "Forget device" }).click();
    await page.getByRole("heading", { name: "Visitor", exact: true }).waitFor({ state: "detached" });
  });

  test("the own device is told apart, and its own end is asked about first [27]", async () => {
    const other = await openVisit(scene.gateway.httpUrl);
    try {
      await enter(other, scene.gateway.httpUrl, "/nodes");
      const own = other.page.locator(".device", { hasText: "this browser" });
      await own.getByRole("button", { name: /^Actions for/ }).click();
      await other.page.getByRole("menuitem", { name: "Forget the device…" }).click();
      await other.page.getByText("This is the browser you are using.").waitFor();
      await other.page.getByRole("button", { name: "Cancel" }).click();
    } finally {
      await other.close();
    }
  });

  test("the log is followed, filtered, and shown as text; colours are taken off [30]", async () => {
    await go("Logs");
    const log = page.getByRole("log", { name: "Log" });
    await log.getByText("connected conn=").first().waitFor();
    const { file } = (await scene.wire.call("logs.tail", { limit: 1 })) as { file: string };
    const line = (level: string, message: string) =>
      appendFileSync(
        file,
        `${JSON.stringify({ "0": '{"subsystem":"kitchen"}', "1": message, _meta: { logLevelName: level } })}\n`,
      );
    line("WARN", "\u001b[31mthe kettle\u001b[0m boils <b>over</b>");
    line("DEBUG", "the clock ticks");
    await log.getByText("the kettle boils <b>over</b>").waitFor();
    await page.getByRole("button", { name: "debug", exact: true }).click();
    await log.getByText("the clock ticks").waitFor({ state: "detached" });
    await page.getByLabel("Search the log").fill("KETTLE");
    await page.getByText(/^1 of \d+ lines/).waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    expect((await download).suggestedFilename()).toMatch(/^openclaw-.*\.log$/);
    const exported = readFileSync(await (await download).path(), "utf8");
    expect(exported.trim().split("\n")).toHaveLength(1);
    expect(exported).toContain("the kettle");
    await page.getByRole("button", { name: "Pause" }).click();
    line("WARN", "the kettle is cold");
    await page.getByText(/^Paused: read/).waitFor();
    expect(await log.getByText("the kettle is cold").count()).toBe(0);
    await page.getByRole("button", { name: "Follow" }).click();
    await log.getByText("the kettle is cold").waitFor();
  });

  test("scrolling up stops the following until the end is asked for; a new file takes the place of the old one [30]", async () => {
    const log = page.getByRole("log", { name: "Log" });
    await page.getByLabel("Search the log").fill("");
    const { file } = (await scene.wire.call("logs.tail", { limit: 1 })) as { file: string };
    const lines = (word: string, count: number) =>
      Array.from({ length: count }, (_, index) => `{"0":"${word} ${index}","_meta":{"logLevelName":"WARN"}}\n`).join(
        "",
      );
    appendFileSync(file, lines("drip", 200));
    await log.getByText("drip 199", { exact: true }).waitFor();
    const fromEnd = () => log.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight);
    await expect.poll(fromEnd).toBeLessThan(40);
    await log.evaluate((box) => {
      box.scrollTop -= 900;
    });
    await page.getByRole("button", { name: "To the end" }).waitFor();
    // The line at the upper edge: rows that come into sight are measured, which moves the count of pixels and not the text.
    const atTop = () =>
      log.evaluate((box) => {
        const { top } = box.getBoundingClientRect();
        const row = [...box.querySelectorAll(".log-row")].find((each) => each.getBoundingClientRect().bottom > top + 5);
        return row?.textContent;
      });
    let reading: string | null | undefined;
    await expect.poll(async () => reading === (reading = await atTop()), { interval: 100, timeout: 5_000 }).toBe(true);
    appendFileSync(file, lines("drop", 3));
    await log.getByText("drop 2", { exact: true }).waitFor({ state: "attached" });
    expect(await atTop()).toBe(reading);
    await page.getByRole("button", { name: "To the end" }).click();
    await expect.poll(fromEnd).toBeLessThan(40);
    writeFileSync(file, lines("fresh", 2));
    await log.getByText("fresh 1", { exact: true }).waitFor();
    expect(await log.getByText("drop 2", { exact: true }).count()).toBe(0);
  });

  test("any method is called; bad JSON and unknown methods are told [31]", async () => {
    await go("Debug");
    await page.getByLabel("Method").fill("sessions.list");
    await page.getByText("Sessions, latest first").waitFor();
    await page.getByText("activeMinutes", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Call", exact: true }).click();
    await page.getByLabel("Answer", { exact: true }).getByText("agent:main:main").waitFor();
    await page.getByLabel("Parameters").fill("{ limit");
    await page.getByText(/^Not JSON/).waitFor();
    expect(await page.getByRole("button", { name: "Call", exact: true }).isDisabled()).toBe(true);
    await page.getByLabel("Parameters").fill("{}");
    await page.getByLabel("Method").fill("no.such");
    await page.getByRole("button", { name: "Call", exact: true }).click();
    await page.getByLabel("Answer", { exact: true }).getByText("unknown method").waitFor();
  });

  test("events are seen as they come, and paused", async () => {
    const events = page.locator(".events");
    await scene.wire.call("system-event", { text: "Node: lamp", host: "lamp" });
    await events.getByText("presence").first().waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await scene.wire.call("system-event", { text: "Node: lamp", host: "lamp", mode: "x" });
    await page.getByText(/came meanwhile and were not kept/).waitFor();
  });
}
