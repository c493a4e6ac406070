/** What a webhook was told is on disk outlives `kill -9` (R-HOOK-1). */
import { afterEach, expect, test, vi } from "vitest";
import { type GatewayProcess, type Home, makeHome, startGateway, token } from "../support/process.ts";
import { makeDevice, Wire } from "../support/wire.ts";

const hookToken = "hook-token-0123456789abcdef";
let home: Home | undefined;
afterEach(() => home?.remove());

const connect = ({ url }: GatewayProcess) => Wire.connect(url, { token, device: makeDevice() });
const waiting = async (wire: Wire) =>
  (await wire.call<{ queuedSystemEvents: string[] }>("status", {})).queuedSystemEvents;

function post({ port }: GatewayProcess, path: string, body: unknown): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/hooks/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${hookToken}` },
    body: JSON.stringify(body),
  });
}

async function killed(gateway: GatewayProcess): Promise<void> {
  gateway.kill("SIGKILL");
  await gateway.exited;
}

test("a wake that was answered is told after kill -9, once", async () => {
  home = makeHome({
    hooks: { enabled: true, token: hookToken },
    gateway: { safeMode: { maxUncleanBoots: 10 } },
    agents: { defaults: { heartbeat: { every: "0m" }, skipBootstrap: true } },
  });
  const first = await startGateway(home);
  expect((await post(first, "wake", { text: "the kettle boils", mode: "next-heartbeat" })).status).toBe(200);
  await killed(first);

  const second = await startGateway(home);
  const wire = await connect(second);
  expect((await waiting(wire)).filter((text) => text.includes("the kettle boils"))).toHaveLength(1);
  const answer = await wire.final("agent", { message: "hello", sessionKey: "main", idempotencyKey: "k1" });
  expect(answer.ok).toBe(true);
  await killed(second);

  const third = await startGateway(home);
  const last = await connect(third);
  expect(await waiting(last)).toEqual([]);
  const { messages } = await last.call<{ messages: unknown[] }>("chat.history", { sessionKey: "main" });
  expect(JSON.stringify(messages)).toContain("hello");
  await last.close();
  await third.stop();
});

test("a run that was accepted ends after kill -9, and its end is told to the main session", async () => {
  home = makeHome({
    hooks: { enabled: true, token: hookToken },
    gateway: { safeMode: { maxUncleanBoots: 10 } },
    agents: { defaults: { heartbeat: { every: "0m" }, skipBootstrap: true } },
  });
  const first = await startGateway(home);
  const answer = await post(first, "agent", { message: "look", name: "Door", deliver: false });
  expect(answer.status).toBe(202);
  await killed(first);

  for (let boot = 0; boot < 2; boot++) {
    const next = await startGateway(home);
    const wire = await connect(next);
    await vi.waitFor(async () =>
      expect((await waiting(wire)).filter((text) => text.startsWith("Hook Door: "))).toHaveLength(1),
    );
    await killed(next);
  }
});
