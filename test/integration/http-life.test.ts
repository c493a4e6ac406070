/** The HTTP surface over the life of a gateway: draining, stopping, restarting, and what stateless calls leave behind (http.md §1.9,
 *  §5, R-API-1, settled.md 14). */
import { afterEach, expect, test } from "vitest";
import { gate, openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { ask, chunksOf, errorOf, eventsOf, post, until } from "./http-client.ts";

const chat = "/v1/chat/completions";
const hi = { messages: [{ role: "user", content: "hi" }] };
const config = {
  gateway: { http: { endpoints: { chatCompletions: { enabled: true }, responses: { enabled: true } } } },
};
let gateway: ScriptedGateway;
afterEach(() => gateway.stop());

test("X04: while it drains the gateway answers 503 in the words of each surface, and finishes what runs", async () => {
  gateway = await openScriptedGateway({ config });
  const held = gate();
  gateway.script = async () => {
    await held.opened;
    return ["finished"];
  };
  const running = post(gateway, chat, { ...hi, stream: true });
  await until("the model is asked", () => gateway.provider.requests.length === 1);
  const drained = gateway.host.gateway.drain(5_000);
  const refused = await post(gateway, chat, hi);
  expect([refused.status, refused.headers.get("retry-after"), errorOf(refused).type]).toEqual([503, "5", "api_error"]);
  expect((await ask(gateway, "/healthz")).status).toBe(200);
  expect((await ask(gateway, "/startupz")).json).toMatchObject({ ok: false, status: "draining" });
  held.open();
  await drained;
  expect(
    chunksOf((await running).text)
      .map((chunk) => JSON.stringify(chunk))
      .join(""),
  ).toContain("finished");
  gateway.host.gateway.resume();
  expect((await post(gateway, chat, hi)).status).toBe(200);
});

test("a stop ends open streams with the error of their surface", async () => {
  gateway = await openScriptedGateway({ config });
  gateway.script = () => ["partial", { hang: true }];
  const streams = [
    post(gateway, chat, { ...hi, stream: true }),
    post(gateway, "/v1/responses", { model: "openclaw", input: "hi", stream: true }),
  ];
  const whole = post(gateway, chat, hi);
  await until("all are asked", () => gateway.provider.requests.length === 3);
  await gateway.host.stop();
  const [completions = "", responses = ""] = (await Promise.all(streams)).map(({ text }) => text);
  for (const text of [completions, responses]) expect(eventsOf(text).at(-1)?.data).toBe("[DONE]");
  expect(JSON.parse(eventsOf(completions).at(-2)?.data ?? "")).toMatchObject({ error: { type: "api_error" } });
  expect(eventsOf(responses).at(-2)?.event).toBe("response.failed");
  expect([(await whole).status, (await whole).headers.get("x-should-retry")]).toEqual([503, "false"]);
});

test("R-API-1: stateless calls leave no session in any list, and after an hour none at all", async () => {
  gateway = await openScriptedGateway({ config, agentDefaults: { maxConcurrent: 8 } });
  let left = 60;
  const worker = async () => {
    while (left-- > 0) expect((await post(gateway, chat, hi)).status).toBe(200);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  const wire = await gateway.connect();
  expect((await wire.call<{ sessions: unknown[] }>("sessions.list", {})).sessions).toEqual([]);
  const rows = () =>
    gateway.host.gateway.store.get<{ n: number }>("SELECT count(*) AS n FROM session WHERE hidden = 1")?.n ?? -1;
  expect(rows()).toBe(60);
  await wire.close();
  await gateway.world.jump(71 * 60_000);
  await until("they are swept", () => rows() === 0);
});

test("a request that was being answered when the process died is not answered again by the next", async () => {
  gateway = await openScriptedGateway({ config });
  gateway.script = () => [{ hang: true }];
  const { store } = gateway.host.gateway;
  void post(gateway, chat, hi).catch(() => {});
  await until("the model is asked", () => gateway.provider.requests.length === 1);
  await gateway.host.stop();
  const { home } = gateway;
  const again = await openScriptedGateway({ config, home });
  again.script = () => ["nobody waits"];
  const wire = await again.connect();
  await wire.close();
  expect(again.provider.requests).toEqual([]);
  expect(store).toBeDefined();
  await again.stop();
});
