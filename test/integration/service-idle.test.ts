/** SIGUSR2: what `gateway restart --when-idle` asks of the gateway. It admits nothing new, lets the running turn end, and leaves. */
import { afterEach, expect, test, vi } from "vitest";
import { gate } from "../support/agent-gateway.ts";
import { startFakeProvider, type FakeProvider } from "../support/fake-provider/index.ts";
import { makeHome, startGateway, token, type Home } from "../support/process.ts";
import { Wire } from "../support/wire.ts";

let home: Home | undefined;
let provider: FakeProvider | undefined;
afterEach(async () => {
  home?.remove();
  await provider?.close();
});

/** A gateway with one turn that waits for `release`. */
async function busy() {
  const { opened, open: release } = gate();
  provider = await startFakeProvider({
    script: async () => {
      await opened;
      return ["the whole answer"];
    },
  });
  const api = "openai-completions";
  const models = [{ id: "mock-1", name: "Mock", contextWindow: 100_000, maxTokens: 1_000, input: ["text"] }];
  home = makeHome({
    agents: { defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } } },
    models: { providers: { mock: { baseUrl: provider.baseUrl(api), apiKey: "mock-key-0123456789", api, models } } },
  });
  const gateway = await startGateway(home);
  const wire = await Wire.connect(gateway.url, { token });
  const final = wire.final("agent", { message: "think", sessionKey: "main", idempotencyKey: "k1" });
  await vi.waitFor(() => expect(provider?.requests).toHaveLength(1), { timeout: 10_000, interval: 10 });
  return { gateway, wire, final, release };
}

test("the running turn ends with its answer, nothing new is admitted, and the exit is clean", async () => {
  const { gateway, wire, final, release } = await busy();
  gateway.kill("SIGUSR2");
  await vi.waitFor(() => expect(gateway.output()).toContain("signal SIGUSR2 received"), {
    timeout: 5_000,
    interval: 10,
  });
  const refused = await wire.request("agent", { message: "more", sessionKey: "other", idempotencyKey: "k2" });
  expect(refused).toMatchObject({ ok: false, error: { code: "UNAVAILABLE", retryable: true } });
  release();
  expect(JSON.stringify((await final).payload)).toContain("the whole answer");
  expect(await gateway.exited).toBe(0);
  expect(gateway.output()).toContain("drained; shutting down");
});

test("a stop that is asked for meanwhile does not wait for the turn", async () => {
  const { gateway, final } = await busy();
  final.catch(() => undefined);
  gateway.kill("SIGUSR2");
  await vi.waitFor(() => expect(gateway.output()).toContain("signal SIGUSR2 received"), {
    timeout: 5_000,
    interval: 10,
  });
  gateway.kill("SIGTERM");
  expect(await gateway.exited).toBe(0);
  expect(gateway.output()).toContain("received SIGTERM; shutting down");
});
