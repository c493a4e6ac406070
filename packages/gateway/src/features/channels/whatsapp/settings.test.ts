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

test("an acknowledging reaction needs an emoji", () => {
  expect(accounts({ ackReaction: { direct: false } })[0]?.access.ackReaction).toBeUndefined();
  expect(accounts({ ackReaction: { emoji: "👀" } })[0]?.access.ackReaction).toEqual({
    emoji: "👀",
    direct: true,
    group: "mentions",
  });
});

test("waits between attempts come from web.reconnect", () => {
  expect(whatsappReconnect({})).toMatchObject({ initialMs: 2_000, maxAttempts: 12 });
  expect(whatsappReconnect({ web: { reconnect: { initialMs: 10 } } })).toMatchObject({ initialMs: 10, factor: 1.8 });
});
