/** Skills: control-ui.md §9.1 and §17, case 26. What the gateway does not offer yet is answered by the test, in its words. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from "vitest";
import type { MethodResult } from "@openclaw/protocol";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { enter, openVisit, type Visit } from "./browser.ts";
import { tap, times, type Asked, type Tap } from "./tap.ts";

const secret = "sk-skill-0123456789";

const skill = `---
name: weather
description: Says what the sky does <b>tomorrow</b>.
metadata: {"openclaw":{"emoji":"☔","primaryEnv":"WEATHER_KEY","requires":{"bins":["no-such-program"],"env":["WEATHER_KEY"]},"install":[{"id":"brew","kind":"brew","label":"Install with Homebrew","bins":["no-such-program"]}]}}
---
Look out of the window.
`;

type Status = MethodResult<"skills.status">;

export function skillsViewCases(): void {
  let gateway: TestGateway;
  let visit: Visit;
  let frames: Tap;
  beforeAll(async () => {
    gateway = await openGateway();
    const folder = join(gateway.home.state, "skills", "weather");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "SKILL.md"), skill);
  });
  afterAll(() => gateway.stop());
  beforeEach(async () => {
    visit = await openVisit(gateway.httpUrl);
  });
  afterEach(async () => {
    const { complaints } = visit;
    await visit.close();
    expect(complaints).toEqual([]);
  });

  test("a skill says what it needs, and is found by its words; what the gateway does not offer to change is not offered", async () => {
    const { page } = visit;
    await enter(visit, gateway.httpUrl, "/skills");
    await page.getByText("Says what the sky does <b>tomorrow</b>.").waitFor();
    await page.getByText("no-such-program").first().waitFor();
    expect(await page.getByRole("switch", { name: "In use" }).count()).toBe(0);
    expect(await page.getByRole("button", { name: "Install with Homebrew" }).count()).toBe(0);
    await page.getByLabel("Search skills").fill("no skill is called that");
    await page.getByText("No skill fits").waitFor();
  });

  test("with a gateway that offers it: switched off and on, a key kept and never shown, an installation with its result [26]", async () => {
    const { page } = visit;
    let disabled = false;
    let installed = false;
    const changed = (status: Status): Status => ({
      ...status,
      skills: status.skills.map((one) => ({ ...one, disabled, eligible: installed })),
    });
    const answer = ({ method, params }: Asked): Record<string, unknown> | undefined => {
      if (method === "skills.update") {
        if (typeof params.enabled === "boolean") disabled = !params.enabled;
        return { ok: true, skillKey: params.skillKey, config: {} };
      }
      if (method !== "skills.install") return undefined;
      installed = true;
      return { ok: true, message: "no-such-program 1.2 is installed.", stdout: "", stderr: "", code: 0 };
    };
    frames = await tap(page, {
      answer,
      change: (frame) => {
        const { payload } = frame;
        if (payload && "managedSkillsDir" in payload)
          return { ...frame, payload: changed(payload as unknown as Status) as unknown as Record<string, unknown> };
        const features = payload?.features as { methods: string[] } | undefined;
        if (!features) return frame;
        const methods = [...features.methods, "skills.update", "skills.install"];
        return { ...frame, payload: { ...payload, features: { ...features, methods } } };
      },
    });
    await enter(visit, gateway.httpUrl, "/skills");
    const inUse = page.getByRole("switch", { name: "In use" });
    await inUse.click();
    await expect.poll(() => inUse.isChecked()).toBe(false);
    expect(frames.asked.findLast(({ method }) => method === "skills.update")?.params).toEqual({
      skillKey: "weather",
      enabled: false,
    });
    await inUse.click();
    await expect.poll(() => inUse.isChecked()).toBe(true);

    const key = page.getByLabel("WEATHER_KEY");
    expect(await key.getAttribute("type")).toBe("password");
    await key.fill(secret);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("WEATHER_KEY is saved.").waitFor();
    expect(await key.inputValue()).toBe("");
    expect(frames.asked.findLast(({ method }) => method === "skills.update")?.params).toEqual({
      skillKey: "weather",
      apiKey: secret,
    });
    expect(await page.content()).not.toContain(secret);

    await page.getByRole("button", { name: "Install with Homebrew" }).click();
    await page.getByText("no-such-program 1.2 is installed.").waitFor();
    await page.getByRole("button", { name: "Install with Homebrew" }).waitFor({ state: "detached" });
    expect(times(frames, "skills.install")).toBe(1);
  });
}
