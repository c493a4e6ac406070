/** The A2UI page in a real Chromium: the public v0.8 examples validate and render, hostile documents do no harm, and a press of a
 *  button reaches the agent (canvas-browser-nodes.md §4-6, V16). */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readA2uiLines } from "../../packages/gateway/src/features/canvas/a2ui-lines.ts";
import { publishA2ui } from "../../scripts/build/a2ui.ts";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { freePort } from "../support/process.ts";
import type { Wire } from "../support/wire.ts";
import { browserPath, closeBrowser, needsBrowser, openVisit, type Visit } from "./browser.ts";

type Message = Record<string, Record<string, unknown>>;

const fixtures = join(import.meta.dirname, "../fixtures/a2ui-v0.8");
const examples = ["minimal", "basic"].flatMap((set) =>
  readdirSync(join(fixtures, "examples", set)).map((file) => {
    const messages = JSON.parse(readFileSync(join(fixtures, "examples", set, file), "utf8")) as Message[];
    return { name: `${set}/${file.replace(".json", "")}`, messages };
  }),
);
/** For people who want to look: a folder named here gets a picture of each example. */
const pictures = process.env["A2UI_PICTURES"];

const none = browserPath() === undefined;

describe.skipIf(none)(none ? `the A2UI page (${needsBrowser})` : "the A2UI page", () => {
  let gateway: ScriptedGateway;
  let node: Wire & { hello: Record<string, unknown> };
  let visit: Visit;
  let page: Page;
  let canvas: string;

  beforeAll(async () => {
    await publishA2ui();
    gateway = await openScriptedGateway({ config: { canvasHost: { port: await freePort() } } });
    node = await gateway.connect({
      role: "node",
      client: { id: "openclaw-ios", mode: "node", displayName: "Ann's iPad", instanceId: "ipad-1" },
    });
    canvas = String(node.hello["canvasHostUrl"]);
    visit = await openVisit(new URL(canvas).origin);
    ({ page } = visit);
    if (pictures) mkdirSync(pictures, { recursive: true });
  }, 60_000);
  afterAll(async () => {
    await visit?.close();
    await closeBrowser();
    await node?.close();
    await gateway?.stop();
  });
  beforeEach(async () => {
    visit.strays.length = 0;
    visit.complaints.length = 0;
    await page.goto(`${canvas}/__openclaw__/a2ui/?platform=ios`);
    await page.waitForFunction("globalThis.openclawA2UI !== undefined");
  });

  const apply = (messages: unknown): Promise<{ ok: true; surfaces: string[] }> =>
    page.evaluate(`openclawA2UI.applyMessages(${JSON.stringify(messages)})`);

  const component = (id: string, type: string, props: unknown) => ({ id, component: { [type]: props } });
  const document = (components: unknown[], contents: unknown[] = []) => [
    { surfaceUpdate: { surfaceId: "main", components } },
    { dataModelUpdate: { surfaceId: "main", contents } },
    { beginRendering: { surfaceId: "main", root: "root" } },
  ];
  const text = (literalString: string) => ({ text: { literalString } });

  describe("the public examples", () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const schema = JSON.parse(
      readFileSync(join(fixtures, "server_to_client_with_standard_catalog.json"), "utf8"),
    ) as Record<string, unknown>;
    delete schema["$schema"];
    const valid = ajv.compile(schema);

    test("there are thirty-five of them", () => expect(examples).toHaveLength(35));

    test.each(examples)("$name validates, passes as lines, and renders whole", async ({ name, messages }) => {
      for (const message of messages) expect(valid(message), JSON.stringify(valid.errors)).toBe(true);
      const lines = messages.map((message) => JSON.stringify(message)).join("\n");
      expect(readA2uiLines(lines)).toMatchObject({ ok: true });
      const surfaceId = messages.find((message) => message["beginRendering"])?.["beginRendering"]?.["surfaceId"];
      expect(await apply(messages)).toEqual({ ok: true, surfaces: [surfaceId] });
      const components = messages.flatMap(
        (message) =>
          (message["surfaceUpdate"]?.["components"] ?? []) as { id: string; component: Record<string, unknown> }[],
      );
      const shown = await page.evaluate<string[]>(
        'Array.from(document.querySelectorAll("[data-component]"), (one) => one.dataset.component)',
      );
      expect([...new Set(shown)].sort()).toEqual([...new Set(components.map(({ id }) => id))].sort());
      expect(await page.locator(".placeholder").count()).toBe(0);
      for (const { id, component: body } of components) {
        const literal = (body["Text"] as { text?: { literalString?: string } } | undefined)?.text?.literalString;
        if (literal === undefined) continue;
        const seen = await page.locator(`[data-component="${id}"]`).first().textContent();
        expect(seen?.replaceAll(/[\s*#`]/gu, "")).toBe(literal.replaceAll(/[\s*#`]/gu, ""));
      }
      const bound = components.flatMap(({ id, component: body }) => {
        const path = (body["Text"] as { text?: { path?: string } } | undefined)?.text?.path;
        return path === undefined ? [] : [{ id, path }];
      });
      for (const { id } of bound)
        expect(await page.locator(`[data-component="${id}"]`).first().textContent(), `${id} shows its data`).not.toBe(
          "",
        );
      const wide = await page.evaluate<boolean>("document.documentElement.scrollWidth <= innerWidth");
      expect(wide, "nothing sticks out").toBe(true);
      expect(visit.complaints.filter((line) => !/Failed to load resource|ERR_/u.test(line))).toEqual([]);
      if (pictures) await page.screenshot({ path: join(pictures, `${name.replace("/", "-")}.png`) });
    });
  });

  test("the page says that it waits, knows its platform, and forgets on reset", async () => {
    expect(await page.textContent(".empty")).toBe("Waiting for messages.");
    expect(await page.getAttribute("html", "data-platform")).toBe("ios");
    await apply(document([component("root", "Text", text("hello"))]));
    expect(await page.evaluate("openclawA2UI.getSurfaces()")).toEqual(["main"]);
    expect(await page.evaluate("openclawA2UI.reset()")).toEqual({ ok: true });
    expect(await page.evaluate("openclawA2UI.getSurfaces()")).toEqual([]);
    expect(await page.textContent(".empty")).toBe("Waiting for messages.");
    await expect(page.evaluate("openclawA2UI.applyMessages({})")).rejects.toThrow("must be a list");
    await expect(apply([{ createSurface: { surfaceId: "x" } }])).rejects.toThrow("v0.9 is not supported");
  });

  test("nothing shows before it begins; components may come later; a later one replaces an earlier one", async () => {
    await apply([
      {
        surfaceUpdate: {
          surfaceId: "main",
          components: [
            component("root", "Column", { children: { explicitList: ["a", "b"] } }),
            component("a", "Text", text("first")),
          ],
        },
      },
    ]);
    expect(await page.locator(".surface").count()).toBe(0);
    await apply([{ beginRendering: { surfaceId: "main", root: "root" } }]);
    expect(await page.textContent(".surface")).toBe("first");
    await apply([
      {
        surfaceUpdate: {
          surfaceId: "main",
          components: [component("b", "Text", text(" second")), component("a", "Text", text("changed"))],
        },
      },
    ]);
    expect(await page.textContent(".surface")).toBe("changed second");
    await apply([
      { deleteSurface: { surfaceId: "main" } },
      ...document([component("root", "Text", { text: { path: "/left" } })]),
    ]);
    expect(await page.textContent(".surface")).toBe("");
  });

  test("templates follow the data, and inputs change it where they stand", async () => {
    const item = (key: string, name: string) => ({ key, valueMap: [{ key: "name", valueString: name }] });
    await apply(
      document(
        [
          component("root", "Column", { children: { explicitList: ["list", "field", "echo", "check"] } }),
          component("list", "List", { children: { template: { componentId: "item", dataBinding: "/items" } } }),
          component("item", "Text", { text: { path: "name" } }),
          component("field", "TextField", {
            label: { literalString: "Name" },
            text: { path: "/form/name" },
            validationRegexp: "^[a-z]+$",
          }),
          component("echo", "Text", { text: { path: "/form/name" } }),
          component("check", "CheckBox", { label: { literalString: "Sure" }, value: { path: "/form/sure" } }),
        ],
        [{ key: "items", valueMap: [item("0", "one"), item("1", "two")] }],
      ),
    );
    expect(await page.locator('[data-component="item"]').allTextContents()).toEqual(["one", "two"]);
    await page.getByLabel("Name").pressSequentially("ann");
    expect(await page.textContent('[data-component="echo"]')).toBe("ann");
    expect(await page.getByLabel("Name").getAttribute("aria-invalid")).toBe("false");
    await page.getByLabel("Name").pressSequentially("7");
    expect(await page.getByLabel("Name").getAttribute("aria-invalid")).toBe("true");
    await page.getByLabel("Sure").check();
    await apply([{ dataModelUpdate: { surfaceId: "main", path: "/items", contents: [item("2", "three")] } }]);
    expect(await page.locator('[data-component="item"]').allTextContents()).toEqual(["one", "two", "three"]);
  });

  test("every component of the catalogue has a view", async () => {
    const { components } = JSON.parse(readFileSync(join(fixtures, "standard_catalog_definition.json"), "utf8")) as {
      components: Record<string, unknown>;
    };
    const label = { label: { literalString: "L" } };
    const props: Record<string, unknown> = {
      Tabs: {
        tabItems: [
          { title: { literalString: "One" }, child: "leaf" },
          { title: { literalString: "Two" }, child: "leaf" },
        ],
      },
      Modal: { entryPointChild: "leaf", contentChild: "leaf" },
      Card: { child: "leaf" },
      Button: { child: "leaf", action: { name: "x" } },
      Text: text("t"),
      Icon: { name: { literalString: "star" } },
      Slider: { ...label, value: { literalNumber: 5 }, minValue: 0, maxValue: 10 },
      MultipleChoice: {
        selections: { path: "/chosen" },
        options: [
          { label: { literalString: "A" }, value: "a" },
          { label: { literalString: "B" }, value: "b" },
        ],
        maxAllowedSelections: 1,
        filterable: true,
      },
      DateTimeInput: { value: { literalString: "2026-02-01T10:30" }, enableDate: true, enableTime: true },
      CheckBox: { ...label, value: { literalBoolean: true } },
      TextField: { ...label, textFieldType: "longText" },
    };
    const names = Object.keys(components);
    expect(names).toHaveLength(18);
    await apply(
      document([
        component("root", "Column", { children: { explicitList: names } }),
        component("leaf", "Text", text("leaf")),
        ...names.map((name) => component(name, name, props[name] ?? { children: { explicitList: [] } })),
      ]),
    );
    expect(await page.locator(".placeholder").count()).toBe(0);
    for (const name of names)
      expect([name, await page.locator(`[data-component="${name}"]`).count()]).toEqual([name, 1]);
    await page.getByRole("tab", { name: "Two" }).click();
    expect(await page.getByRole("tab", { name: "Two" }).getAttribute("aria-selected")).toBe("true");
    await page.getByLabel("B", { exact: true }).check();
    await page.locator(".modal-entry").click();
    expect(await page.locator("dialog[open]").count()).toBe(1);
  });

  test("hostile documents show as text or not at all, and fetch from nowhere but https", async () => {
    const loop = component("loop", "Card", { child: "root" });
    await apply(
      document(
        [
          component("root", "Column", {
            children: { explicitList: ["html", "loop", "odd", "proto", "pic", "file", "js", "deep", "re"] },
          }),
          component(
            "html",
            "Text",
            text('<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>'),
          ),
          loop,
          component("odd", "Marquee", {}),
          component("proto", "constructor", {}),
          component("pic", "Image", { url: { literalString: "http://insecure.example/a.png" } }),
          component("file", "Image", { url: { literalString: "file:///etc/passwd" } }),
          component("js", "Image", { url: { literalString: "javascript:globalThis.hacked=1" } }),
          component("re", "TextField", { label: { literalString: "R" }, text: { path: "/r" }, validationRegexp: "(" }),
          ...Array.from({ length: 100 }, (_, n) =>
            component(n === 0 ? "deep" : `deep${n}`, "Card", { child: `deep${n + 1}` }),
          ),
        ],
        [
          { key: "__proto__", valueMap: [{ key: "polluted", valueString: "yes" }] },
          { key: "constructor", valueString: "x" },
        ],
      ),
    );
    expect(await page.textContent('[data-component="html"]')).toContain("<img src=x");
    expect(await page.locator(".placeholder").allTextContents()).toEqual([
      "root contains itself",
      "unknown component Marquee",
      "unknown component constructor",
      "too much to show",
    ]);
    await page.getByLabel("R").fill("x");
    expect(await page.evaluate("[globalThis.hacked, ({}).polluted]")).toEqual([undefined, undefined]);
    expect(visit.strays).toEqual([]);
    expect(await page.locator("img[src]").count()).toBe(0);
  });

  const confirm = (context: unknown[]) =>
    document(
      [
        component("root", "Column", { children: { explicitList: ["qty", "btn1"] } }),
        component("qty", "TextField", { label: { literalString: "Quantity" }, text: { path: "/qty" } }),
        component("btn1", "Button", { child: "ok", primary: true, action: { name: "confirm order", context } }),
        component("ok", "Text", text("Confirm")),
      ],
      [{ key: "qty", valueString: "1" }],
    );

  test("a document that is far too large shows its beginning, at once, and the page goes on", async () => {
    const taken = await page.evaluate(`(() => {
      const ids = Array.from({ length: 200000 }, (_, i) => "c" + (i % 4000));
      const list = (id, children) => ({ id, component: { Column: { children: { explicitList: children } } } });
      const components = [
        list("root", ids),
        ...Array.from({ length: 100000 }, (_, i) => list("c" + i, i % 2 ? ids : ["root", "c" + (i + 1), "c" + (i + 1)])),
      ];
      const options = ids.map((value) => ({ label: { literalString: value }, value }));
      const begun = performance.now();
      openclawA2UI.applyMessages([
        { surfaceUpdate: { surfaceId: "main", components } },
        { beginRendering: { surfaceId: "main", root: "root" } },
        { surfaceUpdate: { surfaceId: "more", components: [
          { id: "root", component: { Tabs: { tabItems: ids.map((child) => ({ title: { literalString: child }, child })) } } },
        ] } },
        { beginRendering: { surfaceId: "more", root: "root" } },
        { surfaceUpdate: { surfaceId: "many", components: [
          { id: "root", component: { MultipleChoice: { selections: { path: "/x" }, options } } },
        ] } },
        { beginRendering: { surfaceId: "many", root: "root" } },
      ]);
      return { ms: performance.now() - begun, elements: document.querySelectorAll("*").length };
    })()`);
    const { ms, elements } = taken as { ms: number; elements: number };
    expect(elements).toBeLessThan(20_000);
    expect(ms).toBeLessThan(10_000);
    expect(await page.getByText("too much to show").count()).toBe(1);
    await apply(document([component("root", "Text", text("still here"))]));
    expect(await page.getByText("still here").count()).toBe(1);
  });

  test("a press of a button reaches the agent with what the form says, and the page hears that it was taken", async () => {
    gateway.script = () => ["Order placed."];
    await apply(
      confirm([
        { key: "qty", value: { path: "/qty" } },
        { key: "kind", value: { literalString: "tea" } },
      ]),
    );
    await page.getByLabel("Quantity").fill("2");
    const operator = await gateway.connect({ client: { id: "gateway-client", mode: "backend" } });
    const done = operator.event(
      "agent",
      (payload) => payload.stream === "lifecycle" && (payload.data as { phase?: string }).phase === "end",
    );
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.waitForFunction('document.querySelector(".status").textContent === "Working: confirm order"');
    await done;
    const line =
      'CANVAS_A2UI action=confirm_order session=agent:main:main surface=main component=btn1 host=Ann_s_iPad instance=ipad-1 ctx={"qty":"2","kind":"tea"} default=update_canvas';
    expect(JSON.stringify(gateway.provider.requests.at(-1)?.body)).toContain(
      JSON.stringify(line).slice(1, -1).replaceAll("\\", "\\\\\\").replaceAll('\\\\"', '"').slice(0, 60),
    );
    const { messages } = await operator.call<{ messages: { role: string; content: { text: string }[] }[] }>(
      "chat.history",
      { sessionKey: "main" },
    );
    expect(messages.find(({ role }) => role === "user")?.content[0]?.text).toContain(line);
    const { $schema: _dialect, ...events } = JSON.parse(
      readFileSync(join(fixtures, "client_to_server.json"), "utf8"),
    ) as Record<string, unknown>;
    const valid = new Ajv({ strict: false, validateFormats: false }).compile(events);
    const { id: _, ...action } = await page.evaluate<Record<string, unknown>>("globalThis.openclawLastA2UIAction");
    expect(valid({ userAction: action }), JSON.stringify(valid.errors)).toBe(true);
    await apply(document([component("root", "Text", text("done"))]));
    expect(await page.locator(".status").isHidden()).toBe(true);
    await operator.close();
  });

  test("without an app and without an address of its own the page says that nobody takes the action", async () => {
    const plain = new URL(canvas).origin;
    await page.goto(`${plain}/__openclaw__/a2ui/`);
    await apply(confirm([]));
    await page.getByRole("button", { name: "Confirm" }).click();
    expect(await page.textContent(".toast")).toBe("confirm order: missing native bridge");
    expect(await page.textContent(".status")).toBe("Failed: confirm order");
  });

  test("an app around the page gets the action as text, Apple's and Android's alike", async () => {
    for (const [app, script] of [
      [
        "webkit",
        "window.webkit = { messageHandlers: { openclawCanvasA2UIAction: { postMessage: (text) => (window.got = text) } } }",
      ],
      [
        "android",
        "window.openclawCanvasA2UIAction = { postMessage(text) { window.got = this === window.openclawCanvasA2UIAction && text; } }",
      ],
    ] as const) {
      await page.goto(`${canvas}/__openclaw__/a2ui/`);
      await page.evaluate(script);
      await apply(confirm([]));
      await page.getByRole("button", { name: "Confirm" }).click();
      const got = JSON.parse(await page.evaluate<string>("window.got")) as { userAction: Record<string, unknown> };
      expect([app, got.userAction]).toEqual([
        app,
        expect.objectContaining({ name: "confirm order", surfaceId: "main", id: expect.any(String) }),
      ]);
    }
  });

  test("a page in the sandbox of the main port renders too, and shares nothing with that port's own pages", async () => {
    await page.goto(`${gateway.httpUrl}/__openclaw__/a2ui/`);
    await page.waitForFunction("globalThis.openclawA2UI !== undefined");
    await apply(document([component("root", "Text", text("boxed"))]));
    expect(await page.textContent(".surface")).toBe("boxed");
    expect(await page.evaluate("origin")).toBe("null");
    await expect(page.evaluate("localStorage.length")).rejects.toThrow("sandboxed");
  });
});
