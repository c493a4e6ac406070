import { expect, test } from "vitest";
import { whatsappAccounts, whatsappReconnect } from "./settings.ts";

const accounts = (whatsapp: Record<string, unknown> | undefined, more: Record<string, unknown> = {}) =>
  whatsappAccounts({ channels: { whatsapp, ...(more["channels"] as object) }, ...more });

test("no section, no account; an empty section, one account with the defaults", () => {
  expect(accounts(undefined)).toEqual([]);
  expect(accounts({})).toEqual([
    {
      accountId: "default",
      enabled: true,
      access: {
        dmPolicy: "pairing",
        allowFrom: [],
        groupPolicy: "allowlist",
        historyLimit: 50,
        debounceMs: 0,
        replyToMode: "off",
        ackReaction: { emoji: "", direct: true, group: "mentions" },
        commandsNeedOwner: true,
      },
      mediaMaxBytes: 50 * 1024 * 1024,
      textChunkLimit: 4_000,
      chunkMode: "length",
      tables: "bullets",
      settings: {
        sendReadReceipts: true,
        heartbeatSeconds: 60,
      },
    },
  ]);
});

test("an account inherits what the channel says, and what it says itself wins", () => {
  const [work, home] = accounts({
    allowFrom: ["1 555 123 4567"],
    dmPolicy: "allowlist",
    mediaMaxMb: 10,
    sendReadReceipts: false,
    accounts: { work: { name: "Work", authDir: "~/keys", mediaMaxMb: 5 }, home: { enabled: false, allowFrom: ["*"] } },
  });
  expect(work).toMatchObject({
    accountId: "work",
    name: "Work",
    enabled: true,
    mediaMaxBytes: 5 * 1024 * 1024,
    access: { dmPolicy: "allowlist", allowFrom: ["+15551234567"] },
    settings: { authDir: "~/keys", sendReadReceipts: false },
  });
  expect(home).toMatchObject({ accountId: "home", enabled: false, access: { allowFrom: ["*"] } });
});

test("two accounts with one directory are one device: the second does not start, and says why", () => {
  const [first, second, third] = accounts({
    accounts: { a: { authDir: "/keys/one" }, b: { authDir: "/keys/../keys/one/" }, c: { authDir: "/keys/two" } },
  });
  expect(first?.missing).toBeUndefined();
  expect(second?.missing).toContain('same authDir as account "a"');
  expect(third?.missing).toBeUndefined();
  const [, alone] = accounts({ accounts: { a: { authDir: "/k", enabled: false }, b: { authDir: "/k" } } });
  expect(alone?.missing).toBeUndefined();
});

test("switches above an account switch it off as well", () => {
  expect(accounts({ enabled: false, accounts: { a: { enabled: true } } })).toMatchObject([{ enabled: false }]);
  expect(accounts({}, { web: { enabled: false } })).toMatchObject([{ enabled: false }]);
});

test("limits and waits that hold for all channels hold here unless the channel has its own", () => {
  const more = {
    messages: { groupChat: { historyLimit: 9 }, inbound: { debounceMs: 700, byChannel: { whatsapp: 300 } } },
  };
  expect(accounts({}, more)).toMatchObject([{ access: { historyLimit: 9, debounceMs: 300 } }]);
  expect(accounts({ historyLimit: 0, debounceMs: 1 }, more)).toMatchObject([
    { access: { historyLimit: 0, debounceMs: 1 } },
  ]);
});

test("an acknowledging reaction needs an emoji here, whatever other channels show", () => {
  const none = { emoji: "", direct: true, group: "mentions" };
  expect(accounts({}, { messages: { ackReaction: "👀" } })[0]?.access.ackReaction).toEqual(none);
  expect(accounts({ ackReaction: { emoji: "" } })[0]?.access.ackReaction).toEqual(none);
  expect(accounts({ ackReaction: { direct: false } })[0]?.access.ackReaction).toEqual({ ...none, direct: false });
  expect(accounts({ ackReaction: { emoji: "👀" } })[0]?.access.ackReaction).toEqual({
    emoji: "👀",
    direct: true,
    group: "mentions",
  });
});

test("waits between attempts come from web.reconnect", () => {
  expect(whatsappReconnect({})).toEqual({
    initialMs: 2_000,
    maxMs: 30_000,
    factor: 1.8,
    jitter: 0.25,
    maxAttempts: 12,
    steadyMs: 60_000,
  });
  expect(whatsappReconnect({ web: { reconnect: { initialMs: 10 }, heartbeatSeconds: 5 } })).toMatchObject({
    initialMs: 10,
    factor: 1.8,
    steadyMs: 5_000,
  });
});
