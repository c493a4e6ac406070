/** The drills of channels.md §10 for WhatsApp, through the whole gateway and the unmodified library. */
import { afterEach, expect, test } from "vitest";
import { startChild } from "../../fakes/whatsapp/index.ts";
import { type FakeProvider, startFakeProvider } from "../../support/fake-provider/index.ts";
import { openGateway, type TestGateway } from "../../support/gateway.ts";
import { makeHome } from "../../support/process.ts";
import type { WireFrame } from "../../support/wire.ts";
import { askedText, modelsOf } from "./set-up.ts";

type Fake = Awaited<ReturnType<typeof startChild>>;

const ann = "+15550002000";
const close: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const one of close.splice(0).reverse()) await one();
});

interface World {
  fake: Fake;
  provider: FakeProvider;
  gateway: TestGateway;
  call(method: string, params?: Record<string, unknown>): Promise<WireFrame>;
  account(): Promise<Record<string, unknown>>;
  link(): Promise<void>;
  again(): Promise<void>;
}

async function setUp(whatsapp: Record<string, unknown> = { allowFrom: [ann] }): Promise<World> {
  const fake = await startChild({ preKeys: false });
  close.push(() => fake.close());
  await fake.phone.addContact({ pn: ann, lid: "777000@lid", name: "Ann" });
  const provider = await startFakeProvider({ script: [["Hello **Ann**"]] });
  close.push(() => provider.close());
  const home = makeHome(
    {
      models: modelsOf(provider),
      agents: { defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } } },
      channels: { whatsapp },
    },
    { OPENCLAW_TEST: "1", OPENCLAW_TEST_WHATSAPP_URL: fake.url },
  );
  close.push(() => home.remove());
  let gateway = await openGateway({ home });
  close.push(() => gateway.stop());
  const world: World = {
    fake,
    provider,
    gateway,
    async call(method, params = {}) {
      const wire = await gateway.connect();
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
    async link() {
      const begun = await world.call("web.login.start");
      const { qrText } = begun.payload as { qrText: string };
      await fake.phone.scanQr(qrText);
      const linked = await world.call("web.login.wait", { timeoutMs: 15_000 });
      expect(linked.payload).toMatchObject({ connected: true, done: true });
    },
    async again() {
      await gateway.stop();
      gateway = await openGateway({ home });
      world.gateway = gateway;
    },
  };
  return world;
}

const sent = async ({ fake }: World) => (await fake.ledger()).outbound.filter(({ text }) => text !== undefined);
const texts = ({ fake }: World, count: number, what: string) =>
  fake.until(({ outbound }) => outbound.filter(({ text }) => text !== undefined).length >= count, what, 10_000);
const state = (world: World, wanted: string) =>
  expect.poll(async () => (await world.account())["state"], { timeout: 10_000 }).toBe(wanted);

test("a code is scanned, the connection restarts as it should, and messages go both ways", async () => {
  const world = await setUp();
  await state(world, "terminal");
  expect(await world.account()).toMatchObject({ linked: false, connected: false });
  const refused = await world.call("send", { to: ann, message: "hi", channel: "whatsapp", idempotencyKey: "early" });
  expect(refused.error).toMatchObject({
    code: "NOT_LINKED",
    message: expect.stringContaining("openclaw channels login"),
  });
  const health = await world.call("health", { probe: true });
  expect(health.payload).toMatchObject({ linkChannel: { id: "whatsapp", linked: false } });
  await world.link();
  expect(await world.account()).toMatchObject({ state: "open", linked: true, connected: true });
  await world.fake.phone.sendText(ann, "hello");
  await texts(world, 1, "the reply");
  expect((await sent(world))[0]).toMatchObject({ text: "Hello *Ann*", times: 1 });
  expect(askedText(world.provider.requests[0])).toContain("hello");
  expect((await world.call("health", { probe: true })).payload).toMatchObject({
    linkChannel: { id: "whatsapp", label: "WhatsApp", linked: true },
  });
  const { inbound } = await world.fake.ledger();
  expect(inbound.every(({ acknowledged }) => acknowledged)).toBe(true);
});

test("eight characters typed on the phone link as well", async () => {
  const world = await setUp();
  const begun = await world.call("web.login.start", { phone: "+1 555 000 1000" });
  const { code } = begun.payload as { code: string };
  expect(code).toMatch(/^[A-Z0-9]{4}-?[A-Z0-9]{4}$/u);
  await world.fake.phone.enterPairingCode(code.replace("-", ""));
  const linked = await world.call("web.login.wait", { timeoutMs: 15_000 });
  expect(linked.payload).toMatchObject({ connected: true });
  await state(world, "open");
});

test("the link survives a restart, and what came meanwhile is answered once", async () => {
  const world = await setUp();
  await world.link();
  await world.gateway.stop();
  await world.fake.phone.sendText(ann, "are you there?");
  await world.again();
  await state(world, "open");
  await texts(world, 1, "the reply");
  await world.again();
  await state(world, "open");
  await world.fake.phone.sendText(ann, "and now?");
  await texts(world, 2, "the second reply");
  expect(world.provider.requests.length).toBe(2);
});

test("removed on the phone: it stops, says so, and can be linked again", async () => {
  const world = await setUp();
  await world.link();
  await world.fake.phone.removeDevice();
  await state(world, "terminal");
  expect(await world.account()).toMatchObject({ linked: false, lastDisconnect: { status: 401, loggedOut: true } });
  const refused = await world.call("send", { to: ann, message: "hi", channel: "whatsapp", idempotencyKey: "k1" });
  expect(refused.error).toMatchObject({ code: "NOT_LINKED" });
  await world.link();
  await state(world, "open");
});

test("the same link opened elsewhere is not fought over", async () => {
  const world = await setUp();
  await world.link();
  const before = (await world.fake.ledger()).connections.length;
  await world.fake.faults.kickReplaced();
  await state(world, "terminal");
  expect(await world.account()).toMatchObject({ lastDisconnect: { status: 440 }, linked: true });
  expect((await world.fake.ledger()).connections.length).toBe(before);
});

test("a torn connection comes back by itself", async () => {
  const world = await setUp();
  await world.link();
  await world.fake.faults.dropTcp();
  await state(world, "backoff");
  await world.fake.phone.sendText(ann, "while away");
  await state(world, "open");
  await texts(world, 1, "the reply");
});

test("a contact who writes by LID and by number has one conversation", async () => {
  const world = await setUp({ allowFrom: [ann] });
  await world.link();
  await world.fake.phone.sendText(ann, "by number");
  await texts(world, 1, "the first reply");
  await world.fake.phone.sendText(ann, "by lid", { lidAddressed: true });
  await texts(world, 2, "the second reply");
  const sessions = ((await world.call("sessions.list")).payload as { sessions: { key: string }[] }).sessions;
  expect(sessions.map(({ key }) => key)).toEqual(["agent:main:main"]);
});

test("a stranger gets one code; a repeat gets nothing; after approval the next message is answered", async () => {
  const world = await setUp({ allowFrom: ["+15559999999"] });
  await world.link();
  await world.fake.phone.sendText(ann, "hello?");
  await texts(world, 1, "the pairing text");
  await world.fake.phone.sendText(ann, "hello??");
  const [pairing] = await sent(world);
  const code = /\b([A-Z2-9]{8})\b/u.exec(pairing?.text ?? "")?.[1] ?? "";
  expect((await world.call("pairing.approve", { channel: "whatsapp", code })).payload).toMatchObject({ id: ann });
  await world.fake.phone.sendText(ann, "now?");
  await texts(world, 2, "the reply");
  expect((await sent(world))[1]).toMatchObject({ text: "Hello *Ann*" });
  expect(world.provider.requests.length).toBe(1);
});

test("logout ends the link on both sides", async () => {
  const world = await setUp();
  await world.link();
  const out = await world.call("channels.logout", { channel: "whatsapp" });
  expect(out.payload).toMatchObject({ channel: "whatsapp", cleared: true, loggedOut: true });
  await state(world, "terminal");
  expect(await world.account()).toMatchObject({ linked: false });
});

test("a send with one key arrives once, and answers the same after a restart", async () => {
  const world = await setUp();
  await world.link();
  const params = { to: ann, message: "reminder", channel: "whatsapp", idempotencyKey: "same" };
  const one = await world.call("send", params);
  expect(one.payload).toMatchObject({ channel: "whatsapp", messageId: expect.stringMatching(/^[A-F0-9]{12,}$/u) });
  await world.again();
  expect((await world.call("send", params)).payload).toEqual(one.payload);
  expect((await sent(world)).map(({ text, times }) => [text, times])).toEqual([["reminder", 1]]);
});
