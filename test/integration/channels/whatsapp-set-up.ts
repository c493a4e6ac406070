/** A gateway with a scripted model and a fake WhatsApp beside it, which outlives the gateway. The library is the real one. */
import { expect } from "vitest";
import { startChild } from "../../fakes/whatsapp/index.ts";
import {
  type FakeProvider,
  type FakeRequest,
  type Reply,
  startFakeProvider,
} from "../../support/fake-provider/index.ts";
import { openGateway, type TestGateway } from "../../support/gateway.ts";
import { type Home, makeHome } from "../../support/process.ts";
import type { WireFrame } from "../../support/wire.ts";
import { modelsOf } from "./set-up.ts";

export type FakeWhatsApp = Awaited<ReturnType<typeof startChild>>;

export const ann = "+15550002000";

export interface WhatsAppWorld {
  fake: FakeWhatsApp;
  provider: FakeProvider;
  home: Home;
  gateway: TestGateway;
  /** What the model says; "Hello **Ann**" unless a test says otherwise. */
  script: (request: FakeRequest) => Reply | Promise<Reply>;
  /** A call by an operator. */
  call(method: string, params?: Record<string, unknown>): Promise<WireFrame>;
  /** The account as `channels.status` shows it. */
  account(): Promise<Record<string, unknown>>;
  /** Links it by a picture, as a person does. */
  link(params?: Record<string, unknown>): Promise<void>;
  /** Stops the gateway and starts another one on the same state. */
  again(): Promise<void>;
  stop(): Promise<void>;
}

export interface WhatsAppOptions {
  whatsapp?: Record<string, unknown>;
  /** Other channels. */
  channels?: Record<string, unknown>;
  config?: Record<string, unknown>;
}

export async function openWhatsAppWorld(options: WhatsAppOptions = {}): Promise<WhatsAppWorld> {
  const fake = await startChild({ preKeys: false });
  await fake.phone.addContact({ pn: ann, lid: "777000@lid", name: "Ann" });
  const provider = await startFakeProvider({ script: (request) => world.script(request) });
  const home = makeHome(
    {
      models: modelsOf(provider),
      agents: { defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } } },
      ...options.config,
      channels: { whatsapp: options.whatsapp ?? { allowFrom: [ann] }, ...options.channels },
    },
    { OPENCLAW_TEST: "1", OPENCLAW_TEST_WHATSAPP_URL: fake.url },
  );
  const world: WhatsAppWorld = {
    fake,
    provider,
    home,
    gateway: await openGateway({ home }),
    script: () => ["Hello **Ann**"],
    async call(method, params = {}) {
      const wire = await world.gateway.connect();
      try {
        return await wire.request(method, params);
      } finally {
        await wire.close();
      }
    },
    async account() {
      const { payload } = await world.call("channels.status");
      const accounts = payload?.["channelAccounts"] as { whatsapp: Record<string, unknown>[] };
      return accounts.whatsapp[0] ?? {};
    },
    async link(params = {}) {
      const begun = await world.call("web.login.start", params);
      const { qrText } = begun.payload as { qrText: string };
      await fake.phone.scanQr(qrText);
      const linked = await world.call("web.login.wait", { timeoutMs: 15_000 });
      expect(linked.payload).toMatchObject({ connected: true, done: true });
    },
    async again() {
      await world.gateway.stop();
      world.gateway = await openGateway({ home });
    },
    async stop() {
      await world.gateway.stop();
      home.remove();
      await provider.close();
      await fake.close();
    },
  };
  return world;
}

/** Texts the gateway sent, as the platform has them. */
export const sent = async ({ fake }: WhatsAppWorld) =>
  (await fake.ledger()).outbound.filter(({ text }) => text !== undefined);

export const untilSent = ({ fake }: WhatsAppWorld, count: number, what: string, timeoutMs = 10_000) =>
  fake.until(({ outbound }) => outbound.filter(({ text }) => text !== undefined).length >= count, what, timeoutMs);

export const untilState = (world: WhatsAppWorld, wanted: string) =>
  expect.poll(async () => (await world.account())["state"], { timeout: 10_000 }).toBe(wanted);
