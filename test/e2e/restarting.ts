/** A gateway that restarts while a reply is being written: control-ui.md §2.8, §2.10, §4.10 and §17, case 8. */
import { afterEach, expect, test } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { connected, enter, openVisit, type Visit } from "./browser.ts";

export function restartingCases(): void {
  let gateway: ScriptedGateway;
  let visit: Visit;
  afterEach(async () => {
    await visit.close();
    await gateway.stop();
  });

  test("a restart during a reply is told, and the history then shows how it ended; the draft stays [8]", async () => {
    gateway = await openScriptedGateway({ config: { gateway: { reload: { deferralTimeoutMs: 1_000 } } } });
    gateway.script = () => ["Once upon a time", { hang: true }];
    visit = await openVisit(gateway.httpUrl);
    const { page } = visit;
    const log = page.getByRole("log");
    const message = page.getByLabel("Message", { exact: true });
    await enter(visit, gateway.httpUrl);
    await message.fill("A story");
    await message.press("Enter");
    await log.getByText("Once upon a time").waitFor();
    await message.fill("half a thought");
    gateway.host.restarts.request({ reason: "config.apply", delayMs: 0 });
    // The reply is waited for that long, then it is ended.
    await gateway.world.jump(1_100);
    await page.getByText(/The gateway is restarting\. Back (in \d+ s|now)/).waitFor();
    await gateway.world.jump(1_100);
    await connected(page);
    await log.getByText("Stopped", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Ask again" }).waitFor();
    // The whole truth once: nothing spins, no word stands twice, nothing that was typed is gone.
    expect(await log.getByText("Once upon a time").count()).toBe(1);
    expect(await page.getByRole("button", { name: "Stop the reply" }).count()).toBe(0);
    expect(await log.getByText("replying").count()).toBe(0);
    expect(await message.inputValue()).toBe("half a thought");
    gateway.script = () => ["And they lived."];
    await page.getByRole("button", { name: "Ask again" }).click();
    await log.getByText("And they lived.").waitFor();
    expect(await message.inputValue()).toBe("half a thought");
    expect(visit.complaints).toEqual([]);
  });
}
