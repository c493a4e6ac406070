/** POST /tools/invoke against a real gateway (http.md §11.11, T01-T25). */
import { existsSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { edit } from "../support/config-file.ts";
import { type GatewayOptions, openGateway, type TestGateway } from "../support/gateway.ts";
import { token } from "../support/process.ts";

const open: TestGateway[] = [];
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.stop();
});
async function own(options: GatewayOptions = {}): Promise<TestGateway> {
  const gateway = await openGateway(options);
  open.push(gateway);
  return gateway;
}

interface Answer {
  ok: boolean;
  result?: { content: { type: string; text?: string; data?: string; mimeType?: string }[]; details?: unknown };
  error?: { message: string; type: string; param?: string };
}

async function invoke(gateway: TestGateway, body: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(`${gateway.httpUrl}/tools/invoke`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, text, body: JSON.parse(text) as Answer };
}

const textOf = ({ body }: { body: Answer }) => body.result?.content.map(({ text }) => text).join("") ?? "";

describe("one gateway", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway({
      config: {
        agents: {
          list: [
            { id: "main", default: true, workspace: "~/one", skipBootstrap: undefined },
            { id: "ops", workspace: "~/two", tools: { deny: ["sessions_list"] } },
          ],
          defaults: { skipBootstrap: true },
        },
        channels: {
          telegram: {
            enabled: false,
            botToken: "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            groups: { "-100": { tools: { deny: ["sessions_list"] } }, "*": {} },
          },
        },
      },
    });
  });
  afterAll(() => gateway.stop());

  test("T01, T25 without the secret, from a page too, it is 401", async () => {
    const url = `${gateway.httpUrl}/tools/invoke`;
    const none = await fetch(url, { method: "POST", body: '{"tool":"sessions_list"}' });
    expect([none.status, none.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(await none.json()).toMatchObject({ error: { message: "Unauthorized", type: "unauthorized" } });
    expect((await invoke(gateway, {}, { authorization: "Bearer wrong" })).status).toBe(401);
    const page = await fetch(url, { method: "POST", headers: { origin: gateway.httpUrl }, body: "{}" });
    expect(page.status).toBe(401);
  });

  test("T02 another method is 405", async () => {
    const got = await fetch(`${gateway.httpUrl}/tools/invoke`);
    expect([got.status, got.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test.each<[unknown, string]>([
    ["{", "not valid JSON"],
    [[], "must be a JSON object"],
    [{}, "tools.invoke requires body.tool"],
    [{ tool: "  " }, "tools.invoke requires body.tool"],
    [{ tool: 7 }, "tools.invoke requires body.tool"],
    [{ tool: "sessions_list", args: [] }, "args must be an object"],
    [{ tool: "sessions_list", sessionKey: 5 }, "sessionKey must be a string"],
    [{ tool: "sessions_list", agentId: "nobody" }, 'unknown agentId "nobody"'],
    [{ tool: "sessions_list", agentId: "main", sessionKey: "agent:ops:main" }, 'sessionKey belongs to agent "ops"'],
    [{ tool: "sessions_list", sessionKey: "a/b" }, "invalid session key"],
    ['{"tool":"sessions_list","args":{"__proto__":{"x":1}}}', "not allowed"],
  ])("T03, T04 %j is 400", async (body, message) => {
    const answer = await invoke(gateway, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      ok: false,
      error: { type: "invalid_request_error", message: expect.stringContaining(message) },
    });
  });

  test("T05, T22 a tool runs and answers as tools do, however its name is written", async () => {
    for (const tool of ["sessions_list", " Sessions_List "]) {
      const answer = await invoke(gateway, { tool, args: {} });
      expect(answer).toMatchObject({
        status: 200,
        body: { ok: true, result: { details: { count: expect.any(Number) } } },
      });
      expect(JSON.parse(textOf(answer))).toMatchObject({ sessions: expect.any(Array) });
    }
    expect((await invoke(gateway, { name: "session_status", tool: "unknown" })).status).not.toBe(404);
  });

  test("T06 an action beside the arguments is taken only by tools that have one, and never over their own", async () => {
    const pushed = await invoke(gateway, { tool: "canvas", action: "present", args: { target: "page.html" } });
    expect(textOf(pushed)).toContain("/__openclaw__/canvas/page.html");
    const kept = await invoke(gateway, {
      tool: "canvas",
      action: "present",
      args: { action: "a2ui_push", jsonl: "x" },
    });
    expect(kept.body.error).toMatchObject({ type: "tool_error", message: expect.stringContaining("line 1: not JSON") });
    expect((await invoke(gateway, { tool: "sessions_list", action: "json" })).status).toBe(200);
  });

  test("T07, T12, T21 what is withheld and what does not exist look the same", async () => {
    const names = "exec process write edit apply_patch gateway cron nodes sessions_spawn sessions_send bash".split(" ");
    for (const tool of [...names, "__proto__", "constructor", "toString", "no_such_tool"]) {
      const answer = await invoke(gateway, { tool, args: {} });
      expect([tool, answer.status]).toEqual([tool, 404]);
      expect(answer.text).toBe(
        JSON.stringify({ ok: false, error: { message: `Tool not available: ${tool}`, type: "not_found" } }),
      );
    }
  });

  test("T09, T14, T15 the session says whose rules and whose workspace count", async () => {
    expect((await invoke(gateway, { tool: "sessions_list", sessionKey: "agent:ops:main" })).status).toBe(404);
    expect((await invoke(gateway, { tool: "sessions_list", agentId: "ops" })).status).toBe(404);
    for (const sessionKey of [undefined, "main", "agent:main:main"])
      expect((await invoke(gateway, { tool: "sessions_list", sessionKey })).status).toBe(200);
    for (const sessionKey of [undefined, "main", "agent:main:main"]) {
      const { body } = await invoke(gateway, { tool: "session_status", sessionKey });
      expect(body.error?.message).toContain("There is no session agent:main:main.");
    }
    expect((await invoke(gateway, { tool: "read", args: { path: "note.txt" }, agentId: "ops" })).status).toBe(400);
    writeFileSync(join(gateway.home.path, "two", "note.txt"), "from two");
    const read = await invoke(gateway, { tool: "read", args: { path: "note.txt" }, sessionKey: "agent:ops:main" });
    expect(textOf(read)).toContain("from two");
    expect((await invoke(gateway, { tool: "read", args: { path: "note.txt" } })).status).toBe(400);
  });

  test("T10 the rules of a group count in its sessions", async () => {
    const group = (id: string) =>
      invoke(gateway, { tool: "sessions_list", sessionKey: `agent:main:telegram:group:${id}` });
    const loaded = (await invoke(gateway, { tool: "sessions_list" })).status;
    expect(loaded).toBe(200);
    expect((await group("-100")).status).toBe(404);
    expect((await group("-200")).status).toBe(200);
  });

  test("T16, T17 a tool's refusal is 400 and names what is wrong", async () => {
    const wrong = await invoke(gateway, { tool: "sessions_list", args: { limit: "many" } });
    expect(wrong).toMatchObject({ status: 400, body: { error: { type: "tool_error" } } });
    expect(wrong.body.error?.message).toContain("limit");
    const extra = await invoke(gateway, { tool: "sessions_list", args: { unheard: 1 } });
    expect(extra.body.error?.message).toContain("unheard");
    const missing = await invoke(gateway, { tool: "read", args: { path: "none.txt" } });
    expect(missing).toMatchObject({ status: 400, body: { ok: false, error: { type: "tool_error" } } });
  });

  test("T18 a picture is base64 with its type", async () => {
    const png = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
      "base64",
    );
    await invoke(gateway, { tool: "session_status" });
    writeFileSync(join(gateway.home.path, "one", "dot.png"), png);
    const { body } = await invoke(gateway, { tool: "read", args: { path: "dot.png" } });
    const picture = body.result?.content.find(({ type }) => type === "image");
    expect(picture).toMatchObject({ mimeType: "image/png" });
    expect(
      Buffer.from(picture?.data ?? "", "base64")
        .subarray(0, 4)
        .toString("hex"),
    ).toBe("89504e47");
  });

  test("T19 one byte too many is 413", async () => {
    const body = JSON.stringify({ tool: "sessions_list", pad: "" });
    const fits = body.replace('""', `"${"x".repeat(2 * 1024 * 1024 - body.length)}"`);
    expect((await invoke(gateway, fits)).status).toBe(200);
    const answer = await invoke(gateway, fits.replace("xx", "xxx"));
    expect(answer).toMatchObject({ status: 413, body: { ok: false, error: { type: "invalid_request_error" } } });
  });

  test("T23 twenty calls at once all succeed", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => invoke(gateway, { tool: "sessions_list" })));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test("a line of the log says what ran and how it ended, and not with what", async () => {
    await invoke(gateway, { tool: "read", args: { path: "private-name.txt" } });
    expect(gateway.log.some((line) => line.includes("tools.invoke read 400"))).toBe(true);
    expect(gateway.log.filter((line) => /tools\.invoke .*private-name/u.test(line))).toEqual([]);
  });
});

test("T08 deny, profile and alsoAllow count at once after a reload", async () => {
  const gateway = await own();
  await gateway.world.jump(600);
  let edits = 0;
  const status = async (tools: Record<string, unknown>) => {
    edit(gateway.home, { tools: { deny: null, profile: null, alsoAllow: null, ...tools } });
    await gateway.world.jump(6_000);
    edits += 1;
    const applied = () => gateway.log.filter((line) => /config (hot reload|change) applied/u.test(line)).length;
    await vi.waitFor(() => expect(applied()).toBe(edits), { timeout: 5_000, interval: 5 });
    return (await invoke(gateway, { tool: "sessions_list" })).status;
  };
  expect(await status({ deny: ["sessions_list"] })).toBe(404);
  expect(await status({ profile: "minimal" })).toBe(404);
  expect(await status({ profile: "minimal", alsoAllow: ["sessions_list"] })).toBe(200);
});

test("T11 a sub-agent has what its rules leave it", async () => {
  const gateway = await own({ config: { tools: { subagents: { tools: { deny: ["sessions_list"] } } } } });
  const status = async (sessionKey: string) => (await invoke(gateway, { tool: "sessions_list", sessionKey })).status;
  expect(await status("agent:main:subagent:11111111-1111-4111-8111-111111111111")).toBe(404);
  expect(await status("agent:main:main")).toBe(200);
});

test("T12 gateway.tools.allow opens one tool that is withheld, and no other", async () => {
  const gateway = await own({ config: { gateway: { tools: { allow: ["gateway"] } } } });
  const opened = await invoke(gateway, { tool: "gateway", args: { action: "config.get" } });
  expect([opened.status, opened.body.ok]).toEqual([200, true]);
  for (const tool of "exec process write edit apply_patch cron nodes sessions_spawn sessions_send".split(" "))
    expect([tool, (await invoke(gateway, { tool, args: {} })).status]).toEqual([tool, 404]);
});

test("T12, T13 gateway.tools opens exactly what it names, and never what the policy closed", async () => {
  const gateway = await own({
    config: {
      gateway: { tools: { allow: ["write", "edit"], deny: ["sessions_list"] } },
      tools: { deny: ["edit"] },
    },
  });
  expect((await invoke(gateway, { tool: "write", args: { path: "made.txt", content: "x" } })).status).toBe(200);
  expect(existsSync(join(gateway.home.path, "workspace", "made.txt"))).toBe(true);
  for (const tool of ["edit", "exec", "gateway", "sessions_list"])
    expect([tool, (await invoke(gateway, { tool, args: {} })).status]).toEqual([tool, 404]);
});

describe("a tool that takes long", () => {
  let server: Server;
  let asked = 0;
  let left = 0;
  beforeAll(async () => {
    server = createServer((req) => {
      asked += 1;
      req.socket.on("close", () => (left += 1));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  );
  const until = async (done: () => boolean) => {
    for (let n = 0; n < 400 && !done(); n++) await new Promise<void>((resolve) => setTimeout(resolve, 5));
    expect(done()).toBe(true);
  };

  test("T20 ends when the client leaves", async () => {
    const gateway = await own({
      config: { tools: { web: { fetch: { allowPrivateHosts: ["127.0.0.1"] } } } },
    });
    const { port } = server.address() as { port: number };
    const leave = new AbortController();
    const call = fetch(`${gateway.httpUrl}/tools/invoke`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ tool: "web_fetch", args: { url: `http://127.0.0.1:${port}/slow` } }),
      signal: leave.signal,
    });
    await until(() => asked === 1);
    leave.abort();
    await expect(call).rejects.toThrow();
    await until(() => left === 1);
  });
});
