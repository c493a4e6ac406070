/** What breaks between the gateway and WhatsApp, and the state each ends in (channels.md §6.4, §6.5, §10). Time is virtual where it is
 *  long. Meanwhile the gateway answers, and a message that came to harm arrives once. */
import { afterEach, expect, test } from "vitest";
import { ann, openWhatsAppWorld, sent, untilSent, untilState, type WhatsAppWorld } from "./whatsapp-set-up.ts";

const minute = 60_000;
const open: WhatsAppWorld[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

async function linked(): Promise<WhatsAppWorld> {
  const world = await openWhatsAppWorld();
  open.push(world);
  await world.link();
  await untilState(world, "open");
  return world;
}

const connections = async ({ fake }: WhatsAppWorld) => (await fake.ledger()).connections.length;

/** Whatever a channel goes through, others do not wait: most of these take a few ms. */
async function calm({ gateway }: WhatsAppWorld): Promise<void> {
  const wire = await gateway.connect();
  const took: number[] = [];
  for (let n = 0; n < 9; n++) {
    const at = performance.now();
    expect((await wire.request("health")).ok).toBe(true);
    took.push(performance.now() - at);
  }
  await wire.close();
  expect(took.sort((a, b) => a - b)[4]).toBeLessThanOrEqual(100);
}

/** Lets virtual time pass from one attempt to the next, until `ms` are over or the account is open. Returns what passed. */
async function wait(world: WhatsAppWorld, ms: number): Promise<number> {
  const { world: clock } = world.gateway;
  const from = clock.monotonic();
  for (;;) {
    const account = await world.account();
    const passed = clock.monotonic() - from;
    if (account["state"] === "open" || passed >= ms) return passed;
    const next = account["nextAttemptAt"];
    if (account["state"] === "backoff" && typeof next === "number")
      await clock.jump(Math.max(1, Math.min(next - clock.now() + 1, ms - passed)));
  }
}

async function answered(world: WhatsAppWorld, text: string): Promise<void> {
  const before = (await sent(world)).length;
  await world.fake.phone.sendText(ann, text);
  await untilSent(world, before + 1, "the reply");
}

test.each([
  { minutes: 1, backWithin: 38_000 },
  { minutes: 10, backWithin: 6.5 * minute },
  { minutes: 40, backWithin: 6.5 * minute },
])(
  "a network that is gone for $minutes min: it waits, comes back by itself, and what was written meanwhile is answered",
  async ({ minutes, backWithin }) => {
    const world = await linked();
    await world.fake.faults.cutNetwork(true);
    await untilState(world, "backoff");
    await world.fake.phone.sendText(ann, "written meanwhile");
    await wait(world, minutes * minute);
    await calm(world);
    expect(["backoff", "connecting"]).toContain((await world.account())["state"]);
    expect(world.provider.requests.length).toBe(0);
    await world.fake.faults.cutNetwork(false);
    expect(await wait(world, 30 * minute)).toBeLessThanOrEqual(backWithin);
    await untilSent(world, 1, "the reply");
    await answered(world, "and now?");
    expect(world.provider.requests.length).toBe(2);
  },
);

test("fifty messages while it reconnects: each is stored once and in order, and acknowledged", async () => {
  const world = await linked();
  await world.fake.faults.cutNetwork(true);
  await untilState(world, "backoff");
  const ids = await world.fake.phone.burst(ann, 50, { text: "number" });
  expect(ids).toHaveLength(50);
  await world.fake.faults.cutNetwork(false);
  await wait(world, 5 * minute);
  await world.fake.until(
    ({ inbound }) => inbound.length >= 50 && inbound.every(({ acknowledged }) => acknowledged),
    "fifty receipts",
  );
  const seen = () => {
    const text = JSON.stringify(world.provider.requests.at(-1)?.body ?? "");
    return [...text.matchAll(/number (\d+)\b/gu)].map(([, n]) => Number(n));
  };
  await expect.poll(() => seen().length, { timeout: 10_000 }).toBe(50);
  expect(seen()).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
  expect((await world.account())["inbound"]).toMatchObject({ received: 50 });
});

test("a server that never finishes the handshake is given up after a minute", async () => {
  const world = await linked();
  await world.fake.faults.stallHandshake(1);
  await world.fake.faults.dropTcp();
  await untilState(world, "backoff");
  const before = await connections(world);
  await wake(world);
  await world.fake.until(({ connections: all }) => all.length > before, "the next connection");
  await calm(world);
  await world.gateway.world.jump(minute + 1_000);
  await untilState(world, "backoff");
  expect(await world.account()).toMatchObject({ lastDisconnect: { status: 408 } });
  await wait(world, minute);
  await answered(world, "hello");
});

test("a login that is never answered, though pings are, is given up after a minute", async () => {
  const world = await linked();
  await world.fake.faults.noSuccess(1);
  await world.fake.faults.dropTcp();
  await untilState(world, "backoff");
  const before = await connections(world);
  await wake(world);
  await world.fake.until(({ connections: all }) => all.length > before, "the next connection");
  await world.gateway.world.jump(minute + 1_000);
  await untilState(world, "backoff");
  expect(await world.account()).toMatchObject({ lastDisconnect: { status: 408 } });
  await wait(world, minute);
  await answered(world, "hello");
});

test("an upgrade that is answered with another status is not waited for", async () => {
  const world = await linked();
  await world.fake.faults.refuseUpgrade(502, 1);
  await world.fake.faults.dropTcp();
  await untilState(world, "backoff");
  await wake(world);
  await expect.poll(async () => (await world.account())["reconnectAttempts"]).toBe(2);
  expect(await world.account()).toMatchObject({ lastError: expect.stringContaining("502") });
  await wait(world, minute);
  await answered(world, "hello");
});

test("a half-open connection, on which nothing is answered any more, is replaced within four minutes", async () => {
  const world = await linked();
  await world.fake.faults.silentPings(true);
  await calm(world);
  await world.gateway.world.jump(4 * minute);
  await expect.poll(async () => (await world.account())["lastDisconnect"]).toMatchObject({ status: 499 });
  await world.fake.faults.clear();
  await wait(world, minute);
  await answered(world, "hello");
});

test("a quiet account is a healthy one: hours without a message replace nothing", async () => {
  const world = await linked();
  const before = await connections(world);
  for (let passed = 0; passed < 3 * 60; passed++) {
    await world.gateway.world.jump(minute);
    // Frames come with real time: one round trip stands for the pings of a minute.
    if (passed % 2 === 1) await world.fake.phone.typing(ann, passed % 4 === 1);
    if (passed % 2 === 1) await alive(world);
  }
  expect(await connections(world)).toBe(before);
  expect((await world.account())["state"]).toBe("open");
}, 30_000);

for (const jump of ["wall clock", "both clocks"] as const)
  test(`eight hours in one step (${jump}), as after sleep: one new connection at once, not counted as a failure`, async () => {
    const world = await linked();
    const before = await connections(world);
    const { world: clock } = world.gateway;
    if (jump === "wall clock") clock.shiftWall(8 * 60 * minute);
    else clock.stall(8 * 60 * minute);
    await world.fake.until(({ connections: all }) => all.length === before + 1, "a new connection");
    await untilState(world, "open");
    expect(await world.account()).toMatchObject({ reconnectAttempts: 0, linked: true });
    await calm(world);
    await answered(world, "good morning");
    expect(await connections(world)).toBe(before + 1);
  });

test.each([
  { status: 503, fault: (world: WhatsAppWorld) => world.fake.faults.streamError({ code: 503 }) },
  { status: 500, fault: (world: WhatsAppWorld) => world.fake.faults.streamError() },
  { status: 428, fault: (world: WhatsAppWorld) => world.fake.faults.streamEnd() },
  { status: 503, fault: (world: WhatsAppWorld) => world.fake.faults.failure(503, { now: true }) },
])("$status ends in waiting, then in a connection", async ({ status, fault }) => {
  const world = await linked();
  await fault(world);
  await untilState(world, "backoff");
  const account = await world.account();
  expect(account).toMatchObject({ linked: true, connected: false, lastDisconnect: { status } });
  const { at } = account["lastDisconnect"] as { at: number };
  const waitMs = Number(account["nextAttemptAt"]) - at;
  expect(waitMs).toBeGreaterThanOrEqual(2_000);
  expect(waitMs).toBeLessThanOrEqual(2_600);
  await wait(world, minute);
  await calm(world);
  await answered(world, "hello");
});

test("515 is a wish for a new connection, not a failure", async () => {
  const world = await linked();
  const before = await connections(world);
  await world.fake.faults.streamError({ code: 515 });
  await world.fake.until(({ connections: all }) => all.length === before + 1, "a new connection");
  await untilState(world, "open");
  expect(await world.account()).toMatchObject({ reconnectAttempts: 0 });
});

test("405, a version that is refused: five minutes, and a word on updating", async () => {
  const world = await linked();
  await world.fake.faults.failure(405, { now: true });
  await untilState(world, "backoff");
  const { nextAttemptAt } = (await world.account()) as { nextAttemptAt: number };
  expect(nextAttemptAt - world.gateway.world.now()).toBeGreaterThan(4.9 * minute);
  expect(world.gateway.log.join("\n")).toContain("Update OpenClaw");
  await wait(world, 10 * minute);
  await answered(world, "hello");
});

test("403, blocked: nothing is tried, the keys stay, and a restart of the gateway connects again", async () => {
  const world = await linked();
  const before = await connections(world);
  await world.fake.faults.failure(403, { now: true });
  await untilState(world, "terminal");
  expect(await world.account()).toMatchObject({ linked: true, lastDisconnect: { status: 403, loggedOut: false } });
  await world.gateway.world.jump(60 * minute);
  await calm(world);
  expect(await connections(world)).toBe(before);
  await world.again();
  await untilState(world, "open");
  await answered(world, "hello");
});

test("401 out of nowhere, as after a ban: it stops at once, sends say NOT_LINKED, health says why", async () => {
  const world = await linked();
  const before = await connections(world);
  await world.fake.faults.failure(401, { now: true });
  await untilState(world, "terminal");
  expect(await world.account()).toMatchObject({ linked: false, lastDisconnect: { status: 401, loggedOut: true } });
  const refused = await world.call("send", { to: ann, message: "hi", channel: "whatsapp", idempotencyKey: "k" });
  expect(refused.error).toMatchObject({ code: "NOT_LINKED", message: expect.stringContaining("channels login") });
  const health = await world.call("health", { probe: true });
  expect(health.payload).toMatchObject({ linkChannel: { linked: false } });
  expect(JSON.stringify(health.payload)).toContain("logged this device out");
  await world.gateway.world.jump(60 * minute);
  expect(await connections(world)).toBe(before);
  await world.again();
  await untilState(world, "terminal");
  expect(await connections(world), "without a link nothing is dialed").toBe(before);
});

test("411, a link of an older kind: it stops and asks for a new one", async () => {
  const world = await linked();
  await world.fake.faults.downgrade();
  await untilState(world, "terminal");
  expect(await world.account()).toMatchObject({ linked: false, lastDisconnect: { status: 411 } });
});

/** Ends the wait for the next attempt. */
async function wake(world: WhatsAppWorld): Promise<void> {
  const { nextAttemptAt } = (await world.account()) as { nextAttemptAt: number };
  await world.gateway.world.jump(nextAttemptAt - world.gateway.world.now() + 1);
}

/** Resolves when the gateway has heard from the platform after this moment. */
async function alive(world: WhatsAppWorld): Promise<void> {
  const at = world.gateway.world.now();
  await expect.poll(async () => (await world.account())["lastEventAt"]).toBeGreaterThanOrEqual(at - 1_000);
}
