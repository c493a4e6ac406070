/** The conversation: control-ui.md §4 and the cases of §17 that are about it; their numbers in brackets. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { gate, openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import type { FakeRequest, Step } from "../support/fake-provider/index.ts";
import type { Wire } from "../support/wire.ts";
import { connected, enter, openVisit, type Visit } from "./browser.ts";

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export function chattingCases(): void {
  let gateway: ScriptedGateway;
  let wire: Wire;
  let visit: Visit;
  let page: Page;
  let sessions = 0;

  beforeAll(async () => {
    gateway = await openScriptedGateway();
    wire = await gateway.connect({ scopes: ["operator.admin"], max: 4 });
    visit = await openVisit(gateway.httpUrl);
    page = visit.page;
    await enter(visit, gateway.httpUrl);
  });
  afterAll(async () => {
    await visit.close();
    await wire.close();
    await gateway.stop();
  });
  beforeEach(() => {
    gateway.script = () => ["Understood."];
  });
  afterEach(() => {
    expect(visit.complaints).toEqual([]);
    expect(visit.strays).toEqual([]);
  });

  const message = () => page.getByLabel("Message", { exact: true });
  const log = () => page.getByRole("log");
  const freshSession = (): string => `agent:main:case-${(sessions += 1)}`;
  const open = async (key = freshSession()): Promise<string> => {
    // One page for all cases: a place inside the app is gone to as Back and Forward do.
    await page.evaluate(`history.pushState(null, "", "/chat/${key}"); dispatchEvent(new PopStateEvent("popstate"))`);
    await page.locator(`[data-session="${key}"]`).waitFor();
    return key;
  };
  const say = async (text: string): Promise<void> => {
    await message().fill(text);
    await message().press("Enter");
  };
  const history = async (sessionKey: string) =>
    (await wire.call<{ messages: { role: string; content: unknown }[] }>("chat.history", { sessionKey })).messages;
  const asked = ({ body }: FakeRequest): string =>
    JSON.stringify((body.messages as { content: unknown }[]).at(-1)?.content);
  const idle = () => page.getByRole("button", { name: "Send", exact: true }).waitFor();

  test("a turn with a tool: streamed text, a live card, then the stored truth once [10, 19]", async () => {
    const running = gate();
    const rest = gate();
    gateway.script = async (request) => {
      if ((request.body.messages as { role: string }[]).at(-1)?.role === "tool") {
        await rest.opened;
        return ["Two files, ", "both **small**."];
      }
      running.open();
      return ["I will look.", { toolCall: { id: "c1", name: "exec", arguments: { command: "printf 'a\\nb\\n'" } } }];
    };
    const key = await open();
    await say("What is there?");
    await running.opened;
    const card = page.locator(".tool");
    await card.getByText("exec").waitFor();
    await card.getByText("printf").waitFor();
    expect(await page.getByRole("button", { name: "Stop the reply" }).isVisible()).toBe(true);
    rest.open();
    await log().getByText("both small").waitFor();
    await idle();
    expect(await page.locator("strong", { hasText: "small" }).count()).toBe(1);
    expect(await log().getByText("What is there?").count()).toBe(1);
    expect(await log().getByText("I will look.").count()).toBe(1);
    await card.getByRole("button").first().click();
    await card.getByText("Output").waitFor();
    expect(await card.locator("pre").last().textContent()).toContain("a\nb");
    expect(await card.locator(".tool-state.ok").textContent()).toMatch(/\d+ ms|\d s/);
    expect((await history(key)).filter(({ role }) => role === "user")).toHaveLength(1);
  });

  test("a failed tool says so in words, a very large output is cut [19]", async () => {
    gateway.script = (request) =>
      (request.body.messages as { role: string }[]).at(-1)?.role === "tool"
        ? ["It did not work."]
        : [{ toolCall: { id: "c1", name: "read", arguments: { path: "/nowhere/at/all" } } }];
    await open();
    await say("Read it");
    await log().getByText("It did not work.").waitFor();
    await page.locator(".tool-state.failed", { hasText: "failed" }).waitFor();
  });

  test("stopping by button keeps what was written, marked [14]", async () => {
    gateway.script = () => ["Once upon a time", { hang: true }];
    await open();
    await say("Tell me a story");
    await log().getByText("Once upon a time").waitFor();
    await page.getByRole("button", { name: "Stop the reply" }).click();
    await log().getByText("Stopped").waitFor();
    expect(await log().getByText("Once upon a time").count()).toBe(1);
    await idle();
  });

  test("typing stop stops instead of being sent; Esc does as well [14]", async () => {
    gateway.script = () => ["Once upon", { hang: true }];
    const key = await open();
    await say("A story");
    await log().getByText("Once upon").waitFor();
    await say("stop");
    await idle();
    await say("Another one");
    await page.getByRole("button", { name: "Stop the reply" }).waitFor();
    await expect.poll(() => log().getByText("Once upon").count()).toBe(2);
    await message().press("Escape");
    await idle();
    const texts = (await history(key))
      .filter(({ role }) => role === "user")
      .map(({ content }) => JSON.stringify(content));
    expect(texts).toHaveLength(2);
    expect(texts.join()).not.toContain('"stop"');
  });

  test("messages written during a reply wait as chips, can be removed, and go out in order [15]", async () => {
    const first = gate();
    const seen: string[] = [];
    gateway.script = async (request) => {
      seen.push(asked(request));
      if (asked(request).includes("one")) await first.opened;
      return ["ok"];
    };
    await open();
    await say("one");
    await page.getByRole("button", { name: "Stop the reply" }).waitFor();
    for (const text of ["two", "three", "four"]) await say(text);
    expect(await page.locator(".queued").count()).toBe(3);
    await page.getByRole("button", { name: "Remove: three" }).click();
    first.open();
    await expect.poll(() => seen.length, { timeout: 6_000 }).toBe(3);
    await idle();
    expect(seen.map((text) => /one|two|three|four/.exec(text)?.[0])).toEqual(["one", "two", "four"]);
    expect(await page.locator(".queued").count()).toBe(0);
  });

  test("a send that was lost, or whose answer was, has one key and stands in the history once [16]", async () => {
    const lossy = await openVisit(gateway.httpUrl);
    const keys: string[] = [];
    await lossy.page.routeWebSocket(/.*/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((text) => {
        const frame = JSON.parse(String(text)) as { method: string; params: { idempotencyKey: string } };
        if (frame.method === "chat.send") keys.push(frame.params.idempotencyKey);
        // The first send never arrives; of the second the answer gets lost.
        if (frame.method === "chat.send" && keys.length === 1) return void socket.close({ code: 3001 });
        server.send(text);
        if (frame.method === "chat.send" && keys.length === 2) void socket.close({ code: 3001 });
      });
    });
    const key = freshSession();
    await enter(lossy, gateway.httpUrl, `/chat/${key}`);
    const field = lossy.page.getByLabel("Message", { exact: true });
    await field.fill("only once");
    await field.press("Enter");
    await lossy.page.getByRole("log").getByText("Understood.").waitFor();
    await lossy.page.getByRole("button", { name: "Send", exact: true }).waitFor();
    expect(keys.length).toBeGreaterThan(1);
    expect(new Set(keys).size).toBe(1);
    expect((await history(key)).filter(({ role }) => role === "user")).toHaveLength(1);
    expect(await lossy.page.getByRole("log").getByText("only once").count()).toBe(1);
    await lossy.close();
  });

  test("Enter sends, Shift Enter breaks the line, Enter while composing does neither [17]", async () => {
    await open();
    await message().fill("first");
    await message().press("Shift+Enter");
    await message().pressSequentially("second");
    expect(await message().inputValue()).toBe("first\nsecond");
    await message().evaluate((area) => {
      const { KeyboardEvent: Pressed } = globalThis as unknown as {
        KeyboardEvent: new (type: string, init: object) => Event;
      };
      area.dispatchEvent(new Pressed("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }));
    });
    expect(await message().inputValue()).toBe("first\nsecond");
    await message().press("Enter");
    await log().getByText("Understood.").waitFor();
    expect(await message().inputValue()).toBe("");
  });

  test("a pasted picture is shown, sent and stands in the history; too large a one is refused here [18]", async () => {
    const key = await open();
    await page.setInputFiles("input[type=file]", [
      { name: "dot.png", mimeType: "image/png", buffer: Buffer.from(pixel, "base64") },
    ]);
    await page.getByAltText("dot.png").waitFor();
    await say("Look at this");
    await log().getByText("Understood.").waitFor();
    await idle();
    await page.getByRole("button", { name: "Open attached picture" }).waitFor();
    expect(JSON.stringify(await history(key))).toContain('"type":"image"');
    await page.setInputFiles("input[type=file]", [
      { name: "huge.gif", mimeType: "image/gif", buffer: Buffer.alloc(5_200_000, 71) },
    ]);
    await page.getByText(/huge\.gif is 5\.0 MB; at most/).waitFor();
    await page.setInputFiles("input[type=file]", [
      { name: "a.pdf", mimeType: "application/pdf", buffer: Buffer.from("x") },
    ]);
    await page.getByText(/a\.pdf is not a picture/).waitFor();
  });

  test("text that wants to be markup or script is text; nothing is fetched for it [20, 40]", async () => {
    const attack = [
      '<img src=x onerror="globalThis.hit=1"> <style>body{display:none}</style> <svg onload="globalThis.hit=1"></svg>',
      "[click](javascript:globalThis.hit=1) ![p](https://evil.example/p.png) [good](https://example.org)",
      "<script>globalThis.hit=1</script>",
      "| a | b |\n|---|---|\n| <b onclick=x>c</b> | `d` |",
    ].join("\n\n");
    gateway.script = () => [attack];
    await open();
    await say(attack);
    await log().getByText("<script>globalThis.hit=1</script>").last().waitFor();
    await idle();
    expect(await page.evaluate("globalThis.hit")).toBeUndefined();
    expect(await log().locator("img, script, style, svg:not(.lucide)").count()).toBe(0);
    const links = await log()
      .locator(".markdown a")
      .evaluateAll((list) => list.map((link) => link.getAttribute("href")));
    expect(links).toEqual(["https://evil.example/p.png", "https://example.org"]);
    expect(await log().locator("table").count()).toBe(1);
  });

  test("two hundred thousand characters do not stop the page [20]", async () => {
    gateway.script = () => ["word ".repeat(40_000)];
    await open();
    await say("Much");
    await idle();
    await log()
      .getByText(/more characters/)
      .waitFor();
    await message().fill("still here");
    expect(await message().inputValue()).toBe("still here");
  });

  test("names and keys that hold markup are shown as text [21]", async () => {
    const key = freshSession();
    await wire.call("sessions.patch", { key, label: `<b id=hit>${key.slice(-6)}</b>` });
    await open(key);
    await page.getByRole("heading", { name: "<b id=hit>" }).waitFor();
    await page.locator(".session-button").click();
    await page.getByRole("option", { name: "<b id=hit>" }).waitFor();
    expect(await page.locator("#hit").count()).toBe(0);
  });

  test("another session's reply does not appear here; it counts as unread there [13]", async () => {
    const other = freshSession();
    await open();
    await message().fill("");
    const ended = wire.event("chat", ({ state, sessionKey }) => state === "final" && sessionKey === other);
    await wire.call("chat.send", { sessionKey: other, message: "elsewhere", idempotencyKey: other });
    await ended;
    await page.locator(".session-button .unread").waitFor();
    expect(await log().count()).toBe(0);
    expect(await page.title()).toMatch(/^\(\d+\) /);
  });

  test("a run of another client in this session streams here and ends in the history [12]", async () => {
    const key = await open();
    gateway.script = () => ["From elsewhere."];
    await wire.call("chat.send", { sessionKey: key, message: "hello there", idempotencyKey: key });
    await log().getByText("From elsewhere.").waitFor();
    await log().getByText("hello there").waitFor();
    await idle();
    expect(await log().getByText("From elsewhere.").count()).toBe(1);
  });

  test("a slash opens the commands; picking one fills it in, and it is answered", async () => {
    await open();
    await message().fill("/sta");
    await page.getByRole("option", { name: "/status" }).waitFor();
    await message().press("Tab");
    expect(await message().inputValue()).toMatch(/^\/status/);
    await message().press("Enter");
    await log()
      .getByText(/OpenClaw|Model|model/)
      .first()
      .waitFor();
    await idle();
  });

  test("a failing model is told in place, and asked again", async () => {
    let failing = true;
    gateway.script = () => (failing ? { status: 400, body: { error: { message: "bad request" } } } : ["Better now."]);
    await open();
    await say("Try");
    await page.getByRole("button", { name: "Ask again" }).waitFor();
    failing = false;
    await page.getByRole("button", { name: "Ask again" }).click();
    await log().getByText("Better now.").waitFor();
    await idle();
    expect(await page.getByRole("button", { name: "Ask again" }).count()).toBe(0);
  });

  test("renaming, choosing a model, starting over and deleting a session [24]", async () => {
    const key = await open();
    await say("Hello");
    await log().getByText("Understood.").waitFor();
    await idle();
    const menu = async (item: string) => {
      await page.getByRole("button", { name: "Session", exact: true }).click();
      await page.getByRole("menuitem", { name: item }).click();
    };
    await menu("Rename");
    await page.getByLabel("Name", { exact: true }).fill(`Named ${key.slice(-3)}`);
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByRole("heading", { name: `Named ${key.slice(-3)}` }).waitFor();
    await page.getByLabel("Model").selectOption("mock/mock-2");
    await expect
      .poll(async () => {
        const { sessions: rows } = await wire.call<{ sessions: { key: string; model: string }[] }>("sessions.list", {});
        return rows.find((row) => row.key === key)?.model;
      })
      .toBe("mock-2");
    await menu("Start over");
    await page.getByRole("button", { name: "Start over" }).click();
    await page.getByRole("heading", { name: /^Talk to/ }).waitFor();
    await menu("Delete");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: "Main session" }).waitFor();
    await page.getByRole("button", { name: "Session", exact: true }).click();
    expect(await page.getByRole("menuitem", { name: "Delete" }).isDisabled()).toBe(true);
  });

  test("drafts stay with their sessions, over switches and reloads", async () => {
    const [one, two] = [freshSession(), freshSession()];
    for (const key of [one, two])
      await wire.call("sessions.patch", { key, label: `L ${key.slice(-2)} ${key}`.slice(0, 60) });
    await open(one);
    await message().fill("for one");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /^Search/ }).fill(two);
    await page
      .getByRole("dialog")
      .getByRole("option", { name: new RegExp(`^L ${two.slice(-2)}`) })
      .waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toContain(two);
    await message().fill("for two");
    await page.goBack();
    await expect.poll(() => message().inputValue()).toBe("for one");
    await page.reload();
    await connected(page);
    expect(await message().inputValue()).toBe("for one");
  });

  test("two hundred chunks a second drop no key that is typed", async () => {
    const steps: Step[] = [];
    for (let index = 0; index < 300; index++) steps.push(`word${index} `, { delayMs: 4 });
    gateway.script = () => steps;
    await open();
    await say("Go on");
    await log().getByText("word5").first().waitFor();
    const typed = "the quick brown fox jumps over the lazy dog";
    await message().pressSequentially(typed, { delay: 8 });
    expect(await message().inputValue()).toBe(typed);
    await log().getByText("word299").waitFor();
    await idle();
  });

  test("five thousand messages: a window of them is in the page, and the first one can be reached", async () => {
    const key = freshSession();
    await wire.call("sessions.patch", { key, label: `Long ${key}` });
    const total = 5_000;
    for (let from = 0; from < total; from += 250)
      await Promise.all(
        Array.from({ length: 250 }, (_, index) =>
          wire.call("chat.inject", { sessionKey: key, message: `note ${from + index} ${"text ".repeat(index % 40)}` }),
        ),
      );
    await open(key);
    await log()
      .getByText(/^note 4999/)
      .waitFor();
    expect(await log().locator("[data-row]").count()).toBeLessThan(60);
    await page.evaluate(
      "globalThis.longest = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, entry.duration); }).observe({ type: 'longtask' });",
    );
    await page.evaluate(
      "globalThis.climb = setInterval(() => { document.querySelector('[role=log]').scrollTop = 0; }, 30)",
    );
    await log()
      .getByText(/^note 0$/)
      .waitFor();
    await page.evaluate("clearInterval(globalThis.climb)");
    expect(await log().locator("[data-row]").count()).toBeLessThan(60);
    await page.getByRole("button", { name: "To the end" }).click();
    await log()
      .getByText(/^note 4999/)
      .waitFor();
    // The reference is 100 ms on a machine at rest; this one is shared.
    expect(await page.evaluate<number>("globalThis.longest")).toBeLessThan(500);
  });

  test("what is being read stays where it is while new messages come", async () => {
    const key = freshSession();
    await wire.call("sessions.patch", { key, label: `Read ${key}` });
    for (let index = 0; index < 60; index++)
      await wire.call("chat.inject", { sessionKey: key, message: `line ${index} ${"words ".repeat(30)}` });
    await open(key);
    await log()
      .getByText(/^line 59/)
      .waitFor();
    await log().evaluate((list) => {
      list.scrollTop -= 1_500;
    });
    await page.getByRole("button", { name: "To the end" }).waitFor();
    const place = () =>
      log().evaluate((list) => {
        const top = list.getBoundingClientRect().top;
        const row = [...list.querySelectorAll("[data-row]")].find(
          (entry) => entry.getBoundingClientRect().bottom > top + 5,
        );
        return `${row?.getAttribute("data-row")} ${Math.round((row?.getBoundingClientRect().top ?? 0) - top)}`;
      });
    const before = await place();
    await page.reload();
    await connected(page);
    await expect.poll(place).toBe(before);
    await wire.call("chat.inject", { sessionKey: key, message: "one more" });
    await page.getByRole("button", { name: "New messages" }).waitFor();
    expect(await place()).toBe(before);
    await page.getByRole("button", { name: "New messages" }).click();
    await log().getByText("one more").waitFor();
  });
}
