/** Overview and Channels: control-ui.md §5, §6 and §17, cases 22 and 39. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findings } from "./axe.ts";
import { enter, openVisit, type Visit } from "./browser.ts";
import { openViewsScene, stranger, type ViewsScene } from "./views-scene.ts";

export function channelViewCases(): void {
  let scene: ViewsScene;
  let visit: Visit;
  let page: Page;
  const sent: string[] = [];
  beforeAll(async () => {
    scene = await openViewsScene();
    visit = await openVisit(scene.gateway.httpUrl);
    page = visit.page;
    page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(String(payload))));
    await enter(visit, scene.gateway.httpUrl, "/overview");
  });
  afterAll(async () => {
    await visit.close();
    await scene.close();
  });
  const card = (name: string) => page.getByRole("article", { name });

  test("the overview names what needs a person, with the command that helps", async () => {
    const attention = page.getByRole("region", { name: "Needs attention" });
    await attention.getByRole("heading", { name: "WhatsApp is not connected" }).waitFor();
    await attention.getByText("openclaw channels login --channel whatsapp").waitFor();
    await attention.getByRole("heading", { name: "Telegram, account work is not connected" }).waitFor();
    await attention.getByText("Telegram does not know this bot token").waitFor();
  });

  test("the overview's figures are live, and say so in words", async () => {
    const figures = page.getByRole("region", { name: "Live figures" });
    await figures.getByRole("img", { name: /^Event loop: now [\d.]+ m?s, at most/ }).waitFor();
    await figures.getByRole("img", { name: /^Memory: now [\d.]+ [MG]B/ }).waitFor();
    await figures.getByRole("img", { name: /^Answers: now/ }).waitFor();
    await page.getByText("mock/mock-1").first().waitFor();
  });

  test("what brings the gateway up to date is told in its own words; nothing is changed", async () => {
    await page.getByRole("button", { name: "How to update" }).click();
    await page
      .locator("main")
      .getByText(/nothing was changed|not updated from here|is on disk/)
      .first()
      .waitFor();
  });

  test("linked, connected and receiving are told apart for each account", async () => {
    await page.getByRole("link", { name: "Channels", exact: true }).click();
    const good = card("Telegram, default");
    await good.locator("dd", { hasText: "Yes" }).nth(2).waitFor();
    const bad = card("Telegram, work");
    expect(await bad.locator("dd .status-text").allTextContents()).toEqual(["Yes", "No", "No"]);
    await bad.getByText("Get a valid token from @BotFather").waitFor();
    expect(await card("WhatsApp").locator("dd .status-text").first().textContent()).toBe("No, a person has to log in");
  });

  test("a stranger who wrote is approved with one press, and told so", async () => {
    scene.telegram.chats.add(stranger);
    scene.telegram.chats.message(scene.telegram.bot, stranger.id, { text: "hello" });
    await page.getByRole("button", { name: "Approve Ben" }).click();
    await page.getByText("Ben may write now").waitFor();
    await page.getByRole("heading", { name: "Waiting for your approval" }).waitFor({ state: "detached" });
    await expect.poll(() => scene.telegram.chats.sent.some(({ text }) => /approved|paired|may/i.test(text))).toBe(true);
  });

  test("a code is shown, scanned and gone; the account is linked without a reload [22]", async () => {
    await card("WhatsApp").getByRole("button", { name: "Link", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Link WhatsApp" });
    const picture = dialog.getByRole("img", { name: /Code to scan/ });
    await picture.waitFor();
    expect(await picture.getAttribute("src")).toMatch(/^data:image\/png;base64,/);
    await dialog.getByText(/This code is replaced/).waitFor();
    const { qrText } = (await scene.wire.call("web.login.start", {})) as { qrText: string };
    await scene.whatsapp.phone.scanQr(qrText);
    await dialog.getByRole("button", { name: "Done" }).waitFor();
    expect(await picture.count()).toBe(0);
    await dialog.getByRole("button", { name: "Done" }).click();
    await card("WhatsApp").locator("dd", { hasText: "Yes" }).nth(1).waitFor();
  });

  test("logging out asks first and names what is lost [22]", async () => {
    await card("WhatsApp").getByRole("button", { name: "Log out" }).click();
    const dialog = page.getByRole("dialog", { name: "Log out of WhatsApp?" });
    await dialog.getByText("until a phone scans a new code").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await card("WhatsApp").getByRole("button", { name: "Log out" }).click();
    await dialog.getByRole("button", { name: "Log out" }).click();
    await page.getByText("Logged out of WhatsApp.").waitFor();
    await card("WhatsApp").getByText("No, a person has to log in").waitFor();
  });

  test("eight characters to type on the phone link as well", async () => {
    await card("WhatsApp").getByRole("button", { name: "Link", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Link WhatsApp" });
    await dialog.getByText("Type a code").click();
    await dialog.getByLabel("Number of the phone").fill("+1 555 000 1000");
    await dialog.getByRole("button", { name: "Get a code" }).click();
    const shown = dialog.locator(".typed-code");
    await shown.waitFor();
    await scene.whatsapp.phone.enterPairingCode(((await shown.textContent()) ?? "").replace("-", ""));
    await dialog.getByRole("button", { name: "Done" }).click();
    await card("WhatsApp").locator("dd", { hasText: "Yes" }).nth(1).waitFor();
  });

  test("linking anew tells that the account is linked, and forces a new code only when it is asked to [22]", async () => {
    const forced = () =>
      sent.filter((text) => text.includes('"web.login.start"') && text.includes('"force":true')).length;
    const before = forced();
    await card("WhatsApp").getByRole("button", { name: "Link anew" }).click();
    const dialog = page.getByRole("dialog", { name: "Link WhatsApp" });
    await dialog.getByText(/already linked/).waitFor();
    expect(forced()).toBe(before);
    await dialog.getByRole("button", { name: "Link anew" }).click();
    await dialog.getByRole("img", { name: /Code to scan/ }).waitFor();
    expect(forced()).toBe(before + 1);
    const { qrText } = (await scene.wire.call("web.login.start", {})) as { qrText: string };
    await scene.whatsapp.phone.scanQr(qrText);
    await dialog.getByRole("button", { name: "Done" }).click();
    await card("WhatsApp").locator("dd", { hasText: "Yes" }).nth(1).waitFor();
  });

  test("what was read before the connection ended is not shown as live", async () => {
    await scene.gateway.host.stop();
    await page
      .getByText(/^Not live: read/)
      .first()
      .waitFor();
    expect(await card("WhatsApp").getByRole("button", { name: "Link anew" }).isDisabled()).toBe(true);
    expect(await findings(page)).toEqual([]);
    await page.getByRole("link", { name: "Overview", exact: true }).click();
    await page.getByText("nothing is known of now").waitFor();
  });
}
