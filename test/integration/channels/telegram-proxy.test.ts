/** `channels.telegram.proxy`: everything goes through it, and nothing around it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { type HttpProxy, startProxy, withTls } from "./http-proxy.ts";
import { askedText, type ChatWorld, openChatWorld } from "./set-up.ts";

const close: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const one of close.splice(0).toReversed()) await one();
});

const login = "clerk:s%C3%A9cret-word";
const password = "sécret-word";

async function setUp(options: { tls?: boolean; proxyUrl?: (port: number) => string } = {}) {
  const proxy = await startProxy(`clerk:${password}`);
  close.push(() => proxy.close());
  const proxyUrl = options.proxyUrl?.(proxy.port) ?? `http://${login}@127.0.0.1:${proxy.port}`;
  const world = await openChatWorld({ telegram: { proxy: proxyUrl } }, async (fake) => {
    if (!options.tls) return {};
    const front = await withTls(fake.url);
    close.push(() => front.close());
    const before = getCACertificates();
    setDefaultCACertificates([...before, front.cert]);
    close.push(() => setDefaultCACertificates(before));
    return { apiRoot: front.url };
  });
  close.push(() => world.stop());
  return { proxy, world };
}

const account = async (world: ChatWorld) =>
  ((await world.call("channels.status")).payload as never)["channelAccounts"]["telegram"][0] as Record<string, unknown>;
const texts = ({ fake }: ChatWorld) => fake.chats.sent.map(({ text }) => text);
const photo = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

async function talk(world: ChatWorld, proxy: HttpProxy): Promise<void> {
  const { fake } = world;
  const file = fake.chats.storeFile(photo, "photo.png");
  fake.chats.message(fake.bot, 42, { photo: [{ ...file, width: 1, height: 1 }], caption: "look" });
  await fake.until(() => texts(world).length === 1);
  expect(askedText(world.provider.requests[0])).toContain("media attached");
  writeFileSync(join(world.home.path, "plan.txt"), "the plan\n".repeat(50_000));
  const media = { to: "42", mediaUrl: join(world.home.path, "plan.txt"), message: "plan", channel: "telegram" };
  expect((await world.call("send", { ...media, idempotencyKey: "m" })).payload).toMatchObject({ channel: "telegram" });
  const uploaded = Object.values(fake.calls("sendDocument")[0]?.files ?? {});
  expect(uploaded).toEqual([{ name: "plan.txt", bytes: 450_000 }]);
  expect(proxy.strangers).toBe(0);
}

test("through a tunnel: messages, a file each way, and no word of the password anywhere", async () => {
  const { proxy, world } = await setUp({ tls: true });
  await talk(world, proxy);
  expect(new Set(proxy.asked.map((line) => line.split(" ")[0]))).toEqual(new Set(["CONNECT"]));
  expect(proxy.asked.length).toBeGreaterThanOrEqual(world.fake.requests.length);
  const shown = JSON.stringify([
    await world.call("config.get"),
    await world.call("channels.status"),
    world.gateway.log,
  ]);
  expect(shown).not.toContain("cret-word");
});

test("a plain server of one's own is reached through the proxy as well, files included", async () => {
  const { proxy, world } = await setUp();
  await talk(world, proxy);
  expect(proxy.asked.some((line) => /^GET http:.*\/file\/bot/u.test(line))).toBe(true);
  expect(proxy.asked.length).toBeGreaterThanOrEqual(world.fake.requests.length);
});

test("a proxy that lets nothing through is named, nothing goes around it, and it is tried again", async () => {
  const { proxy, world } = await setUp({ tls: true, proxyUrl: (port) => `http://clerk:wrong@127.0.0.1:${port}` });
  await expect.poll(async () => (await account(world))["state"]).toBe("backoff");
  expect(await account(world)).toMatchObject({ lastError: expect.stringContaining("PROXY_407") });
  expect(world.gateway.log.join("\n")).toContain("channels.telegram.proxy");
  expect(world.fake.requests).toEqual([]);
  const before = proxy.asked.length;
  await world.gateway.world.jump(5_000);
  await expect.poll(() => proxy.asked.length).toBeGreaterThan(before);
});

test("a proxy that went away while running ends in waiting, and a send says that nothing left", async () => {
  const { proxy, world } = await setUp({ tls: true });
  await world.fake.until(() => world.fake.bot.polling);
  proxy.refuse = 503;
  const sent = world.call("send", { to: "42", message: "hi", channel: "telegram", idempotencyKey: "k" });
  world.fake.chats.add({ id: 42 });
  await expect.poll(() => proxy.asked.length).toBeGreaterThan(3);
  expect(world.fake.calls("sendMessage")).toEqual([]);
  proxy.refuse = undefined;
  await world.gateway.world.jump(3_000);
  await sent;
  await world.gateway.world.jump(60_000);
  await world.fake.until(() => texts(world).length === 1);
});

test("a proxy that says nothing is given up after ten seconds, and its connection is closed", async () => {
  const { proxy, world } = await setUp({ tls: true });
  await world.fake.until(() => world.fake.bot.polling);
  proxy.silent = true;
  await world.again();
  await expect.poll(() => proxy.waiting()).toBe(1);
  await world.gateway.world.jump(10_001);
  await expect.poll(async () => (await account(world))["state"]).toBe("backoff");
  expect(await account(world)).toMatchObject({ lastError: expect.stringContaining("did not answer getMe in time") });
  await expect.poll(() => proxy.waiting()).toBe(0);
});

test("a socks proxy is refused in words, rather than passed over", async () => {
  const { proxy, world } = await setUp({ proxyUrl: (port) => `socks5://127.0.0.1:${port}` });
  await expect.poll(async () => (await account(world))["state"]).toBe("unconfigured");
  expect(await account(world)).toMatchObject({ lastError: expect.stringMatching(/proxy.*socks/u) });
  expect([proxy.asked, world.fake.requests]).toEqual([[], []]);
});
