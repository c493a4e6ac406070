/** Config: the former texts of the file, and the way back to one of them (control-ui.md §10). */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { token } from "../support/process.ts";
import { enter, openVisit, type Visit } from "./browser.ts";

const secret = "sk-live-0123456789abcdefghijklmnop";
const text = (level: string) => `{
  // who may come in
  gateway: { mode: "local", auth: { token: "${token}" } },
  agents: { defaults: { skipBootstrap: true } },
  talk: { apiKey: "${secret}" },
  logging: { level: "${level}" },
}
`;

export function configHistoryCases(): void {
  let gateway: TestGateway;
  let visit: Visit;
  let page: Page;
  let file: string;
  const dialog = () => page.getByRole("dialog", { name: "Former texts of the config" });

  beforeAll(async () => {
    gateway = await openGateway();
    file = join(gateway.home.state, "openclaw.json");
    writeFileSync(file, text("info"));
    visit = await openVisit(gateway.httpUrl);
    page = visit.page;
    await enter(visit, gateway.httpUrl, "/config?mode=raw");
    const wire = await gateway.connect();
    const { hash } = await wire.call<{ hash: string }>("config.get", {});
    await wire.call("config.set", { raw: text("debug"), baseHash: hash });
  });
  afterAll(async () => {
    await visit.close();
    await gateway.stop();
  });

  test("the history shows what each former text would change, without its secrets", async () => {
    await expect
      .poll(() => page.getByLabel("Text of the config").inputValue(), { timeout: 12_000 })
      .toContain('"debug"');
    await page.getByRole("button", { name: "History", exact: true }).click();
    const changed = dialog().getByRole("region", { name: "Changed lines" });
    await changed.getByText('level: "info"').waitFor();
    expect(await changed.locator(".diff-line.gone").allTextContents()).toEqual([
      expect.stringContaining('level: "debug"'),
    ]);
    expect(await page.content()).not.toContain(secret);
  });

  test("restoring brings the text back to the byte, secrets included, and can be taken back", async () => {
    await dialog().getByRole("button", { name: "Restore this text" }).click();
    await dialog().waitFor({ state: "detached" });
    await page.getByText("The former text is the config again.").first().waitFor();
    expect(readFileSync(file, "utf8")).toBe(text("info"));
    await page.getByRole("button", { name: "Take it back" }).click();
    await page.getByText("The former config is back.").waitFor();
    expect(readFileSync(file, "utf8")).toBe(text("debug"));
  });

  test("unsaved changes come first", async () => {
    const area = page.getByLabel("Text of the config");
    await area.fill(`${await area.inputValue()}// mine\n`);
    expect(await page.getByRole("button", { name: "History", exact: true }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Discard" }).click();
    expect(await page.getByRole("button", { name: "History", exact: true }).isDisabled()).toBe(false);
  });
}
