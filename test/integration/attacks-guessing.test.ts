/** S5 to S7 of the attack table (reliability.md §5): guessing the secret in any field and over any way, what answers tell about it,
 *  and forged forwarding headers. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { secretEquals } from "../../packages/gateway/src/server/index.ts";
import type { HttpRoute } from "../../packages/gateway/src/kernel/http.ts";
import { startRig } from "../../packages/gateway/src/server/server.fixture.ts";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { connectParams, makeDevice, Wire } from "../support/wire.ts";
import { ask, errorOf, pipelined, raw } from "./http-client.ts";

let gateway: ScriptedGateway;
const hookToken = "hook-token-0123456789abcdef";
beforeAll(async () => {
  gateway = await openScriptedGateway({
    config: {
      gateway: {
        http: { endpoints: { chatCompletions: { enabled: true }, responses: { enabled: true } } },
        metrics: { enabled: true },
        trustedProxies: ["127.0.0.1"],
      },
      hooks: { enabled: true, token: hookToken },
    },
  });
});
afterAll(() => gateway.stop());

const guess = (secret: string, from: Record<string, string>) =>
  ask(gateway, "/v1/models", { headers: { authorization: `Bearer ${secret}`, ...from } });
const lockMs = 300_001;

describe("S6: guessing", () => {
  test("X25: ten wrong bearers lock an address, also for the right one, until the lock is over; others are not touched", async () => {
    const from = { "x-forwarded-for": "203.0.113.9" };
    for (let attempt = 0; attempt < 10; attempt++) expect((await guess(`wrong-${attempt}`, from)).status).toBe(401);
    const locked = await guess(gateway.token, from);
    expect([locked.status, errorOf(locked)]).toEqual([
      429,
      { message: "Too many failed authentication attempts. Please try again later.", type: "rate_limited" },
    ]);
    expect(Number(locked.headers.get("retry-after"))).toBeGreaterThan(200);
    expect((await guess(gateway.token, { "x-forwarded-for": "203.0.113.10" })).status).toBe(200);
    expect((await guess(gateway.token, {})).status).toBe(200);
    await gateway.world.jump(lockMs);
    expect((await guess(gateway.token, from)).status).toBe(200);
  });

  test("a page on the owner's machine is locked by its origin", async () => {
    const from = { origin: "http://localhost:5173" };
    for (let attempt = 0; attempt < 10; attempt++) expect((await guess("wrong", from)).status).toBe(401);
    expect((await guess(gateway.token, from)).status).toBe(429);
    expect((await guess(gateway.token, {})).status).toBe(200);
    await gateway.world.jump(lockMs);
  });

  test("R-AUTH-1: the owner's machine is slowed down and never locked out", async () => {
    const startedAt = performance.now();
    for (let attempt = 0; attempt < 7; attempt++) expect((await guess("wrong", {})).status).toBe(401);
    expect(performance.now() - startedAt).toBeGreaterThan(200);
    expect((await guess(gateway.token, {})).status).toBe(200);
  });

  test("a missing bearer is no guess; two of them are none", async () => {
    const from = { "x-forwarded-for": "203.0.113.20" };
    for (let attempt = 0; attempt < 15; attempt++)
      expect((await ask(gateway, "/v1/models", { headers: from })).status).toBe(401);
    expect((await guess(gateway.token, from)).status).toBe(200);
    const twice = await raw(
      gateway,
      `GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${gateway.token}\r\nAuthorization: Bearer ${gateway.token}\r\n\r\n`,
    );
    expect(twice.status).toBe(401);
  });

  test.each([
    ["a bearer on /v1", "GET /v1/models", "Authorization: Bearer", 10],
    ["a bearer on the tools", "POST /tools/invoke", "authorization: bearer", 10],
    ["a bearer on a webhook", "POST /hooks/wake", "Authorization: Bearer", 20],
    ["the webhook's own header", "POST /hooks/wake", "X-OpenClaw-Token:", 20],
  ])("S6: of ten thousand guesses as %s only the first few are judged", async (name, line, header, judged) => {
    const from = `203.0.113.${40 + name.length}`;
    const request = (secret: string, last: boolean) =>
      `${line} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${from}\r\n${header} ${secret}\r\nContent-Length: 0\r\n${last ? "Connection: close\r\n" : ""}\r\n`;
    const statuses: number[] = [];
    for (let batch = 0; batch < 10; batch++) {
      const guesses = Array.from({ length: 1_000 }, (_, index) => request(`guess-${batch}-${index}`, index === 999));
      statuses.push(...(await pipelined(gateway.port, guesses)).statuses);
    }
    expect(statuses.length).toBe(10_000);
    expect(statuses.filter((status) => status !== 429)).toEqual(Array.from({ length: judged }, () => 401));
    const right = await pipelined(gateway.port, [request(line.includes("hooks") ? hookToken : gateway.token, true)]);
    expect(right.statuses).toEqual([429]);
    await gateway.world.jump(lockMs);
  });

  const fields = ["token", "password", "deviceToken"] as const;
  const subsets = Array.from({ length: 7 }, (_, bits) => fields.filter((_field, index) => ((bits + 1) >> index) & 1));

  test.each(subsets.map((subset, index) => [subset.join(" and "), subset, index] as const))(
    "S6: guesses in %s of the handshake are counted together, whoever's device signs them",
    async (_name, subset, index) => {
      const headers = { "x-forwarded-for": `203.0.113.${60 + index}` };
      const codes: string[] = [];
      for (let attempt = 0; attempt < 14; attempt++) {
        const auth = Object.fromEntries(subset.map((field) => [field, `guess-${field}-${attempt}`]));
        const wire = await Wire.open(gateway.url, { headers });
        const params = connectParams({ ...auth, device: makeDevice(), signedAt: gateway.world.now() }, wire.nonce);
        const answer = await wire.request("connect", params);
        codes.push(String(answer.error?.details?.["code"]));
        await wire.close();
      }
      expect(codes.slice(0, 10)).not.toContain("AUTH_RATE_LIMITED");
      expect(codes.slice(10)).toEqual(Array.from({ length: 4 }, () => "AUTH_RATE_LIMITED"));
      expect((await guess(gateway.token, headers)).status).toBe(429);
      await gateway.world.jump(lockMs);
    },
  );
});

test("S30: a refused request is in the log with route, address and origin, a locked one too", async () => {
  const route: HttpRoute = {
    methods: ["GET"],
    path: "/v1/thing",
    auth: { operator: true },
    dialect: "openai",
    maxBytes: 0,
    handle: () => ({ json: {} }),
  };
  const rig = await startRig({ settings: { trustedProxies: ["127.0.0.1"] }, parts: { api: [route] } });
  const origin = "http://localhost:5173";
  const headers = { authorization: "Bearer wrong", origin, "x-forwarded-for": "203.0.113.9" };
  for (let attempt = 0; attempt < 11; attempt++)
    await fetch(`http://127.0.0.1:${rig.listener.port}/v1/thing`, { headers });
  const lines = rig.lines.filter(({ message }) => message.startsWith("http refused"));
  expect(lines.map(({ message }) => message)).toEqual([
    ...Array.from({ length: 10 }, () => "http refused: unauthorized"),
    "http refused: locked",
  ]);
  for (const { fields } of lines) expect(fields).toEqual({ path: "/v1/thing", remote: "203.0.113.9", origin });
  await rig.close();
});

describe("S5: what answers tell", () => {
  test("S5: a missing, short, long and almost right secret are answered with the same bytes on every way in", async () => {
    const almost = [
      "",
      "x",
      gateway.token.slice(0, -1),
      `${gateway.token}x`,
      gateway.token.replace(/^./, "X"),
      gateway.token.replace(/.$/, "X"),
      gateway.token.toUpperCase(),
      "x".repeat(8_000),
    ];
    for (const [index, line] of [
      "GET /v1/models",
      "POST /v1/chat/completions",
      "POST /v1/responses",
      "POST /tools/invoke",
      "POST /hooks/wake",
      "GET /metrics",
      "GET /__openclaw__/canvas/",
      "GET /control-ui-config.json",
      "GET /readyz",
    ].entries()) {
      const answers = new Set<string>();
      for (const secret of almost) {
        const authorization = secret === "" ? "" : `Authorization: Bearer ${secret}\r\n`;
        const { text } = await pipelined(gateway.port, [
          `${line} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.${80 + index}\r\n${authorization}Content-Length: 0\r\nConnection: close\r\n\r\n`,
        ]);
        answers.add(text.replace(/^(?:x-request-id|Date): .*\r\n/gim, ""));
      }
      expect([line, answers.size]).toEqual([line, 1]);
    }
  });

  test("S5: texts of any two lengths are compared, and only equal ones are equal", () => {
    const right = "r".repeat(48);
    expect(secretEquals(right, right)).toBe(true);
    for (const given of ["", "r", right.slice(1), `${right}r`, "R".repeat(48), "r".repeat(100_000), "\u0000", "é"])
      expect([given.length, secretEquals(given, right)]).toEqual([given.length, false]);
  });
});
