import { Type } from "typebox";
import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { type HttpCall, HttpError } from "../../../kernel/http.ts";
import { silentLogger } from "../../../kernel/log.ts";
import { tool, type ToolResult, Tools } from "../../tools/index.ts";
import { invokeRoute } from "./invoke.http.ts";

/** A gateway with one tool that does what it is told. */
async function ask(run: () => Promise<ToolResult>, body: Record<string, unknown> = {}, world = fakeWorld()) {
  const odd = tool({
    name: "odd",
    description: "Does what the test says.",
    params: Type.Object({ timeoutMs: Type.Optional(Type.Integer()) }, { additionalProperties: false }),
    effects: false,
    run,
  });
  const tools = new Tools({
    log: silentLogger,
    config: { current: { tools: { loopDetection: { enabled: true, maxRepeats: 5 } } as never } },
    tools: [odd],
  });
  const route = invokeRoute({
    world,
    config: { current: { gateway: {} } },
    tools: () => tools,
    agents: {
      deps: {
        workspaces: { ensure: async () => {} },
        config: { current: { agents: { defaults: { skipBootstrap: true } } } },
      },
    } as never,
    directory: { workspace: () => "/tmp", exists: () => true, defaultId: () => "main" },
    sessions: { mainKey: () => "agent:main:main", canonicalKey: (key) => key, agentOf: () => "main" },
    modelOf: () => ({ provider: "mock", id: "one" }),
    narrower: () => [],
    systemEvent: () => {},
  });
  const call = {
    id: "req_1",
    method: "POST",
    path: "/tools/invoke",
    query: new URLSearchParams(),
    headers: {},
    caller: { ip: "127.0.0.1", localDirect: true, authenticated: true },
    signal: new AbortController().signal,
    log: silentLogger,
    bytes: () => Promise.resolve(Buffer.alloc(0)),
    json: () => Promise.resolve({ tool: "odd", ...body }),
    events: () => {
      throw new Error("not here");
    },
  } satisfies HttpCall;
  try {
    const reply = await route.handle(call);
    const bytes = reply && "bytes" in reply ? Buffer.from(reply.bytes).toString("utf8") : "";
    return { status: 200, body: JSON.parse(bytes) as unknown };
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return { status: error.status, type: error.type, message: error.message };
  }
}

test("T16 what a tool says on purpose is told, a mistake inside it is not", async () => {
  const said = await ask(() => Promise.reject(new Error("the printer is out of paper")));
  expect(said).toEqual({ status: 400, type: "tool_error", message: "odd: the printer is out of paper" });
  const bug = await ask(() => Promise.reject(new TypeError("undefined is not the password hunter2")));
  expect(bug).toEqual({ status: 500, type: "tool_error", message: "tool execution failed" });
});

test("T24 a result that is no JSON is an error, not a hang", async () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  for (const details of [circular, { big: 1n }])
    expect(await ask(() => Promise.resolve({ content: [], details }))).toMatchObject({
      status: 500,
      message: "tool execution failed",
    });
  expect(await ask(() => Promise.resolve({ content: undefined as never }))).toMatchObject({ status: 500 });
});

test("a tool that takes longer than its time is stopped", async () => {
  const world = fakeWorld();
  const answer = ask(() => new Promise(() => {}), { args: { timeoutMs: 5_000 } }, world);
  await world.clock.advance(5_000);
  expect(await answer).toEqual({ status: 504, type: "tool_error", message: "odd was stopped after 5 s" });
});
