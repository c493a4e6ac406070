import { afterEach, describe, expect, test } from "vitest";
import { createLogger, type Line } from "../kernel/log.ts";
import { FrameLog } from "./frame-log.ts";
import { startRig, testToken, type Rig } from "./server.fixture.ts";

const connId = "0a1b2c3d-0000-4000-8000-00000000beef";
const lines: Line[] = [];
const make = () => {
  lines.length = 0;
  return new FrameLog(createLogger({ subsystem: "ws", sinks: [(line) => void lines.push(line)], now: () => 0 }));
};
const text = () => JSON.stringify(lines);

describe("a line per frame", () => {
  test("shortens ids, cuts long values and marks the direction", () => {
    const frames = make();
    frames.received(
      connId,
      Buffer.from(JSON.stringify({ type: "req", id: connId, method: "agent", params: { label: "x".repeat(500) } })),
    );
    frames.sent(connId, JSON.stringify({ type: "res", id: connId, ok: false, error: { code: "UNAVAILABLE" } }));
    frames.sent(connId, '{"type":"event","event":"tick","payload":{"ts":1}}');
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      "debug ← req agent conn=0a1b2c3d…beef id=0a1b2c3d…beef",
      "debug → res ✗ conn=0a1b2c3d…beef id=0a1b2c3d…beef",
      "debug → event tick conn=0a1b2c3d…beef",
    ]);
    expect(lines[0]?.fields?.params).toEqual({ label: `${"x".repeat(240)}…` });
  });

  test("never shows what a name marks as secret, nor the text of a config", () => {
    const frames = make();
    const params = { auth: { token: "open-sesame", deviceToken: "open-sesame" }, raw: "{ apiKey: 'open-sesame' }" };
    frames.received(connId, Buffer.from(JSON.stringify({ type: "req", id: "1", method: "connect", params })));
    expect(text()).not.toContain("open-sesame");
    expect(text()).toContain("[25 characters]");
  });

  test("writes the length of what people and tools say, not the words, and errors as they are", () => {
    const frames = make();
    const words = "the key is under the mat";
    frames.received(connId, Buffer.from(JSON.stringify({ type: "req", method: "agent", params: { message: words } })));
    const data = {
      phase: "result",
      name: "exec",
      result: { content: [{ type: "text", text: words }] },
      args: { a: [words] },
    };
    frames.sent(connId, JSON.stringify({ type: "event", event: "agent", payload: { stream: "tool", data } }));
    frames.sent(
      connId,
      JSON.stringify({ type: "res", ok: true, payload: { messages: [{ content: words }], config: { x: words } } }),
    );
    frames.sent(connId, JSON.stringify({ type: "res", ok: false, error: { message: "no such session" } }));
    expect(text()).not.toContain(words);
    expect(text().split(`[${words.length} characters]`)).toHaveLength(6);
    expect(text()).toContain("no such session");
    expect(text()).toContain("exec");
  });

  test("is bounded in depth, items and size, and says when a frame is not JSON", () => {
    const frames = make();
    let deep: unknown = 1;
    for (let i = 0; i < 50; i++) deep = { deep };
    frames.sent(connId, JSON.stringify({ type: "event", event: "x", payload: { deep, list: Array(1_000).fill(1) } }));
    frames.sent(connId, "x".repeat(100_000));
    frames.received(connId, Buffer.from("{bad"));
    expect(text().length).toBeLessThan(2_000);
    expect(lines[1]?.message).toContain("bytes=100000");
    expect(lines[2]?.message).toContain("not JSON");
  });
});

describe("in the server", () => {
  let rig: Rig;
  afterEach(() => rig.close());
  const said = (part: string) => rig.lines.filter(({ message }) => message.includes(part)).length;

  test("full shows every frame and no token; otherwise there is a line per request", async () => {
    rig = await startRig({ settings: { verbose: true, logFrames: true } });
    const client = await rig.hello();
    await client.request("health");
    rig.publish("tick", { ts: 1 });
    await client.until((frame) => frame.event === "tick");
    for (const part of ["→ event connect.challenge", "← req connect", "→ res ✓", "← req health", "→ event tick"])
      expect(said(part), part).toBeGreaterThan(0);
    expect(said("⇄ res")).toBe(0);
    expect(JSON.stringify(rig.lines)).not.toContain(testToken);
  });

  test("without --verbose no frame is shown", async () => {
    rig = await startRig({ settings: { logFrames: true } });
    await (await rig.hello()).request("health");
    expect(said("←") + said("→")).toBe(0);
  });

  test("an unknown method leaves a line, but not without end", async () => {
    rig = await startRig();
    const client = await rig.hello();
    for (let i = 0; i < 200; i++) client.send({ type: "req", id: `u${i}`, method: "no.such" });
    await client.until((frame) => frame.id === "u199");
    expect(said("unknown method conn=")).toBeGreaterThan(0);
    expect(said("unknown method conn=")).toBeLessThanOrEqual(50);
  });
});
