/** What a connection may do, and what happens when that is taken away: control-ui.md §9.3, §10.5, §16 and §17, case 27. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { makeDevice, type Wire } from "../support/wire.ts";
import { connected, enter, openVisit, type Visit } from "./browser.ts";
import { forwardTo, type Forward } from "./forward.ts";

export function accessCases(): void {
  let gateway: TestGateway;
  let wire: Wire;
  let forward: Forward;
  let visit: Visit;
  beforeAll(async () => {
    gateway = await openGateway({ config: { gateway: { trustedProxies: ["127.0.0.1"] } } });
    wire = await gateway.connect({ scopes: ["operator.admin"], max: 4 });
    forward = await forwardTo(gateway.port, { "X-Forwarded-For": "203.0.113.31" });
  });
  afterAll(async () => {
    await wire.close();
    await forward.close();
    await gateway.stop();
  });
  afterEach(() => visit.close());

  const heading = (text: string) => visit.page.getByRole("heading", { name: text }).waitFor();
  const useToken = async () => {
    await visit.page.getByLabel("Gateway token").fill(gateway.token);
    await visit.page.getByRole("button", { name: "Connect" }).click();
  };
  /** From elsewhere, approved by somebody who is connected already. */
  const enterFromElsewhere = async (path: string) => {
    await visit.page.goto(`${forward.url}${path}#token=${gateway.token}`);
    await heading("This browser is new to the gateway");
    const command = (await visit.page.locator(".command code").textContent()) ?? "";
    await wire.call("device.pair.approve", { requestId: command.split(" ").at(-1) });
    await visit.page.getByRole("button", { name: "Check now" }).click();
    await connected(visit.page);
  };
  const act = async (name: string, action: string) => {
    const device = visit.page.locator(".device", { hasText: name });
    await device.getByRole("button", { name: /^Actions for/ }).click();
    await visit.page.getByRole("menuitem", { name: action }).click();
  };

  test("a connection that may only read shows the config and lets nothing be changed, and says which scope is missing", async () => {
    visit = await openVisit(gateway.httpUrl);
    const { page } = visit;
    await enter(visit, gateway.httpUrl, "/instances");
    const deviceId = await page.evaluate(
      () => (JSON.parse(localStorage.getItem("openclaw.device") ?? "{}") as { deviceId: string }).deviceId,
    );
    const scopes = ["operator.read"];
    const { token } = await wire.call("device.token.rotate", { deviceId, role: "operator", scopes });
    await page.evaluate(
      (issued) => {
        sessionStorage.clear();
        const name = Object.keys(localStorage).find((key) => key.startsWith("openclaw.device-tokens:")) ?? "";
        localStorage.setItem(name, JSON.stringify({ operator: issued }));
      },
      { token, scopes },
    );
    await page.goto(`${gateway.httpUrl}/config?mode=form&path=logging`);
    await connected(page);
    await page.getByText("Changing it needs the scope operator.admin").waitFor();
    await page.getByLabel("Level", { exact: true }).waitFor();
    expect(await page.locator(".config-section").locator("input, select, textarea").count()).toBeGreaterThan(2);
    expect(
      await page
        .locator(".config-section")
        .locator("input:enabled, select:enabled, textarea:enabled")
        .evaluateAll((list) => list.map((control) => control.outerHTML)),
    ).toEqual([]);
    await page.goto(`${gateway.httpUrl}/config?mode=raw`);
    expect(await page.getByLabel("Text of the config").getAttribute("readonly")).not.toBeNull();
    await page.goto(`${gateway.httpUrl}/debug?method=config.set`);
    await page.getByText("This connection does not hold operator.admin; the gateway will refuse.").waitFor();
    await page.getByRole("button", { name: "Call", exact: true }).click();
    await page.getByLabel("Answer", { exact: true }).getByText("missing scope: operator.admin").waitFor();
    for (const view of ["/overview", "/channels", "/sessions", "/instances", "/agents", "/skills", "/logs"]) {
      await page.goto(`${gateway.httpUrl}${view}`);
      await connected(page);
      await page.locator(".page").waitFor();
      await page.locator(".skeleton").first().waitFor({ state: "detached" });
      expect(await page.getByText(/^Could not read/).allTextContents(), view).toEqual([]);
    }
    expect(visit.complaints).toEqual([]);
  });

  test("a device that asks is turned down here and hears it; another one's token is withdrawn [27]", async () => {
    visit = await openVisit(gateway.httpUrl);
    const { page } = visit;
    await enter(visit, gateway.httpUrl, "/nodes");
    const device = makeDevice();
    const ask = () =>
      gateway.connect(
        {
          device,
          scopes: ["operator.read"],
          max: 4,
          client: { id: "openclaw-macos", mode: "ui", displayName: "Visitor" },
        },
        { headers: { "X-Forwarded-For": "203.0.113.9" } },
      );
    await expect(ask()).rejects.toThrow(/pairing/i);
    await page.getByRole("article", { name: "Visitor" }).getByRole("button", { name: "Reject" }).click();
    await page.getByText("Visitor was turned down.").waitFor();
    await page.getByRole("article", { name: "Visitor" }).waitFor({ state: "detached" });
    await expect(ask()).rejects.toThrow(/pairing/i);
    await page.getByRole("article", { name: "Visitor" }).getByRole("button", { name: "Approve" }).click();
    await page.getByText("Visitor was let in.").waitFor();
    const guest = await ask();
    await act("Visitor", "Withdraw token as operator…");
    await page.getByRole("button", { name: "Withdraw token" }).click();
    expect(await guest.closed).toMatchObject({ code: 1008 });
    await page.locator(".device", { hasText: "Visitor" }).getByText("withdrawn", { exact: true }).waitFor();
  });

  test("withdrawing the own token warns, and the page says so; forgetting the own device leads to the pairing panel [27]", async () => {
    visit = await openVisit(forward.url);
    const { page } = visit;
    await enterFromElsewhere("/nodes");
    await act("this browser", "Withdraw token as operator…");
    await page.getByText("This is the browser you are using.").waitFor();
    await page.getByRole("button", { name: "Withdraw token" }).click();
    await heading("This browser's access was withdrawn");
    await useToken();
    await connected(page);
    await act("this browser", "Forget the device…");
    await page.getByText("This is the browser you are using.").waitFor();
    await page.getByRole("button", { name: "Forget device" }).click();
    await heading("This browser's access was withdrawn");
    await useToken();
    await heading("This browser is new to the gateway");
    expect(await page.locator(".command code").textContent()).toMatch(/devices approve \S+$/);
  });
}
