/** Config: control-ui.md §10 and §17, cases 28 and 29. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { token } from "../support/process.ts";
import { connected, enter, openVisit, type Visit } from "./browser.ts";

const secret = "sk-live-0123456789abcdefghijklmnop";
/** Its token is the one test gateways are given. */
const written = `{
  // who may come in
  gateway: { mode: "local", auth: { token: "${token}" } },
  agents: { defaults: { skipBootstrap: true } },
  models: { providers: { mock: { baseUrl: "http://127.0.0.1:9/v1", apiKey: "${secret}", api: "openai-completions", models: [] } } },
  skills: { entries: { weather: { config: { city: ["Oslo", 1] } } } },
  logging: { level: "info" }, // chatty enough
}
`;

interface Place {
  gateway: TestGateway;
  visit: Visit;
  page: Page;
  file: string;
}

/** A gateway of its own for a group of cases, with `written` as its file: it takes three patches a minute. */
function place() {
  let it: Place;
  beforeAll(async () => {
    const gateway = await openGateway();
    const file = join(gateway.home.state, "openclaw.json");
    writeFileSync(file, written);
    const visit = await openVisit(gateway.httpUrl);
    it = { gateway, visit, page: visit.page, file };
    await enter(visit, gateway.httpUrl, "/config");
  });
  afterAll(async () => {
    await it.visit.close();
    await it.gateway.stop();
  });
  return {
    it: () => it,
    content: () => readFileSync(it.file, "utf8"),
    open: async (search: string) => {
      await it.page.goto(`${it.gateway.httpUrl}/config${search}`);
      await connected(it.page);
    },
    review: () => it.page.getByRole("button", { name: "Review and save" }),
    dialog: () => it.page.getByRole("dialog", { name: "Save these changes?" }),
  };
}

export function configViewCases(): void {
  const { it, content, open, review, dialog } = place();
  let page: Page;
  beforeAll(() => {
    page = it().page;
  });
  const text = () => page.getByLabel("Text of the config");

  test("the form changes one path; comments and everything else in the file stay [28]", async () => {
    await open("?mode=form&path=logging");
    const level = page.getByLabel("Level", { exact: true });
    await level.selectOption({ label: "debug" });
    await page.getByText("1 unsaved change", { exact: true }).waitFor();
    await review().click();
    await dialog().getByText("logging.level").waitFor();
    expect(await dialog().locator("del, ins").allTextContents()).toEqual(['Was "info"', 'Becomes "debug"']);
    await dialog().getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved and applied.").first().waitFor();
    expect(content()).toBe(written.replace('"info"', '"debug"'));
  });

  test("a save can be taken back", async () => {
    await page.getByRole("button", { name: "Take it back" }).click();
    await page.getByText("The former config is back.").waitFor();
    expect(content()).toContain('level: "info"');
    expect(content()).toContain(secret);
  });

  test("a stored secret never reaches the page; it is kept, or replaced unseen", async () => {
    await open("?path=models.providers.mock.apiKey");
    await page.getByText("•••••••• is set").first().waitFor();
    expect(await page.content()).not.toContain(secret);
    await page.getByRole("button", { name: "Replace Api key" }).click();
    const field = page.getByLabel("Api key");
    await field.fill("sk-new-9876543210");
    await review().click();
    expect(await dialog().textContent()).not.toContain("sk-new");
    await dialog().getByRole("button", { name: "Save", exact: true }).click();
    await dialog().waitFor({ state: "detached" });
    expect(content()).toContain("sk-new-9876543210");
    expect(content()).not.toContain(secret);
  });

  test("the search finds settings by the words of their help", async () => {
    await open("");
    await page.getByLabel("Search the settings").fill("web app serve");
    await page.getByRole("group", { name: "gateway.controlUi.enabled" }).waitFor();
    await page.getByLabel("Search the settings").fill("no such thing at all");
    await page.getByText("No setting is called that").waitFor();
  });

  test("a mistake in the text is named with its line and column, and cannot be saved", async () => {
    await open("?mode=raw");
    const before = await text().inputValue();
    expect(before).toContain("__OPENCLAW_REDACTED__");
    await text().fill(before.replace('mode: "local",', 'mode: "local"'));
    await page.getByRole("button", { name: "Line 3, column 28" }).waitFor();
    await page.getByText("a comma or } must stand before a").first().waitFor();
    expect(await review().isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Line 3, column 28" }).click();
    const start = (await page.evaluate(`document.querySelector(".raw-text").selectionStart`)) as number;
    expect((await text().inputValue()).slice(start, start + 4)).toBe("auth");
  });

  test("a value that does not fit is marked where it stands, before it is sent", async () => {
    const before = await text().inputValue();
    await text().fill(before.replace('mode: "local"', 'mode: "local", port: "many",'));
    await page.getByText("gateway.port must be a whole number, not text").waitFor();
    await page.getByRole("button", { name: "Discard" }).click();
    await page.getByText("Nothing is wrong with this text.").waitFor();
  });

  test("saved text keeps its comments and its secrets, after a look at the changed lines [28]", async () => {
    const before = await text().inputValue();
    await text().fill(before.replace("// chatty enough", "// quite chatty"));
    await review().click();
    await dialog().getByText("// quite chatty").waitFor();
    await dialog().getByRole("button", { name: "Save", exact: true }).click();
    await dialog().waitFor({ state: "detached" });
    expect(content()).toContain("// quite chatty");
    expect(content()).toContain("sk-new-9876543210");
    expect(content()).not.toContain("REDACTED");
  });
}

export function configConflictCases(): void {
  const { it, content, open, review, dialog } = place();
  let page: Page;
  beforeAll(() => {
    page = it().page;
  });

  test("somebody else's save is told; own changes are kept and saved after it [28]", async () => {
    await open("?mode=form&path=logging");
    await page.getByLabel("Level", { exact: true }).selectOption({ label: "warn" });
    writeFileSync(it().file, content().replace("skipBootstrap: true", 'skipBootstrap: true, thinkingDefault: "low"'));
    await review().click();
    // The page may have heard of the other save before this one is refused for it.
    const told = dialog().getByText("changed by somebody else");
    const save = dialog().getByRole("button", { name: "Save", exact: true });
    await told.or(dialog().locator("button:enabled", { hasText: /^Save$/ })).waitFor();
    if (!(await told.isVisible())) await save.click({ timeout: 2_000 }).catch(() => undefined);
    await told.waitFor();
    await dialog().getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Go on with the new file" }).click();
    await review().click();
    await dialog().getByRole("button", { name: "Save", exact: true }).click();
    await dialog().waitFor({ state: "detached" });
    expect(content()).toContain('level: "warn"');
    expect(content()).toContain('thinkingDefault: "low"');
  });

  test("unsaved changes are not left without a question", async () => {
    await page.getByLabel("Level", { exact: true }).selectOption({ label: "error" });
    page.once("dialog", (question) => void question.dismiss());
    await page.getByRole("link", { name: "Sessions", exact: true }).click();
    expect(new URL(page.url()).pathname).toBe("/config");
    page.once("dialog", (question) => void question.accept());
    await page.getByRole("link", { name: "Sessions", exact: true }).click();
    await page.getByRole("heading", { name: "Sessions" }).waitFor();
  });
}

export function configApplyCases(): void {
  const { it, content, open, review, dialog } = place();
  let page: Page;
  beforeAll(() => {
    page = it().page;
  });

  test("what the form has no control for is shown, led to the text, and left as it is by a save beside it [28]", async () => {
    await open("?mode=form&path=skills.entries.weather.config");
    const odd = page.locator(`[id="setting:skills.entries.weather.config"]`);
    await odd.getByText('{"city":["Oslo",1]}').waitFor();
    expect(await odd.locator("input, select, textarea").count()).toBe(0);
    await page.getByRole("group", { name: "Enabled" }).getByText("Off", { exact: true }).click();
    await review().click();
    await dialog().getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved and applied.").first().waitFor();
    expect(content()).toContain('config: { city: ["Oslo", 1] }');
    expect(content()).toContain("enabled: false");
    await odd.getByRole("button", { name: "Change it as text" }).click();
    await page.getByLabel("Text of the config").waitFor();
  });

  test("save and restart: told while it lasts, then the same view with a report; the agent is told too [29]", async () => {
    const { gateway } = it();
    await open("?mode=raw");
    const text = page.getByLabel("Text of the config");
    await text.fill((await text.inputValue()).replace("// chatty enough", "// chatty as ever"));
    await review().click();
    await dialog().getByRole("button", { name: "Save and restart" }).click();
    await page.getByText("Saved. The gateway restarts.").first().waitFor();
    await gateway.world.jump(2_100);
    await page.getByText(/The gateway is restarting/).waitFor();
    await gateway.world.jump(1_100);
    await connected(page);
    await page.getByText("Saved. The gateway restarted and runs with it.").first().waitFor();
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe("/config?mode=raw");
    expect(await text.inputValue()).toContain("// chatty as ever");
    expect(content()).toContain("// chatty as ever");
    expect(await page.getByRole("button", { name: "Take it back" }).isEnabled()).toBe(true);
    const wire = await gateway.connect({ scopes: ["operator.admin"], max: 4 });
    const { queuedSystemEvents } = await wire.call<{ queuedSystemEvents: string[] }>("status", {});
    expect(queuedSystemEvents.join()).toContain("GatewayRestart");
    await wire.close();
  });
}
