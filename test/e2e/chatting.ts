/** The conversation: control-ui.md §4 and the cases of §17 that are about it; their numbers in brackets. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { gate, openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import type { FakeRequest } from "../support/fake-provider/index.ts";
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

  test("a failed tool says so in words [19]", async () => {
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

  test("a pasted, dropped or picked picture is shown, sent and stands in the history; too large a one is refused here [18]", async () => {
    const key = await open();
    const hand = (event: string, carrier: string, name: string, to: string) =>
      page.evaluate(
        `(() => { const data = new DataTransfer(); const bytes = Uint8Array.from(atob("${pixel}"), (c) => c.charCodeAt(0));` +
          `data.items.add(new File([bytes], "${name}", { type: "image/png" }));` +
          `document.querySelector("${to}").dispatchEvent(new ${event}Event("${event === "Drag" ? "drop" : "paste"}", { ${carrier}: data, bubbles: true, cancelable: true })); })()`,
      );
    await hand("Clipboard", "clipboardData", "pasted.png", ".composer textarea");
    await page.getByAltText("pasted.png").waitFor();
    await hand("Drag", "dataTransfer", "dropped.png", ".composer");
    await page.getByAltText("dropped.png").waitFor();
    await page.getByRole("button", { name: "Remove dropped.png" }).click();
    await page.getByRole("button", { name: "Remove pasted.png" }).click();
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
      `<table><tr><td><table><tr><td>${"wide".repeat(400)}</td></tr></table></td></tr></table>`,
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
    // Nothing pushes the page apart.
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    expect(await log().evaluate((list) => list.scrollWidth - list.clientWidth)).toBe(0);
  });

  test("links open beside the app and tell nobody where from; tables and lists keep their form", async () => {
    gateway.script = () => [
      "[here](https://example.org)\n\n| a | n |\n| --- | ---: |\n| b | 12 |\n\n3. three\n4. four",
    ];
    await open();
    await say("Form");
    await log().getByRole("link", { name: "here" }).waitFor();
    const attributes = (selector: string, names: string[]) =>
      log()
        .locator(selector)
        .first()
        .evaluate((element, list) => list.map((name) => element.getAttribute(name)), names);
    expect(await attributes("a", ["target", "rel"])).toEqual(["_blank", "noreferrer noopener"]);
    expect(await attributes("td[align]", ["align"])).toEqual(["right"]);
    expect(await attributes("ol", ["start"])).toEqual(["3"]);
    await idle();
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

  test("the output of a tool is read beside the conversation; the split is kept, Esc closes it", async () => {
    gateway.script = (request) =>
      (request.body.messages as { role: string }[]).at(-1)?.role === "tool"
        ? ["Done."]
        : [
            "Look. ",
            { toolCall: { id: "c1", name: "exec", arguments: { command: "printf '# Report\\nall is well'" } } },
          ];
    await open();
    await say("Report");
    await log().getByText("Done.").waitFor();
    await idle();
    await page.locator(".tool-line").first().click();
    await page.getByRole("button", { name: "Open output beside the conversation" }).click();
    const panel = page.getByRole("complementary", { name: "Output of exec" });
    await panel.getByText("# Report").waitFor();
    await panel.locator("label", { hasText: "Markdown" }).click();
    await panel.getByRole("heading", { name: "Report", exact: true }).waitFor();
    const divider = page.getByRole("separator", { name: "Width of the conversation" });
    await divider.focus();
    for (let press = 0; press < 20; press++) await page.keyboard.press("ArrowLeft");
    expect(await divider.getAttribute("aria-valuenow")).toBe("40");
    const box = await divider.boundingBox();
    expect(box).not.toBeNull();
    const { x, y } = box ?? { x: 0, y: 0 };
    await page.mouse.move(x + 4, y + 100);
    await page.mouse.down();
    await page.mouse.move(x + 104, y + 100);
    await page.mouse.up();
    const kept = Number(await divider.getAttribute("aria-valuenow"));
    expect(kept).toBeGreaterThan(44);
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Open output beside the conversation" }).click();
    expect(Number(await divider.getAttribute("aria-valuenow"))).toBe(kept);
    await page.getByRole("button", { name: "Close the panel" }).click();
    await panel.waitFor({ state: "detached" });
  });

  test("pictures of a message that is being written stay with their session over a switch", async () => {
    const first = await open();
    const file = { name: "cat.png", mimeType: "image/png", buffer: Buffer.from(pixel, "base64") };
    await page.locator('.composer input[type="file"]').setInputFiles(file);
    await page.getByRole("img", { name: "cat.png" }).waitFor();
    await open();
    expect(await page.getByRole("img", { name: "cat.png" }).count()).toBe(0);
    await open(first);
    await page.getByRole("button", { name: "Remove cat.png" }).click();
    await page.getByRole("img", { name: "cat.png" }).waitFor({ state: "detached" });
  });

  test("a reply goes on while another session is looked at, and is there on return", async () => {
    gateway.script = (request) =>
      asked(request).includes("elsewhere") ? ["Nothing new."] : ["It begins ", { delayMs: 60_000 }, "and ends."];
    const first = await open();
    await say("Tell me slowly");
    await log().getByText("It begins").waitFor();
    await open();
    await say("What is new elsewhere?");
    await log().getByText("Nothing new.").waitFor();
    expect(await log().getByText("It begins").count()).toBe(0);
    await open(first);
    await log().getByText("It begins").waitFor();
    await page.getByRole("button", { name: "Stop the reply" }).click();
    await idle();
    await log().getByText("Stopped").waitFor();
    expect(await log().getByText("It begins").count()).toBe(1);
    expect(await log().getByText("Tell me slowly").count()).toBe(1);
  });
}
