/** What the page makes of frames in an awkward order: control-ui.md §3, §4.2, §4.3 and §17, cases 5, 6, 9 to 12, 19 and 23. */
import { createHash, createPublicKey, verify } from "node:crypto";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { gate, openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { connected, enter, openVisit, type Visit } from "./browser.ts";
import { tap, times, type Tap } from "./tap.ts";

interface ConnectParams {
  device: { id: string; publicKey: string; signature: string; signedAt: number; nonce: string };
  client: { id: string; mode: string; platform: string };
  role: string;
  scopes: string[];
  auth: { token: string };
}

const spki = Buffer.from("302a300506032b6570032100", "hex");

export function sequenceCases(): void {
  let gateway: ScriptedGateway;
  let visit: Visit;
  let page: Page;
  let frames: Tap;
  let sessions = 0;

  beforeAll(async () => {
    gateway = await openScriptedGateway();
  });
  afterAll(() => gateway.stop());
  beforeEach(async () => {
    visit = await openVisit(gateway.httpUrl);
    page = visit.page;
    frames = await tap(page);
    gateway.script = () => ["Understood."];
  });
  afterEach(async () => {
    const { complaints } = visit;
    await visit.close();
    expect(complaints).toEqual([]);
  });

  const log = () => page.getByRole("log");
  const message = () => page.getByLabel("Message", { exact: true });
  /** A reply under way of which the model has said nothing yet: what the page shows is what the test pushes. */
  const silentRun = async () => {
    const heard = gate();
    const speak = gate();
    gateway.script = async () => {
      heard.open();
      await speak.opened;
      return ["Hello"];
    };
    const sessionKey = `agent:main:order-${(sessions += 1)}`;
    await enter(visit, gateway.httpUrl, `/chat/${sessionKey}`);
    await message().fill("Go on");
    await message().press("Enter");
    await heard.opened;
    const runId = String(frames.asked.find(({ method }) => method === "chat.send")?.params.idempotencyKey);
    await page.getByRole("button", { name: "Stop the reply" }).waitFor();
    const say = (state: string, text: string, run = runId) =>
      frames.push({
        event: "chat",
        payload: {
          runId: run,
          sessionKey,
          seq: 1,
          state,
          message: { role: "assistant", content: [{ type: "text", text }], timestamp: 1 },
        },
      });
    const tool = (data: Record<string, unknown>) =>
      frames.push({
        event: "agent",
        payload: {
          runId,
          sessionKey,
          seq: 1,
          ts: 1,
          stream: "tool",
          data: { toolCallId: "t1", name: "exec", ...data },
        },
      });
    return { say, tool, sessionKey, finish: speak.open };
  };
  const idle = () => page.getByRole("button", { name: "Send", exact: true }).waitFor();

  test("the gateway's challenge is signed: the exact text, by the key whose hash names the device [5]", async () => {
    await enter(visit, gateway.httpUrl);
    const { device, client, role, scopes, auth } = frames.asked[0]?.params as unknown as ConnectParams;
    expect(device.nonce).toBe(frames.said.find(({ event }) => event === "connect.challenge")?.payload?.nonce);
    const raw = Buffer.from(device.publicKey, "base64url");
    expect(raw).toHaveLength(32);
    expect(device.id).toBe(createHash("sha256").update(raw).digest("hex"));
    expect(client).toMatchObject({ id: "openclaw-control-ui", mode: "webchat" });
    const { id, signedAt, nonce, signature } = device;
    const who = `v3|${id}|${client.id}|${client.mode}|${role}|${scopes.join(",")}`;
    const signed = `${who}|${signedAt}|${auth.token}|${nonce}|${client.platform.toLowerCase()}|`;
    const key = createPublicKey({ key: Buffer.concat([spki, raw]), format: "der", type: "spki" });
    expect(verify(null, Buffer.from(signed), key, Buffer.from(signature, "base64url"))).toBe(true);
  });

  test("a device token the gateway does not know is given up for the shared one, once, and replaced [6]", async () => {
    await enter(visit, gateway.httpUrl);
    const stored = () =>
      page.evaluate(() => {
        const name = Object.keys(localStorage).find((key) => key.startsWith("openclaw.device-tokens:")) ?? "";
        return { name, text: localStorage.getItem(name) ?? "" };
      });
    const { name, text } = await stored();
    const good = (JSON.parse(text) as { operator: { token: string } }).operator.token;
    expect(good.length).toBeGreaterThan(20);
    await page.evaluate(
      ([key = "", value = ""]) => localStorage.setItem(key, value),
      [name, text.replace(good, "forgotten-by-the-gateway")],
    );
    const before = frames.sockets;
    await page.reload();
    await connected(page);
    expect(frames.sockets - before).toBeLessThanOrEqual(2);
    expect((await stored()).text).not.toContain("forgotten-by-the-gateway");
    // Without a shared one the page forgets what was refused, and asks.
    await page.evaluate(
      ([key = "", value = ""]) => {
        localStorage.setItem(key, value);
        sessionStorage.clear();
      },
      [name, text.replace(good, "forgotten-by-the-gateway")],
    );
    await page.reload();
    await page.getByLabel("Gateway token").waitFor();
    expect((await stored()).text).not.toContain("forgotten-by-the-gateway");
  });

  test("a text grows by whole texts; a shorter one that comes late takes nothing back [10, 11]", async () => {
    const run = await silentRun();
    const shown = log().locator(".turn.assistant .markdown");
    const texts = async () => (await shown.allTextContents()).map((text) => text.trim());
    for (const text of ["He", "Hell", "Hello"]) {
      run.say("delta", text);
      await expect.poll(texts).toEqual([text]);
    }
    run.say("delta", "He");
    run.say("delta", "Hello");
    // A frame after it was drawn: so the late one was heard and left aside.
    run.tool({ phase: "start", args: { command: "true" } });
    await page.locator(".tool").getByText("exec").waitFor();
    expect(await texts()).toEqual(["Hello"]);
    run.finish();
    await idle();
    await expect.poll(() => log().getByText("Hello", { exact: true }).count()).toBe(1);
    expect(await log().getByText("Go on", { exact: true }).count()).toBe(1);
  });

  test("two hundred events a second of one reply drop no key that is typed, and the last of them is shown", async () => {
    const run = await silentRun();
    const typed = "the quick brown fox jumps over the lazy dog ".repeat(2);
    const startedAt = performance.now();
    let text = "begun";
    let chunks = 0;
    // Timers are late on a busy machine; what is due is sent together. Each event carries the whole text, so that it has an end.
    const stream = setInterval(() => {
      for (const due = Math.min(2_000, (performance.now() - startedAt) / 5); chunks < due; chunks++)
        run.say("delta", (text += ` word${chunks}`));
    }, 5);
    await log().getByText("word10 ").waitFor();
    await message().pressSequentially(typed, { delay: 8, timeout: 25_000 });
    clearInterval(stream);
    expect(await message().inputValue()).toBe(typed);
    expect(chunks).toBeGreaterThan(100);
    await log()
      .getByText(`word${chunks - 1}`)
      .waitFor();
    run.finish();
    await idle();
  });

  test("the end of another run reads the history again, and leaves the own reply alone [12]", async () => {
    const run = await silentRun();
    run.say("delta", "Mine so far");
    await log().getByText("Mine so far").waitFor();
    run.say("delta", "Not mine", "another-run");
    const before = times(frames, "chat.history");
    run.say("final", "Not mine", "another-run");
    await expect.poll(() => times(frames, "chat.history")).toBe(before + 1);
    expect(await log().getByText("Mine so far").count()).toBe(1);
    expect(await log().getByText("Not mine").count()).toBe(0);
    run.finish();
    await idle();
  });

  test("a tool's card goes from start over update to result; an error is a word; a megabyte is cut and harms nobody [19]", async () => {
    const run = await silentRun();
    run.tool({ phase: "start", args: { command: "make everything" } });
    const card = page.locator(".tool");
    await card.getByText("make everything").waitFor();
    await card.getByRole("button").first().click();
    await card.getByText("No output yet.").waitFor();
    run.tool({ phase: "update", partialResult: { content: [{ type: "text", text: "half of it" }] } });
    await card.getByText("half of it").waitFor();
    const megabyte = `${"x".repeat(99)}\n`.repeat(10_000);
    run.tool({ phase: "result", isError: true, result: { content: [{ type: "text", text: megabyte }] } });
    await page.locator(".tool-state.failed", { hasText: "failed" }).waitFor();
    await card.getByText("880000 more characters are not shown").waitFor();
    expect((await card.locator("pre").last().textContent())?.length).toBeLessThan(121_000);
    await message().pressSequentially("still quick");
    expect(await message().inputValue()).toBe("still quick");
    run.finish();
    await idle();
  });

  test("presence that is older than what is shown, or comes twice, changes nothing [23]", async () => {
    await enter(visit, gateway.httpUrl, "/instances");
    await page.getByText("this tab").waitFor();
    const arrive = async (displayName: string) => {
      const guest = await gateway.connect({
        client: { id: "openclaw-macos", mode: "ui", displayName },
        scopes: ["operator.read"],
      });
      await page.getByRole("heading", { name: displayName }).waitFor();
      return guest;
    };
    const first = await arrive("Kitchen Mac");
    const shown = frames.said.findLast(({ event }) => event === "presence");
    const ghost = { host: "Ghost", mode: "ui", ts: 1, instanceId: "ghost" };
    const late = { event: "presence", payload: { presence: [ghost], delta: { upserted: [ghost], removed: [] } } };
    frames.push({ ...late, stateVersion: { presence: (shown?.stateVersion?.presence ?? 0) - 1, health: 0 } });
    frames.push({ ...late, seq: shown?.seq ?? 0, stateVersion: { presence: 1_000, health: 0 } });
    const second = await arrive("Hall Mac");
    expect(await page.getByText("Ghost").count()).toBe(0);
    expect(await page.getByRole("heading", { name: "Kitchen Mac" }).count()).toBe(1);
    await first.close();
    await second.close();
  });

  test("a burst of gaps in another view is one refresh: health, presence and what that view shows [9]", async () => {
    await enter(visit, gateway.httpUrl);
    await message().waitFor();
    await page.getByRole("link", { name: "Sessions", exact: true }).click();
    await page.getByRole("heading", { name: "Sessions", level: 1 }).waitFor();
    await page.locator(".skeleton").first().waitFor({ state: "detached" });
    await expect.poll(() => times(frames, "sessions.list")).toBeGreaterThan(0);
    const answered = () => frames.said.filter(({ type }) => type === "res").length;
    await expect.poll(() => answered() === frames.asked.length).toBe(true);
    frames.asked.length = 0;
    const began = Date.now();
    for (let seq = 1_000; seq < 1_200; seq += 10) frames.push({ event: "tick", payload: { ts: 1 }, seq });
    await expect.poll(() => times(frames, "sessions.list"), { timeout: 1_000, interval: 20 }).toBeGreaterThan(0);
    expect(Date.now() - began).toBeLessThan(1_000);
    for (const method of ["health", "system-presence"]) await expect.poll(() => times(frames, method)).toBe(1);
  });
}
