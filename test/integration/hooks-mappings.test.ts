/** Rules for webhooks of other programs: matching, templates, transforms (http.md §12.13, W19-W29). */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ended, hookToken, lastAsked, notes, type Setting, startHooks } from "./hooks-set-up.ts";

describe("mappings", () => {
  let setting: Setting;
  beforeAll(async () => {
    setting = await startHooks({
      path: "in/",
      presets: ["gmail"],
      transformsDir: undefined,
      mappings: [
        {
          match: { path: "/both/", source: "a" },
          messageTemplate: "both {{source}}",
          name: "Both",
          wakeMode: "next-heartbeat",
        },
        { match: { path: "both" }, messageTemplate: "path only", wakeMode: "next-heartbeat" },
        { match: { source: "only-source" }, action: "wake", textTemplate: "from {{path}}", wakeMode: "next-heartbeat" },
        {
          id: "values",
          match: { path: "values" },
          messageTemplate:
            "a={{items[1].name}} b={{missing.deep}} c={{object}} d={{headers.X-Kind}} e={{query.q}} f={{now}} g={{payload.flag}} h={{headers.authorization}}",
          wakeMode: "next-heartbeat",
          allowUnsafeExternalContent: true,
        },
        {
          match: { path: "proto" },
          messageTemplate: "[{{__proto__.x}}][{{constructor.name}}][{{toString}}][{{payload.__proto__.polluted}}]",
          wakeMode: "next-heartbeat",
        },
        { match: { path: "gmail", source: "mine" }, messageTemplate: "own rule", wakeMode: "next-heartbeat" },
        { match: { path: "empty" }, messageTemplate: "{{nothing}}", wakeMode: "next-heartbeat" },
        { match: { path: "empty-wake" }, action: "wake", textTemplate: "{{nothing}}" },
        ...["nothing", "override", "switch", "broken", "endless", "missing", "escape"].map((name) => ({
          id: name,
          match: { path: name },
          messageTemplate: "template",
          wakeMode: "next-heartbeat",
          transform: { module: name === "escape" ? "linked.mjs" : "shapes.mjs", export: name },
        })),
      ],
    });
    const { home } = setting.world;
    writeFileSync(
      join(home.state, "shapes.mjs"),
      `export const nothing = () => null;
       export const override = async ({ payload, headers, path }) => ({ message: payload.word + path + Object.keys(headers).includes("authorization") + Object.keys(process.env).length, name: "Shaped", agentId: "ignored" });
       export const switchKind = 1; export { switched as switch }; function switched() { return { kind: "wake", text: "switched", mode: "next-heartbeat" }; }
       export const broken = () => { throw new Error("secret reason"); };
       export const endless = () => { for (;;); };`,
    );
    mkdirSync(join(home.path, "elsewhere"));
    writeFileSync(join(home.path, "elsewhere", "evil.mjs"), "export const escape = () => ({ message: 'escaped' });");
    symlinkSync(join(home.path, "elsewhere", "evil.mjs"), join(home.state, "linked.mjs"));
    setting.world.script = () => ["done"];
  });
  afterAll(() => setting.world.stop());

  test("W28 the base is the one of the config", async () => {
    expect([404, 405]).toContain((await setting.post("/hooks/wake", { text: "x" })).status);
    expect((await setting.post("/in/wake", { text: "x", mode: "next-heartbeat" })).status).toBe(200);
  });

  test("W19 rules fit by path, by source, or by both; the first one counts", async () => {
    const { post, wire } = setting;
    await ended(wire, await post("/in/both", { source: "a" }));
    expect(lastAsked(setting)).toContain("both a");
    await ended(wire, await post("/in/both", { source: "b" }));
    expect(lastAsked(setting)).toContain("path only");
    const woken = await post("/in/anything", { source: "only-source" });
    expect([woken.status, await woken.json()]).toEqual([200, { ok: true, mode: "next-heartbeat" }]);
    expect((await notes(wire)).some((note) => note.endsWith(": from anything"))).toBe(true);
    expect((await post("/in/anything", { source: "other" })).status).toBe(404);
    // A rule of one's own comes before the preset of the same path.
    const sample = { messages: [{ id: "m0", from: "a", subject: "b", snippet: "c", body: "d" }] };
    await ended(wire, await post("/in/gmail", { ...sample, source: "mine" }));
    expect(lastAsked(setting)).toContain("own rule");
    await ended(wire, await post("/in/gmail", sample));
    expect(lastAsked(setting)).toContain("webhook Gmail");
  });

  test("W20, W25 templates read lists, objects, headers and the query; credentials are not among them", async () => {
    const { post, wire } = setting;
    const body = { items: [{ name: "x" }, { name: "second" }], object: { k: [1] }, flag: false };
    await ended(wire, await post("/in/values?q=find%20me", body, { "x-kind": "push" }));
    const [, now = ""] = /f=(\S+) g/u.exec(lastAsked(setting)) ?? [];
    expect(lastAsked(setting)).toContain(`a=second b= c={"k":[1]} d=push e=find me f=${now} g=false h=`);
    expect(lastAsked(setting)).not.toContain("UNTRUSTED");
    expect(lastAsked(setting)).not.toContain(hookToken);
    expect(Number.isNaN(Date.parse(now))).toBe(false);
  });

  test("W21 nothing of a prototype is reached", async () => {
    const { post, wire } = setting;
    await ended(wire, await post("/in/proto", '{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"x":1}}}'));
    expect(lastAsked(setting)).toContain("[][][][yes]");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("W23 an empty result is refused", async () => {
    const { post } = setting;
    expect(await (await post("/in/empty", {})).json()).toEqual({ ok: false, error: "hook mapping requires message" });
    expect(await (await post("/in/empty-wake", {})).json()).toEqual({ ok: false, error: "hook mapping requires text" });
  });

  test("W22 a transform can drop, override and switch; what fails says nothing of why", async () => {
    const { post, wire } = setting;
    const dropped = await post("/in/nothing", {});
    expect([dropped.status, await dropped.text()]).toEqual([204, ""]);
    await ended(wire, await post("/in/override", { word: "over" }));
    expect(lastAsked(setting)).toContain("overoverridefalse0");
    const switched = await post("/in/switch", {});
    expect([switched.status, await switched.json()]).toEqual([200, { ok: true, mode: "next-heartbeat" }]);
    for (const path of ["broken", "missing", "escape"]) {
      const answer = await post(`/in/${path}`, {});
      expect([path, answer.status, await answer.json()]).toEqual([
        path,
        500,
        { ok: false, error: "hook mapping failed" },
      ]);
    }
  });

  test("W22 a transform that never ends is ended, and nothing else waits for it", async () => {
    const { post, world, wire } = setting;
    const answer = post("/in/endless", {});
    await fetch(`${world.gateway.httpUrl}/healthz`);
    await ended(wire, await post("/in/override", { word: "meanwhile" }));
    await world.gateway.world.jump(10_500);
    expect((await answer).status).toBe(500);
    expect((await post("/in/nothing", {})).status).toBe(204);
  });

  test("W29 the gmail preset renders a mail", async () => {
    const { post, wire } = setting;
    const mail = {
      id: "m1",
      from: "Ann <ann@example.com>",
      subject: "Lunch",
      snippet: "At one?",
      body: "At one, at the usual place?",
    };
    await ended(wire, await post("/in/gmail", { messages: [mail] }));
    for (const part of [mail.from, mail.subject, mail.snippet, mail.body, "webhook Gmail"])
      expect(lastAsked(setting)).toContain(part);
    const { sessions } = await wire.call<{ sessions: { key: string }[] }>("sessions.list", {});
    expect(sessions.map(({ key }) => key)).toContain("agent:main:hook:gmail:m1");
  });
});
