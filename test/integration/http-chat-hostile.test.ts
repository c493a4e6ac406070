/** Chat completions and what goes wrong around them: secrets, bodies, images, clients that leave, hostile fields (http.md §8.12). */
import { gate } from "../support/agent-gateway.ts";
import { ask, errorOf, eventsOf, lastRequest, post, RawSocket, told, until } from "./http-client.ts";
import { choiceOf, deltas, path, useChatGateway, user } from "./http-chat-rig.ts";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";

const rig = useChatGateway();

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const image = (url: string) => ({ type: "image_url", image_url: { url } });
const dataPng = `data:image/png;base64,${png.toString("base64")}`;

test("C01: without the secret, or with a wrong one, the answer is the same 401; the scheme may be lower case", async () => {
  for (const authorization of [undefined, "Bearer wrong", "Basic abc", "Bearer"]) {
    const answer = await ask(rig.gateway, path, {
      method: "POST",
      body: "{}",
      ...(authorization === undefined ? {} : { headers: { authorization } }),
    });
    expect(answer.status).toBe(401);
    expect(answer.text).toBe('{"error":{"message":"Unauthorized","type":"unauthorized"}}');
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
  }
  expect((await rig.chat({}, { authorization: `bearer   ${rig.gateway.token} ` })).status).toBe(200);
});

test("C02: other methods answer 405, also without the secret", async () => {
  for (const method of ["GET", "PUT", "DELETE"]) {
    const answer = await ask(rig.gateway, path, { method });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  }
});

test("C03: bodies that are no JSON object are refused without being repeated", async () => {
  const broken = await post(rig.gateway, path, '{"secret-in-body');
  expect(broken.status).toBe(400);
  expect(errorOf(broken).type).toBe("invalid_request_error");
  expect(broken.text).not.toContain("secret-in-body");
  const empty = await post(rig.gateway, path, "");
  expect([empty.status, errorOf(empty).message]).toEqual([400, "Missing user message in `messages`."]);
  for (const body of ["[]", '"x"', "null", "1", "\ufeff[]", `${"[".repeat(500)}${"]".repeat(500)}`])
    expect([body.slice(0, 9), (await post(rig.gateway, path, body)).status]).toEqual([body.slice(0, 9), 400]);
  expect((await post(rig.gateway, path, `\ufeff${JSON.stringify({ messages: [user("hi")] })}`)).status).toBe(200);
});

test("C20: images by data URL reach the model; everything else about them is refused before a connection is made", async () => {
  await rig.chat({ messages: [user([{ type: "text", text: "what is this" }, image(dataPng)])] });
  expect(lastRequest(rig.gateway)?.raw).toContain(png.toString("base64"));
  await rig.chat({ messages: [user([image(dataPng)])] });
  expect(told(lastRequest(rig.gateway), "user")[0]).toContain("See what is attached.");
  let connections = 0;
  const server = createServer((_, res) => res.end()).on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const local = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.png`;
  for (const url of [
    local,
    "data:image/png;base64,AAAA",
    `data:image/jpeg;base64,${png.toString("base64")}`,
    `data:image/svg+xml;base64,${png.toString("base64")}`,
    "data:image/png;base64,####",
    "data:image/png,plain",
    "file:///etc/passwd",
    "",
  ])
    expect([url.slice(0, 30), (await rig.chat({ messages: [user([image(url)])] })).status]).toEqual([
      url.slice(0, 30),
      400,
    ]);
  expect((await rig.chat({ messages: [user(Array.from({ length: 9 }, () => image(dataPng)))] })).status).toBe(400);
  expect(connections).toBe(0);
  await new Promise((resolve) => server.close(resolve));
});

test("C21: a body that is too large is answered, whether its length is declared or not", async () => {
  const large = "x".repeat(21 * 1024 * 1024);
  const declared = await post(rig.gateway, path, large);
  expect([declared.status, errorOf(declared)]).toEqual([
    413,
    { message: "Payload too large", type: "invalid_request_error" },
  ]);
  const stream = new ReadableStream({
    start(controller) {
      for (let sent = 0; sent < 21; sent++) controller.enqueue(new Uint8Array(1024 * 1024).fill(120));
      controller.close();
    },
  });
  const init = {
    method: "POST",
    headers: { authorization: `Bearer ${rig.gateway.token}` },
    body: stream,
    duplex: "half",
  };
  expect((await ask(rig.gateway, path, init as RequestInit)).status).toBe(413);
});

test("C21: a body that stalls is answered with 408", async () => {
  const socket = new RawSocket(rig.gateway.port).write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${rig.gateway.token}\r\nContent-Length: 100\r\n\r\n{"mess`,
  );
  const armed = rig.gateway.world.pending();
  await until("the body is waited for", () => rig.gateway.world.pending() > armed);
  await rig.gateway.world.jump(30_000);
  await socket.until("took too long");
  expect(socket.status).toBe(408);
  await socket.ended;
});

test("C22: a client that leaves aborts its own run and no other; nothing is logged as an error", async () => {
  const held = gate();
  rig.gateway.script = async (request) => {
    if (request.raw.includes("leaving")) return ["partial", { hang: true }];
    await held.opened;
    return ["the other answer"];
  };
  const other = rig.chat({ stream: true, messages: [user("staying")] });
  const controller = new AbortController();
  const response = await fetch(`${rig.gateway.httpUrl}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${rig.gateway.token}` },
    body: JSON.stringify({ stream: true, messages: [user("leaving")] }),
    signal: controller.signal,
  });
  const reader = response.body?.getReader();
  let seen = "";
  while (!seen.includes("partial")) seen += new TextDecoder().decode((await reader?.read())?.value);
  const runs = () => rig.gateway.provider.aborted;
  const before = runs();
  controller.abort();
  await until("the run is aborted", () => runs() === before + 1, 1_000);
  held.open();
  expect(deltas((await other).text)).toBe("the other answer");
  expect(rig.gateway.log.filter((line) => line.startsWith("error"))).toEqual([]);
});

test("C22: a client that leaves before its turn came leaves no run behind", async () => {
  const held = gate();
  rig.gateway.script = async () => {
    await held.opened;
    return ["ok"];
  };
  const first = rig.chat({ user: "queue" });
  await until("the first is asked", () => lastRequest(rig.gateway)?.raw.includes('"hi"') === true);
  const asked = rig.gateway.provider.requests.length;
  const controller = new AbortController();
  const second = fetch(`${rig.gateway.httpUrl}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${rig.gateway.token}` },
    body: JSON.stringify({ stream: true, user: "queue", messages: [user("second")] }),
    signal: controller.signal,
  });
  const response = await second;
  // Headers and the role come while the request waits for its turn.
  const reader = response.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('"role":"assistant"');
  controller.abort();
  held.open();
  await first;
  rig.gateway.script = () => ["later"];
  await rig.chat({ user: "queue", messages: [user("third")] });
  expect(rig.gateway.provider.requests.length).toBe(asked + 1);
});

test("C23: a failing provider is a clean error, whole and streamed", async () => {
  rig.gateway.script = () => ({
    status: 400,
    body: { error: { message: "bad key sk-live-1234567890abcdef at /srv/x.ts:1" } },
  });
  const whole = await rig.chat();
  expect([whole.status, errorOf(whole).type, whole.headers.get("x-should-retry")]).toEqual([500, "api_error", "false"]);
  const stream = await rig.chat({ stream: true });
  expect(stream.status).toBe(200);
  const events = eventsOf(stream.text);
  expect(events.at(-1)?.data).toBe("[DONE]");
  expect(JSON.parse(events.at(-2)?.data ?? "")).toMatchObject({ error: { type: "api_error" } });
  for (const text of [whole.text, stream.text]) expect(text).not.toMatch(/sk-live|x\.ts/);
});

test("C24: a hostile user is one harmless part of a key", async () => {
  const users = [
    "x".repeat(10_240),
    "a\nb",
    "../..",
    "agent:x:cron:y",
    "cron:a:run:b",
    "😀".repeat(300),
    "\u0000",
    "%2f",
  ];
  for (const one of users)
    expect([one.slice(0, 10), (await rig.chat({ user: one })).status]).toEqual([one.slice(0, 10), 200]);
  const keys = (await rig.sessionsOf()).filter((key) => key.includes("openai-user:"));
  expect(keys).toContain("agent:main:openai-user:..%2f..");
  expect(keys).toContain("agent:main:openai-user:agent%3ax%3acron%3ay");
  expect(keys).toContain("agent:main:openai-user:cron%3aa%3arun%3ab");
  expect(keys).toContain("agent:main:openai-user:%252f");
  expect(keys.filter((key) => /:(?:cron|subagent|acp):/.test(key))).toEqual([]);
  expect(readdirSync(rig.gateway.home.path).filter((name) => name.includes("openai"))).toEqual([]);
  expect((await rig.chat({ user: 7 })).status).toBe(400);
});

test("C25: keys that could reach a prototype are refused and change nothing", async () => {
  for (const body of [
    '{"messages":[{"role":"user","content":"hi"}],"__proto__":{"polluted":1}}',
    '{"messages":[{"role":"user","content":"hi","constructor":{"prototype":{"polluted":1}}}]}',
    '{"messages":[{"role":"user","content":"hi"}],"metadata":{"\\u005f_proto__":{"polluted":1}}}',
  ])
    expect((await post(rig.gateway, path, body)).status).toBe(400);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect((await rig.chat()).status).toBe(200);
});

test("C26: a foreign Host is refused whatever the secret; no page of another origin is allowed anything", async () => {
  const socket = new RawSocket(rig.gateway.port).write(
    `POST ${path} HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${rig.gateway.token}\r\nContent-Length: 2\r\n\r\n{}`,
  );
  await socket.until("\r\n\r\n");
  expect(socket.status).toBe(421);
  socket.end();
  const preflight = await ask(rig.gateway, path, {
    method: "OPTIONS",
    headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
  });
  expect(preflight.status).toBeGreaterThanOrEqual(400);
  expect([...preflight.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  expect((await rig.chat({}, { origin: "https://evil.example" })).status).toBe(403);
});

test("C28: whatever an answer says is one escaped line", async () => {
  const odd = 'data: [DONE]\r\n\r\nevent: x\u2028\u2029 "quoted" \\ \ud83d end';
  rig.gateway.script = () => [odd];
  const answer = await rig.chat({ stream: true });
  expect(eventsOf(answer.text).every(({ data }) => data === "[DONE]" || JSON.parse(data))).toBe(true);
  expect(deltas(answer.text)).toContain("data: [DONE]\r\n\r\nevent: x\u2028\u2029");
  expect(eventsOf(answer.text).filter(({ data }) => data === "[DONE]")).toHaveLength(1);
  expect(choiceOf(await rig.chat()).message.content).toBe(deltas(answer.text));
});
