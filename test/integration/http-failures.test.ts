/** What happens around a mistake and around many slow clients: nothing of the cause is told, the process lives, and honest requests
 *  are answered (http.md X13, X15, T16, T24). */
import { randomBytes } from "node:crypto";
import { Type } from "typebox";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { invokeRoute } from "../../packages/gateway/src/features/automation/invoke/invoke.http.ts";
import { tool, type ToolResult, Tools } from "../../packages/gateway/src/features/tools/index.ts";
import { silentLogger } from "../../packages/gateway/src/kernel/log.ts";
import type { HttpDialect, HttpRoute } from "../../packages/gateway/src/kernel/http.ts";
import { fakeWorld } from "../../packages/gateway/src/kernel/fake-world.ts";
import { type Rig, startRig, testToken } from "../../packages/gateway/src/server/server.fixture.ts";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { ask, pipelined, post, RawSocket, until } from "./http-client.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await openGateway({ config: { gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } } } });
});
afterAll(() => gateway.stop());

test("X13: a handler that fails answers 500 and no more, the log has the cause, and the next request is served", async () => {
  let broken = false;
  const world = {
    // The system gives no random numbers: what marks text from outside cannot be made.
    randomBytes: (size: number) => {
      if (broken) throw new Error("secret cause in /dev/secret");
      return randomBytes(size);
    },
  };
  const token = "hook-token-0123456789abcdef";
  const config = {
    gateway: { http: { endpoints: { responses: { enabled: true } } } },
    hooks: { enabled: true, token },
  };
  const failing = await openGateway({ config, world });
  try {
    const file = { type: "input_file", filename: "a.txt", file_data: Buffer.from("words").toString("base64") };
    const asks = [
      () => post(failing, "/hooks/agent", { message: "hi" }, { authorization: `Bearer ${token}` }),
      () => post(failing, "/v1/responses", { model: "openclaw", input: [{ role: "user", content: [file] }] }),
    ];
    broken = true;
    const before = failing.log.length;
    for (const request of asks) {
      const { status, headers, text } = await request();
      expect([status, headers.get("cache-control")]).toEqual([500, "no-store"]);
      expect(text).toContain("Internal Server Error");
      expect(text).not.toMatch(/secret|random/);
    }
    const errors = failing.log.slice(before).filter((line) => line.startsWith("error"));
    expect(errors).toEqual([
      expect.stringContaining("POST /hooks/* failed"),
      expect.stringContaining("POST /v1/responses failed"),
    ]);
    expect((await ask(failing, "/health")).status).toBe(200);
    broken = false;
    expect(await Promise.all(asks.map(async (request) => (await request()).status))).toEqual([202, 200]);
  } finally {
    await failing.stop();
  }
});

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});
const auth = { authorization: `Bearer ${testToken}` };

test.each<[HttpDialect, string]>([
  ["openai", '{"error":{"message":"Internal Server Error","type":"api_error"}}'],
  ["tools", '{"ok":false,"error":{"message":"Internal Server Error","type":"api_error"}}'],
  ["hooks", '{"ok":false,"error":"Internal Server Error"}'],
  ["text", "Internal Server Error"],
])(
  "X13: a throw of any kind in a route of dialect %s is the same 500, and cuts only a stream that began",
  async (dialect, body) => {
    const thrown: Record<string, () => unknown> = {
      error: () => new TypeError("secret cause at /srv/secret.ts:1"),
      text: () => "secret text",
      nothing: () => undefined,
      circular: () => {
        const value: Record<string, unknown> = { secret: 1n };
        value["self"] = value;
        return value;
      },
    };
    const routes = Object.entries(thrown).flatMap(([name, make]): HttpRoute[] => {
      const shared = { methods: ["GET"], dialect, maxBytes: 0 };
      const fail = () => {
        throw make();
      };
      return [
        { ...shared, path: `/x/${name}/now`, handle: fail },
        { ...shared, path: `/x/${name}/later`, handle: async () => (await new Promise(setImmediate), fail()) },
        { ...shared, path: `/x/${name}/stream`, handle: (call) => (call.events().send("begun"), fail()) },
      ];
    });
    rig = await startRig({ parts: { api: routes } });
    const { port } = rig.listener;
    for (const name of Object.keys(thrown)) {
      for (const when of ["now", "later"]) {
        const answer = await fetch(`http://127.0.0.1:${port}/x/${name}/${when}`);
        expect([name, when, answer.status, await answer.text()]).toEqual([name, when, 500, body]);
      }
      const { text } = await pipelined(port, [`GET /x/${name}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n`]);
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      // The end of the body is missing, so that nobody takes it for whole.
      expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
      expect(text).not.toContain("secret");
    }
    expect(rig.lines.filter(({ level }) => level === "error").length).toBe(routes.length);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  },
);

/** The route of the tools behind a real port, with one tool that does what the test says. */
async function withTool(run: () => Promise<ToolResult>): Promise<(body?: object) => Promise<Response>> {
  const odd = tool({ name: "odd", description: "As told.", params: Type.Object({}), effects: false, run });
  const config = { current: { tools: { loopDetection: { enabled: true, maxRepeats: 5 } } as never } };
  const tools = new Tools({ log: silentLogger, config, tools: [odd] });
  const route = invokeRoute({
    world: fakeWorld(),
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
  rig = await startRig({ parts: { api: [route] } });
  const url = `http://127.0.0.1:${rig.listener.port}/tools/invoke`;
  return (body = { tool: "odd" }) => fetch(url, { method: "POST", headers: auth, body: JSON.stringify(body) });
}
const failedText = '{"ok":false,"error":{"message":"tool execution failed","type":"tool_error"}}';

test("T16: a bug inside a tool is 500 without its words, what a tool says on purpose is 400", async () => {
  const bugs = [new TypeError("hunter2"), new RangeError("hunter2"), "hunter2", undefined];
  const errors: unknown[] = [...bugs, new Error("out of paper")];
  const invoke = await withTool(() => Promise.reject(errors.shift() ?? new ReferenceError("hunter2")));
  for (const _ of bugs) {
    const answer = await invoke();
    expect([answer.status, await answer.text()]).toEqual([500, failedText]);
  }
  const said = await invoke();
  expect([said.status, await said.json()]).toEqual([
    400,
    { ok: false, error: { message: "odd: out of paper", type: "tool_error" } },
  ]);
});

test("T24: a result that is circular, holds a BigInt or nothing is 500 in JSON at once, and the connection goes on", async () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const results: unknown[] = [
    { content: [], details: circular },
    { content: [], details: { big: 1n } },
    { content: [{ type: "text", text: "x", extra: circular }] },
    { content: undefined },
    undefined,
    { content: [], details: { toJSON: () => circular } },
  ];
  const good: ToolResult = { content: [{ type: "text", text: "fine" }] };
  const invoke = await withTool(() => Promise.resolve((results.length > 0 ? results.shift() : good) as ToolResult));
  for (let left = results.length; left > 0; left--) {
    const answer = await invoke();
    expect([left, answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
      left,
      500,
      "application/json; charset=utf-8",
      failedText,
    ]);
  }
  expect(await (await invoke()).json()).toEqual({ ok: true, result: good });
});

test("X15: a hundred clients that send a byte now and then do not hold up /health, nor a request with the secret", async () => {
  const slow = Array.from({ length: 100 }, (_, index) =>
    new RawSocket(gateway.port).write(
      [
        "GET /he",
        "GET / HTTP/1.1\r\nHost: local",
        `POST /tools/invoke HTTP/1.1\r\nHost: localhost\r\n${auth.authorization}`,
      ][index % 3] ?? "",
    ),
  );
  let trickled = 0;
  const trickle = setInterval(() => {
    for (const socket of slow) if (!socket.closed) socket.write("x");
    trickled += 1;
  }, 50);
  const times: number[] = [];
  while (trickled < 10 || times.length < 30) {
    const startedAt = performance.now();
    expect((await ask(gateway, "/health")).status).toBe(200);
    times.push(performance.now() - startedAt);
    expect((await post(gateway, "/tools/invoke", { tool: "sessions_list" })).status).toBe(200);
  }
  clearInterval(trickle);
  // One late answer is a busy machine; a queue behind the slow ones would be five seconds, for each.
  expect(times.toSorted((a, b) => a - b).at(-2)).toBeLessThan(1_000);
  for (const socket of slow) socket.end();
  await until("they are gone", () => slow.every(({ closed }) => closed));
});
