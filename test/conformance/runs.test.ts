/** Cases 50-61: agent runs and chat. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import type { Wire, WireFrame } from "../support/wire.ts";
import { conformance, refused } from "./suite.ts";

const backend = { id: "gateway-client", mode: "backend" };
const ofRun = (wire: Wire, event: string, runId: string): WireFrame[] =>
  wire.events(event).filter((frame) => frame.payload?.runId === runId);
const textOf = (frame: WireFrame | undefined): string =>
  ((frame?.payload?.message as { content: { text: string }[] } | undefined)?.content ?? [])
    .map((part) => part.text)
    .join("");
const runData = (frame: WireFrame) => frame.payload?.data as Record<string, unknown>;

conformance("runs without a provider", {}, ({ blackBox }) => {
  blackBox(
    "case 50: accepted, events, chat final and the final answer come in this order on one id",
    async (target) => {
      const wire = await target.connect();
      const final = await wire.final(
        "agent",
        { message: "hello there", sessionKey: "case50", idempotencyKey: "case-50" },
        "q50",
      );
      expect(final).toMatchObject({
        id: "q50",
        ok: true,
        payload: { runId: "case-50", status: "ok", summary: "completed" },
      });
      const result = final.payload?.result as {
        payloads: { text: string; mediaUrl: null }[];
        meta: { aborted: boolean; agentMeta: Record<string, unknown> };
      };
      expect(result.payloads[0]?.text).toContain("hello there");
      expect(result.meta.aborted).toBe(false);
      expect(result.meta.agentMeta).toMatchObject({
        sessionId: expect.any(String),
        provider: expect.any(String),
        model: expect.any(String),
      });
      const order = wire.frames.flatMap((frame) => {
        if (frame.type === "res" && frame.id === "q50")
          return [frame.payload?.status === "accepted" ? "accepted" : "final"];
        if (frame.type !== "event" || frame.payload?.runId !== "case-50") return [];
        return frame.event === "chat" ? (frame.payload.state === "final" ? ["chat final"] : []) : ["event"];
      });
      expect(order[0]).toBe("accepted");
      expect(order.at(-1)).toBe("final");
      expect(order.at(-2)).toBe("chat final");
      expect(order.slice(1, -2).every((what) => what === "event")).toBe(true);
      await wire.close();
    },
  );

  blackBox("case 53: channels and agents are checked before acceptance", async (target) => {
    const wire = await target.connect();
    const accepted = await wire.request("agent", {
      message: "hi",
      sessionKey: "case53",
      channel: "whatsapp",
      idempotencyKey: "case-53a",
    });
    expect(accepted.payload).toMatchObject({ runId: "case-53a", status: "accepted", acceptedAt: expect.any(Number) });
    expect(
      refused(await wire.request("agent", { message: "hi", channel: "zz", idempotencyKey: "case-53b" })).message,
    ).toBe("invalid agent params: unknown channel: zz");
    expect(
      refused(await wire.request("agent", { message: "hi", agentId: "zz", idempotencyKey: "case-53c" })).message,
    ).toBe('invalid agent params: unknown agent id "zz"');
    await wire.event("chat", (payload) => payload.runId === "case-53a" && payload.state === "final");
    await wire.close();
  });

  blackBox("case 54: main and agent:main:main are one session, and events carry the canonical key", async (target) => {
    const wire = await target.connect();
    for (const [i, sessionKey] of ["main", "agent:main:main"].entries()) {
      const runId = `case-54-${i}`;
      await wire.call("chat.send", { sessionKey, message: "hi", idempotencyKey: runId });
      await wire.event("chat", (payload) => payload.runId === runId && payload.state === "final");
      const keys = [...ofRun(wire, "chat", runId), ...ofRun(wire, "agent", runId)].map(
        (frame) => frame.payload?.sessionKey,
      );
      expect(keys.length).toBeGreaterThan(2);
      expect(new Set(keys)).toEqual(new Set(["agent:main:main"]));
    }
    await wire.close();
  });

  blackBox("case 56: after the final the history holds the answer", async (target) => {
    const wire = await target.connect();
    await wire.call("chat.send", { sessionKey: "case56", message: "remember 56", idempotencyKey: "case-56" });
    await wire.event("chat", (payload) => payload.runId === "case-56" && payload.state === "final");
    const history = await wire.call<{ sessionKey: string; messages: { role: string; content: { text?: string }[] }[] }>(
      "chat.history",
      { sessionKey: "case56" },
    );
    expect(history.sessionKey).toBe("case56");
    expect(history.messages.map((message) => message.role)).toEqual(["user", "assistant"]);
    expect(JSON.stringify(history.messages[1])).toContain("remember 56");
    await wire.close();
  });

  blackBox(
    "case 60: a slash command is started, then answered by exactly one final without agent events",
    async (target) => {
      const wire = await target.connect();
      expect(
        await wire.call("chat.send", { sessionKey: "case60", message: "/status", idempotencyKey: "case-60" }),
      ).toEqual({ runId: "case-60", status: "started" });
      const final = await wire.event("chat", (payload) => payload.runId === "case-60");
      expect(final.payload).toMatchObject({
        state: "final",
        seq: 1,
        sessionKey: "agent:main:case60",
        message: { role: "assistant", stopReason: "stop", provider: "openclaw", model: "gateway-injected" },
      });
      await wire.settled();
      expect(ofRun(wire, "chat", "case-60")).toHaveLength(1);
      expect(ofRun(wire, "agent", "case-60")).toHaveLength(0);
      await wire.close();
    },
  );

  blackBox("case 59: an empty message, an oversized image and a file that is no image", async (target) => {
    const wire = await target.connect();
    const send = (more: Record<string, unknown>, key: string) =>
      wire.request("chat.send", { sessionKey: "case59", message: "", idempotencyKey: key, ...more });
    expect(refused(await send({}, "case-59a")).message).toBe("message or attachment required");
    const png = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(5_000_001 - 8)]).toString("base64");
    const big = refused(
      await send(
        { attachments: [{ type: "image", mimeType: "image/png", fileName: "big.png", content: png }] },
        "case-59b",
      ),
    );
    expect(big.message).toContain("exceeds size limit (5000001 > 5000000 bytes)");
    const pdf = Buffer.from("%PDF-1.7 hello").toString("base64");
    const answer = await send(
      { message: "with a file", attachments: [{ mimeType: "application/pdf", fileName: "a.pdf", content: pdf }] },
      "case-59c",
    );
    expect(answer.payload).toEqual({ runId: "case-59c", status: "started" });
    await wire.event("chat", (payload) => payload.runId === "case-59c" && payload.state === "final");
    const history = await wire.call("chat.history", { sessionKey: "case59" });
    expect(JSON.stringify(history)).not.toContain('"image"');
    await wire.close();
  });
});

const againstScriptedProvider = () => {
  let gateway: ScriptedGateway;
  beforeAll(async () => {
    gateway = await openScriptedGateway();
  });
  afterAll(async () => {
    await gateway.stop();
  });
  beforeEach(() => {
    gateway.script = () => ["ok"];
  });

  test("case 51: a duplicate gets the accepted answer while the run goes on, and the final one afterwards", async () => {
    const wire = await gateway.connect();
    gateway.script = () => [{ delayMs: 150 }, "done"];
    const params = { message: "slow", sessionKey: "case51", idempotencyKey: "case-51" };
    const first = wire.final("agent", params, "d1");
    await wire.event("agent", (payload) => payload.runId === "case-51");
    const during = await wire.request("agent", params, "d2");
    expect(during.payload).toMatchObject({ runId: "case-51", status: "accepted" });
    const final = await first;
    const after = await wire.request("agent", params, "d3");
    expect(after.payload).toMatchObject({ runId: "case-51", status: "ok" });
    expect(after.payload).toEqual(final.payload);
    await wire.settled();
    expect(wire.frames.filter((frame) => frame.type === "res" && frame.id === "d3")).toHaveLength(1);
    expect(gateway.provider.requests.filter((request) => request.raw.includes("slow"))).toHaveLength(1);
    await wire.close();
  });

  test("a duplicate chat.send is in flight during the run and ok afterwards", async () => {
    const wire = await gateway.connect();
    gateway.script = () => [{ delayMs: 150 }, "done"];
    const params = { message: "slow chat", sessionKey: "case51c", idempotencyKey: "case-51c" };
    expect(await wire.call("chat.send", params)).toEqual({ runId: "case-51c", status: "started" });
    expect(await wire.call("chat.send", params)).toEqual({ runId: "case-51c", status: "in_flight" });
    await wire.event("chat", (payload) => payload.runId === "case-51c" && payload.state === "final");
    expect(await wire.call("chat.send", params)).toEqual({ runId: "case-51c", status: "ok" });
    await wire.close();
  });

  test("case 52: a failing model ends in a lifecycle error, a chat error and a failed final answer", async () => {
    const wire = await gateway.connect();
    gateway.script = () => ({
      status: 401,
      body: { error: { message: "bad key sk-secret-secret", type: "invalid_request_error" } },
    });
    const final = await wire.final(
      "agent",
      { message: "fail", sessionKey: "case52", idempotencyKey: "case-52" },
      "q52",
    );
    expect(final.ok).toBe(false);
    expect(final.payload).toMatchObject({ runId: "case-52", status: "error", summary: expect.any(String) });
    expect(final.error).toMatchObject({ code: "UNAVAILABLE", message: final.payload?.summary });
    const lifecycle = ofRun(wire, "agent", "case-52")
      .filter((frame) => frame.payload?.stream === "lifecycle")
      .map(runData);
    expect(lifecycle.map((data) => data.phase)).toEqual(["start", "error"]);
    expect(ofRun(wire, "chat", "case-52").map((frame) => frame.payload?.state)).toEqual(["error"]);
    expect(JSON.stringify(wire.frames)).not.toContain("sk-secret-secret");
    await wire.close();
  });

  test("case 55: deltas are at least 150 ms apart, cumulative, and the sequence of the run has no gap", async () => {
    const wire = await gateway.connect();
    const arrivals: number[] = [];
    wire.socket.on("message", (data) => {
      if (String(data).includes('"state":"delta"')) arrivals.push(performance.now());
    });
    const pieces = Array.from({ length: 50 }, (_, i) => `p${i} `);
    gateway.script = () => pieces.flatMap((piece) => [piece, { delayMs: 20 }]);
    await wire.final("agent", { message: "stream", sessionKey: "case55", idempotencyKey: "case-55" });
    const chat = ofRun(wire, "chat", "case-55");
    const deltas = chat.filter((frame) => frame.payload?.state === "delta");
    expect(deltas.length).toBeGreaterThan(3);
    for (const [i, at] of arrivals.entries()) if (i > 0) expect(at - (arrivals[i - 1] ?? 0)).toBeGreaterThan(120);
    for (const [i, delta] of deltas.entries())
      if (i > 0) expect(textOf(delta).startsWith(textOf(deltas[i - 1]))).toBe(true);
    expect(textOf(chat.at(-1))).toBe(pieces.join("").trim());
    const numbers = ofRun(wire, "agent", "case-55").map((frame) => frame.payload?.seq);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => i + 1));
    await wire.close();
  });

  test("case 57: an abort is acknowledged, announced once, and nothing of the run follows", async () => {
    const wire = await gateway.connect();
    gateway.script = () => ["begin ", { hang: true }];
    await wire.call("chat.send", { sessionKey: "case57", message: "long", idempotencyKey: "case-57" });
    await wire.event("agent", (payload) => payload.runId === "case-57" && payload.stream === "assistant");
    expect(refused(await wire.request("chat.abort", { sessionKey: "other57", runId: "case-57" })).message).toBe(
      "runId does not match sessionKey",
    );
    expect(await wire.call("chat.abort", { sessionKey: "case57", runId: "case-57" })).toEqual({
      ok: true,
      aborted: true,
      runIds: ["case-57"],
    });
    const aborted = await wire.event("chat", (payload) => payload.runId === "case-57" && payload.state === "aborted");
    expect(aborted.payload).toMatchObject({ stopReason: "rpc", sessionKey: "agent:main:case57" });
    expect(aborted.payload).not.toHaveProperty("message");
    expect(await wire.call("chat.abort", { sessionKey: "case57", runId: "case-57" })).toEqual({
      ok: true,
      aborted: false,
      runIds: [],
    });
    await wire.settled();
    const after = wire.frames
      .slice(wire.frames.indexOf(aborted) + 1)
      .filter((frame) => frame.event === "chat" && frame.payload?.runId === "case-57");
    expect(after).toEqual([]);
    const history = await wire.call<{ messages: { role: string; stopReason?: string }[] }>("chat.history", {
      sessionKey: "case57",
    });
    expect(history.messages.at(-1)).toMatchObject({ role: "assistant", stopReason: "aborted" });
    await wire.close();
  });

  test("case 58: a stop word aborts the run of the session", async () => {
    const wire = await gateway.connect();
    gateway.script = () => ["begin ", { hang: true }];
    await wire.call("chat.send", { sessionKey: "case58", message: "long", idempotencyKey: "case-58" });
    await wire.event("agent", (payload) => payload.runId === "case-58" && payload.stream === "assistant");
    expect(
      await wire.call("chat.send", { sessionKey: "case58", message: " Stop ", idempotencyKey: "case-58-stop" }),
    ).toEqual({ ok: true, aborted: true, runIds: ["case-58"] });
    const aborted = await wire.event("chat", (payload) => payload.runId === "case-58" && payload.state === "aborted");
    expect(aborted.payload?.stopReason).toBe("stop");
    await wire.close();
  });

  for (const [verbose, expected] of [
    ["full", "results"],
    ["on", "no results"],
    ["off", "none"],
  ] as const) {
    test(`case 61: with verbosity ${verbose} a client with the cap sees ${expected}, one without sees no tool event`, async () => {
      const key = `case61-${verbose}`;
      const wire = await gateway.connect({ caps: ["tool-events"], client: backend });
      const other = await gateway.connect({ client: { ...backend, instanceId: "no-cap" } });
      await wire.call("sessions.patch", { key, verboseLevel: verbose });
      gateway.script = ({ raw }) =>
        raw.includes('"tool"') && raw.includes("tool_call_id")
          ? ["finished"]
          : [{ toolCall: { name: "session_status", arguments: {} } }];
      await wire.final("agent", { message: "use a tool", sessionKey: key, idempotencyKey: key });
      await other.settled();
      const tools = ofRun(wire, "agent", key).filter((frame) => frame.payload?.stream === "tool");
      const phases = tools.map((frame) => runData(frame).phase);
      if (verbose === "off") expect(tools).toEqual([]);
      else {
        expect(phases[0]).toBe("start");
        expect(phases.at(-1)).toBe("result");
        expect(tools.every((frame) => frame.seq === undefined)).toBe(true);
        expect("result" in runData(tools.at(-1) as WireFrame)).toBe(verbose === "full");
      }
      expect(ofRun(other, "agent", key).filter((frame) => frame.payload?.stream === "tool")).toEqual([]);
      await Promise.all([wire.close(), other.close()]);
    });
  }
};
// A foreign gateway's provider cannot be scripted.
if (!process.env.CONFORMANCE_URL) describe("runs against a scripted provider", againstScriptedProvider);
