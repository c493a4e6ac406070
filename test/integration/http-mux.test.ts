/** One port for everything: probes, routing, refusals of the parser, switches, metrics, repeated keys (http.md §15.4, §8.11). */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gate, openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { openGateway } from "../support/gateway.ts";
import { ask, errorOf, lastRequest, post, raw, RawSocket, until } from "./http-client.ts";

let gateway: ScriptedGateway;
const chat = "/v1/chat/completions";
const hi = { messages: [{ role: "user", content: "hi" }] };

beforeAll(async () => {
  gateway = await openScriptedGateway({
    config: {
      gateway: {
        http: { endpoints: { chatCompletions: { enabled: true }, responses: { enabled: true } } },
        metrics: { token: "metrics-token-0123456789" },
      },
      agents: {
        defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } },
        list: [{ id: "main" }, { id: "beta" }],
      },
    },
  });
});
afterAll(() => gateway.stop());

const bearer = () => ({ authorization: `Bearer ${gateway.token}` });

test("X01-X03, X06: probes answer at once, to GET and HEAD, whatever the Host", async () => {
  for (const path of ["/health", "/healthz"])
    expect((await ask(gateway, path)).json).toEqual({ ok: true, status: "live" });
  for (const path of ["/health", "/healthz", "/startup", "/startupz", "/ready", "/readyz"]) {
    const whole = await ask(gateway, path);
    const head = await ask(gateway, path, { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
    for (const name of ["content-type", "cache-control"]) expect(head.headers.get(name)).toBe(whole.headers.get(name));
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const wrong = await ask(gateway, path, { method });
      expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
    const odd = await raw(gateway, `GET ${path} HTTP/1.1\r\nHost: evil.example\r\n\r\n`);
    expect([path, odd.status]).toEqual([path, 200]);
    odd.end();
  }
});

test("X05: details of readiness are for the owner only", async () => {
  const near = await ask(gateway, "/readyz");
  expect(near.json).toHaveProperty("failing");
  const far = await ask(gateway, "/readyz", { headers: { "x-forwarded-for": "203.0.113.7" } });
  expect(far.json).not.toHaveProperty("failing");
});

test("X07-X09: upgrades by path, and what is none", async () => {
  const upgrade = (path: string, key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") =>
    raw(
      gateway,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n${key}\r\n`,
    );
  for (const path of ["/", "/chat", "/any"]) {
    const socket = await upgrade(path);
    expect([path, socket.status]).toEqual([path, 101]);
    await socket.until('"event":"connect.challenge"');
    socket.end();
  }
  expect((await upgrade("/v1/responses")).status).toBe(404);
  expect((await upgrade("/", "")).status).toBe(400);
  // The page of an app that was not built is 503.
  for (const [path, statuses] of [
    ["/healthz", [200]],
    ["/", [200, 503]],
  ] as const) {
    const plain = await raw(
      gateway,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n`,
    );
    expect(statuses).toContain(plain.status);
    expect(plain.text).toContain("Content-Type");
    plain.end();
  }
});

test("X10: Host is required, single, and never taken from an absolute target", async () => {
  expect((await raw(gateway, "GET / HTTP/1.1\r\n\r\n")).status).toBe(400);
  expect((await raw(gateway, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n")).status).toBe(400);
  for (const target of ["GET http://other/healthz", "GET //v1/models", "GET /a\\b", "GET *", "OPTIONS http://x/*"]) {
    const answer = await raw(gateway, `${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect([target, answer.status]).toEqual([target, 400]);
    answer.end();
  }
});

test("X10: OPTIONS * tells the methods of the port, and nothing that a page could use", async () => {
  const ask = (host: string) => raw(gateway, `OPTIONS * HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://x\r\n\r\n`);
  const answer = await ask("localhost");
  expect([answer.status, /^Allow: (.*)\r$/m.exec(answer.text)?.[1]]).toEqual([204, "GET, HEAD, POST"]);
  expect(answer.text.toLowerCase()).not.toContain("access-control");
  answer.end();
  const foreign = await ask("evil.example");
  expect(foreign.status).toBe(421);
  foreign.end();
});

test("X11: what two readers could take for two lengths is refused, and its connection closed", async () => {
  const heads = [
    "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: 5, 5",
    "Content-Length: +5",
    "Content-Length: -1",
    "Content-Length: 0x5",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding : chunked",
    "X: a\nTransfer-Encoding: chunked",
    " Content-Length: 5",
  ];
  for (const head of heads) {
    const socket = new RawSocket(gateway.port).write(
      `POST ${chat} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${gateway.token}\r\n${head}\r\n\r\n0\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    await Promise.race([socket.ended, socket.until("\r\n\r\n")]);
    await socket.ended;
    expect([head, socket.status, socket.text.match(/HTTP\/1\.1/g)?.length]).toEqual([head, 400, 1]);
  }
});

test("X12: headers of 100 kB are 431", async () => {
  expect((await raw(gateway, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(100_000)}\r\n\r\n`)).status).toBe(
    431,
  );
});

test("X14: pipelined requests are answered in order", async () => {
  const socket = new RawSocket(gateway.port);
  socket.write(
    ["/v1/nope", "/healthz", "/v1/models"].map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(""),
  );
  await socket.until(/(?:HTTP\/1\.1[\s\S]*){3}Unauthorized/);
  expect(socket.text.match(/HTTP\/1\.1 (\d+)/g)).toEqual(["HTTP/1.1 404", "HTTP/1.1 200", "HTTP/1.1 401"]);
  socket.end();
});

test("X16, X17: models are the agents, found by exact paths and ids", async () => {
  const list = await ask(gateway, "/v1/models", { headers: bearer() });
  expect((list.json["data"] as { id: string }[]).map(({ id }) => id)).toEqual([
    "openclaw",
    "openclaw/default",
    "openclaw/main",
    "openclaw/beta",
  ]);
  for (const id of ["openclaw", "openclaw/default", "openclaw%2Fbeta"]) {
    const found = await ask(gateway, `/v1/models/${id}`, { headers: bearer() });
    expect([found.status, found.json]).toEqual([
      200,
      expect.objectContaining({ id: decodeURIComponent(id), object: "model" }),
    ]);
  }
  for (const path of ["/v1/models/", "/v1/models/gpt-4o", "/v1/models/%zz", "/v1/models/openclaw/"]) {
    const missing = await ask(gateway, path, { headers: bearer() });
    expect([path, missing.status, errorOf(missing).type]).toEqual([path, 404, "invalid_request_error"]);
  }
  expect(errorOf(await ask(gateway, "/v1/models/x", { headers: bearer() }))).toMatchObject({
    message: "The model 'x' does not exist.",
    code: "model_not_found",
  });
  expect((await ask(gateway, "/v1/models")).status).toBe(401);
  const wrong = await ask(gateway, "/v1/models", { method: "POST" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("1.6: what is missing in an API is never a page", async () => {
  for (const path of ["/v1/nope", "/v1", "/tools/nope", "/api/nope", "/v1/chat/completions/", "/v1/responses/resp_1"]) {
    for (const method of ["GET", "POST"]) {
      const answer = await ask(gateway, path, { method });
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    }
  }
});

test("1.6, 1.7: what is switched off is no page either, and the base of the webhooks never", async () => {
  const off = await openGateway({ config: { gateway: { metrics: { enabled: false } } } });
  const on = await openGateway({ config: { hooks: { enabled: true, token: "hook-token-0123456789abcdef" } } });
  for (const [where, paths] of [
    [off, ["/metrics", "/hooks", "/hooks/", "/hooks/wake", "/v1/models", "/v1/chat/completions"]],
    [on, ["/hooks"]],
  ] as const) {
    for (const path of paths) {
      for (const method of ["GET", "POST", "DELETE"]) {
        const answer = await ask(where, path, { method });
        expect([path, method, answer.status]).toEqual([path, method, 404]);
        expect(answer.headers.get("content-type")).not.toContain("html");
      }
    }
  }
  await off.stop();
  await on.stop();
});

test("X24: every answer carries the security headers, and none names the program", async () => {
  for (const [path, method] of [
    ["/v1/models", "GET"],
    ["/healthz", "GET"],
    [chat, "GET"],
    ["/nope", "GET"],
    ["/", "POST"],
    ["/", "GET"],
    ["/v1/models", "POST"],
    ["/v1/responses", "POST"],
    ["/tools/invoke", "POST"],
    ["/tools/nope", "GET"],
    ["/metrics", "GET"],
    ["/readyz", "HEAD"],
    ["/control-ui-config.json", "GET"],
    ["/avatar/main", "GET"],
    ["/__openclaw__/canvas/", "GET"],
    ["/__openclaw__/canvas/none.png", "GET"],
    ["/__openclaw__/a2ui/", "GET"],
    ["/__openclaw__/ws", "GET"],
    [chat, "OPTIONS"],
  ]) {
    const { headers } = await ask(gateway, path as string, { method: method as string });
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("x-request-id")).toMatch(/^req_[0-9a-f-]+$/);
    expect(headers.get("server") ?? headers.get("x-powered-by")).toBeNull();
  }
  const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  for (const request of [
    "rubbish\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET //x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n`,
    `GET /v1/responses HTTP/1.1\r\nHost: localhost\r\n${upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
  ]) {
    const answer = await raw(gateway, request);
    expect([request.slice(0, 40), /^x-content-type-options: nosniff\r$/im.test(answer.text)]).toEqual([
      request.slice(0, 40),
      true,
    ]);
    answer.end();
  }
});

test("a body in another encoding is refused", async () => {
  const answer = await post(gateway, chat, hi, { "content-encoding": "gzip" });
  expect([answer.status, errorOf(answer).type]).toEqual([415, "invalid_request_error"]);
});

test("S4: a token in the address is refused, also beside a good header", async () => {
  for (const path of ["/v1/models?token=abc", "/?token=abc", "/v1/models?x=1&%74oken=abc"])
    expect((await ask(gateway, path, { headers: bearer() })).status).toBe(400);
});

test("X22, C02: a switch takes effect without a restart, and what is off is 404 in JSON to every method", async () => {
  const path = join(gateway.home.state, "openclaw.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as {
    gateway: { http: { endpoints: Record<string, unknown> } };
  };
  const turn = async (enabled: boolean) => {
    config.gateway.http.endpoints["chatCompletions"] = { enabled };
    writeFileSync(path, JSON.stringify(config));
    await until(
      "the switch is read",
      () => gateway.host.gateway?.config.current.gateway.http.endpoints.chatCompletions.enabled === enabled,
      5_000,
    );
  };
  const { host } = gateway;
  const generation = host.gateway;
  await turn(false);
  for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const off = await ask(gateway, chat, { method });
    expect([method, off.status, errorOf(off)]).toEqual([
      method,
      404,
      { message: "Not Found", type: "invalid_request_error" },
    ]);
  }
  expect((await ask(gateway, chat, { method: "HEAD" })).status).toBe(404);
  await turn(true);
  expect((await post(gateway, chat, hi)).status).toBe(200);
  expect(host.gateway).toBe(generation);
});

test("metrics: the operator's secret or their own opens them, and they stay few", async () => {
  await post(gateway, chat, hi);
  expect((await ask(gateway, "/metrics")).status).toBe(401);
  for (const token of [gateway.token, "metrics-token-0123456789"]) {
    const answer = await ask(gateway, "/metrics", { headers: { authorization: `Bearer ${token}` } });
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(answer.text).toMatch(/^openclaw_run_completed_total\{outcome="ok"\} [1-9]/m);
    const series = answer.text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(series.length).toBeLessThanOrEqual(100);
    for (const line of series) expect(line).toMatch(/^openclaw_[a-z_]+(?:\{[a-z_]+="[^"\n]*"\})? -?[\d.e+-]+$/);
  }
  const alien = await ask(gateway, "/v1/models", { headers: { authorization: "Bearer metrics-token-0123456789" } });
  expect(alien.status).toBe(401);
});

test("8.11: one key is one answer: repeated, in progress, for another body", async () => {
  const headers = { "idempotency-key": "key-1" };
  const held = gate();
  gateway.script = async () => {
    await held.opened;
    return ["once"];
  };
  const asked = gateway.provider.requests.length;
  const first = post(gateway, chat, hi, headers);
  await until("the model is asked", () => gateway.provider.requests.length > asked);
  expect((await post(gateway, chat, hi, headers)).status).toBe(409);
  held.open();
  const answer = await first;
  expect((await post(gateway, chat, hi, headers)).json).toEqual(answer.json);
  expect((await post(gateway, chat, { ...hi, user: "x" }, headers)).status).toBe(422);
  const stream = { ...hi, stream: true };
  const streamed = await post(gateway, chat, stream, { "idempotency-key": "key-2" });
  expect((await post(gateway, chat, stream, { "idempotency-key": "key-2" })).text).toBe(streamed.text);
  expect(gateway.provider.requests.length).toBe(asked + 2);
  await gateway.world.jump(5 * 60_000 + 1);
  expect((await post(gateway, chat, hi, headers)).json["id"]).not.toBe(answer.json["id"]);
  expect((await post(gateway, chat, hi, { "idempotency-key": "x".repeat(300) })).status).toBe(400);
});

test("4.5: only a listed origin is told that it may call, and without credentials", async () => {
  const other = await openGateway({
    config: {
      gateway: {
        http: {
          endpoints: { chatCompletions: { enabled: true } },
          cors: { allowedOrigins: ["https://app.example"] },
        },
      },
    },
  });
  const preflight = (origin: string, path = chat) =>
    ask(other, path, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, x-stainless-lang, x-evil",
      },
    });
  const good = await preflight("https://app.example");
  expect(good.status).toBe(204);
  expect(good.headers.get("access-control-allow-origin")).toBe("https://app.example");
  expect(good.headers.get("access-control-allow-headers")).toBe("authorization, content-type, x-stainless-lang");
  expect(good.headers.get("access-control-allow-credentials")).toBeNull();
  expect(good.headers.get("x-content-type-options")).toBe("nosniff");
  expect(good.headers.get("vary")).toContain("Origin");
  for (const bad of [await preflight("https://evil.example"), await preflight("https://app.example", "/healthz")])
    expect(bad.headers.get("access-control-allow-origin")).toBeNull();
  const call = await post(other, chat, hi, { origin: "https://app.example" });
  expect([call.status, call.headers.get("access-control-allow-origin")]).toEqual([200, "https://app.example"]);
  await other.stop();
});

test("a request leaves a line with its id and without its secrets", async () => {
  const answer = await ask(gateway, "/v1/models?secret-query=1", { headers: bearer() });
  const id = answer.headers.get("x-request-id") ?? "";
  await until("the line is there", () => gateway.log.some((line) => line.includes(id)));
  const line = gateway.log.find((one) => one.includes(id)) ?? "";
  expect(line).toMatch(/⇄ http ✓ GET \/v1\/models 200 \d+ms id=req_/);
  for (const path of ["/v1/secret-path", "/v1/models/secret-path", "/secret-path"]) await ask(gateway, path);
  expect(gateway.log.join("\n")).not.toMatch(/secret-(?:query|path)/);
  expect(gateway.log.join("\n")).not.toContain(gateway.token);
});

test("the model still answers after all of this", async () => {
  gateway.script = () => ["fine"];
  expect((await post(gateway, chat, hi)).status).toBe(200);
  expect(lastRequest(gateway)?.model).toBe("mock-1");
});
