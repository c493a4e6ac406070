/** Real turns through the whole gateway: a client on the wire, the store, the loop, and a provider that speaks the real wires
 *  of OpenAI (both), Anthropic and Google. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { gate, openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import type { Api, FakeRequest, Reply } from "../support/fake-provider/index.ts";
import type { Wire, WireFrame } from "../support/wire.ts";

type Result = { payloads: { text: string }[]; meta: { agentMeta: { usage?: Record<string, number> } } };
const backend = { id: "gateway-client", mode: "backend" };

const textOf = (final: WireFrame): string =>
  (final.payload?.result as Result).payloads.map((payload) => payload.text).join("\n");

interface HistoryMessage {
  role: string;
  content: { type: string; text?: string; name?: string }[];
  stopReason?: string;
  isError?: boolean;
  toolName?: string;
}
const history = async (wire: Wire, sessionKey: string): Promise<HistoryMessage[]> =>
  (await wire.call<{ messages: HistoryMessage[] }>("chat.history", { sessionKey })).messages;

/** Whether the request carries tool results already: then the model has its answer. */
const hasResults = ({ raw, api }: FakeRequest): boolean =>
  raw.includes(
    {
      "openai-completions": '"role":"tool"',
      "openai-responses": "function_call_output",
      "anthropic-messages": "tool_result",
      "google-generative-ai": "functionResponse",
    }[api],
  );

const apis: Api[] = ["openai-completions", "openai-responses", "anthropic-messages", "google-generative-ai"];

describe.each(apis)("a turn over %s", (api) => {
  let gateway: ScriptedGateway;
  let wire: Wire;
  let ids = 0;
  beforeAll(async () => {
    gateway = await openScriptedGateway({ api });
    wire = await gateway.connect({ caps: ["tool-events"], client: backend });
  });
  afterAll(async () => {
    await wire.close();
    await gateway.stop();
  });
  beforeEach(() => {
    gateway.script = () => ["ok"];
  });
  const ask = (message: string, sessionKey: string, more: Record<string, unknown> = {}) =>
    wire.final("agent", { message, sessionKey, idempotencyKey: `${api}-${++ids}`, ...more });

  test("streams text, stores it, and reports the usage", async () => {
    gateway.script = () => ({ steps: ["Hello ", "from ", "the model."], usage: { input: 21, output: 4 } });
    const final = await ask("hi", "text");
    expect(textOf(final)).toBe("Hello from the model.");
    expect((final.payload?.result as Result).meta.agentMeta.usage).toMatchObject({ input: 21, output: 4 });
    const events = wire
      .events("agent")
      .filter((frame) => frame.payload?.runId === final.payload?.runId && frame.payload?.stream === "assistant");
    expect(events.map((frame) => (frame.payload?.data as { delta: string }).delta).join("")).toBe(
      "Hello from the model.",
    );
    expect((await history(wire, "text")).map((message) => message.role)).toEqual(["user", "assistant"]);
  });

  test("runs two tool calls of one answer and gives both results back", async () => {
    gateway.script = (request) =>
      hasResults(request)
        ? ["Both files are written."]
        : [
            { toolCall: { id: "call_a", name: "write", arguments: { path: `${api}-a.txt`, content: "alpha" } } },
            { toolCall: { id: "call_b", name: "write", arguments: { path: `${api}-b.txt`, content: "beta" } } },
          ];
    const final = await ask("write two files", "tools");
    expect(textOf(final)).toContain("Both files are written.");
    const workspace = join(gateway.home.path, ".openclaw", "workspace");
    expect(existsSync(workspace)).toBe(true);
    expect(readFileSync(join(workspace, `${api}-a.txt`), "utf8")).toBe("alpha");
    expect(readFileSync(join(workspace, `${api}-b.txt`), "utf8")).toBe("beta");
    const roles = (await history(wire, "tools")).map((message) => message.role);
    expect(roles).toEqual(["user", "assistant", "toolResult", "toolResult", "assistant"]);
  });

  test("a failing tool becomes an error result the model can answer to", async () => {
    gateway.script = (request) =>
      hasResults(request)
        ? ["That file does not exist."]
        : [{ toolCall: { name: "read", arguments: { path: "no-such-file.txt" } } }];
    const final = await ask("read it", "tool-error");
    expect(final.ok).toBe(true);
    expect(textOf(final)).toContain("does not exist");
    const result = (await history(wire, "tool-error")).find((message) => message.role === "toolResult");
    expect(result).toMatchObject({ isError: true, toolName: "read" });
  });

  test("a provider that is busy is asked again, and nobody notices", async () => {
    let calls = 0;
    gateway.script = (): Reply =>
      ++calls === 1
        ? {
            status: 429,
            headers: { "retry-after": "0" },
            body: { error: { message: "slow down", type: "rate_limit_error" } },
          }
        : ["after the wait"];
    const done = ask("busy", "busy");
    await wire.event("agent", (payload) => payload.runId === `${api}-${ids}`);
    for (let i = 0; i < 20 && calls < 2; i++) await gateway.world.jump(500);
    const final = await done;
    expect(calls).toBe(2);
    expect(textOf(final)).toBe("after the wait");
  });

  test("a provider that dies in the middle of its answer ends the run with an error and the text so far", async () => {
    gateway.script = () => ["Half an ans", { delayMs: 30 }, { die: true }];
    const final = await ask("die", "dies");
    expect(final.ok).toBe(false);
    expect(final.payload).toMatchObject({ status: "error" });
    const last = (await history(wire, "dies")).at(-1);
    expect(last?.role).toBe("assistant");
    expect(last?.content.map((part) => part.text).join("")).toContain("Half an ans");
    expect(last?.stopReason).toBe("error");
    gateway.script = () => ["recovered"];
    expect(textOf(await ask("again", "dies"))).toBe("recovered");
  });

  test("an abort in the middle of a tool kills its process, and nothing of the run follows", async () => {
    gateway.script = (request) =>
      hasResults(request)
        ? ["must not be said"]
        : [
            {
              toolCall: {
                name: "exec",
                arguments: { command: "echo started > started.txt; sleep 60; echo late > late.txt" },
              },
            },
          ];
    const runId = `${api}-abort`;
    const done = wire.final("agent", { message: "run it", sessionKey: "abort", idempotencyKey: runId });
    const marker = join(gateway.home.path, ".openclaw", "workspace", "started.txt");
    for (let i = 0; i < 400 && !existsSync(marker); i++) await wire.settled();
    const began = performance.now();
    expect(await wire.call("chat.abort", { sessionKey: "abort" })).toMatchObject({ aborted: true, runIds: [runId] });
    expect(performance.now() - began).toBeLessThan(1_000);
    await done;
    await wire.settled();
    expect(gateway.provider.requests.filter((request) => request.raw.includes("must not"))).toEqual([]);
    const said = wire
      .events("chat")
      .filter((frame) => frame.payload?.runId === runId)
      .map((frame) => frame.payload?.state);
    expect(said.at(-1)).toBe("aborted");
    const messages = await history(wire, "abort");
    expect(JSON.stringify(messages)).not.toContain("must not be said");
  });

  test("two sessions run at the same time", async () => {
    const [one, two] = [gate(), gate()];
    gateway.script = async ({ raw }) => {
      // Each answer waits until the other request has arrived: in sequence this would never end.
      const first = raw.includes("parallel-one");
      (first ? one : two).open();
      await (first ? two : one).opened;
      return [first ? "one" : "two"];
    };
    const finals = await Promise.all([ask("parallel-one", "par-1"), ask("parallel-two", "par-2")]);
    expect(finals.map(textOf)).toEqual(["one", "two"]);
  });

  test("two messages to one session are answered one after the other, in order", async () => {
    const order: string[] = [];
    let running = 0;
    gateway.script = async ({ raw }) => {
      running++;
      expect(running).toBe(1);
      const which = raw.includes("second-message") ? "second" : "first";
      order.push(which);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return [`reply to ${which}`];
    };
    const first = ask("first-message", "queue");
    const second = ask("second-message", "queue");
    expect([textOf(await first), textOf(await second)]).toEqual(["reply to first", "reply to second"]);
    expect(order).toEqual(["first", "second"]);
    const texts = (await history(wire, "queue")).map((message) => message.role);
    expect(texts).toEqual(["user", "assistant", "user", "assistant"]);
  });
});
