import { array, assert, constantFrom, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { parseHtml } from "../../../../../../test/fakes/telegram/index.ts";
import { menuOf } from "./commands.ts";
import { telegramEntry } from "./entry.ts";

const accounts = (telegram: unknown, env: Record<string, string> = {}, more: object = {}) =>
  telegramEntry.accounts({ channels: { telegram }, ...more }, env);
const token = "123456:AAAAAAAAAAAAAAAAAAAAAAAAAA";

test("a channel that is not configured has no accounts, a configured one has `default`", () => {
  expect(telegramEntry.accounts({}, { TELEGRAM_BOT_TOKEN: token })).toEqual([]);
  expect(accounts({}, { TELEGRAM_BOT_TOKEN: token })).toMatchObject([
    {
      accountId: "default",
      enabled: true,
      tokenSource: "env",
      mediaMaxBytes: 5 * 1024 * 1024,
      textChunkLimit: 4_000,
      chunkMode: "length",
      tables: "code",
      access: { dmPolicy: "pairing", groupPolicy: "allowlist", allowFrom: [], historyLimit: 50, replyToMode: "first" },
      settings: { apiRoot: "https://api.telegram.org", linkPreview: true, reactionNotifications: "own" },
    },
  ]);
});

test("an account inherits from the channel what it does not say itself", () => {
  const [first, second] = accounts(
    {
      dmPolicy: "allowlist",
      allowFrom: ["tg:7", "@Ann", 9],
      textChunkLimit: 1_000,
      groups: { "-100": { requireMention: false } },
      accounts: {
        a: { botToken: token, name: "A" },
        b: { enabled: false, botToken: "1:2", dmPolicy: "disabled", apiRoot: "http://h:1" },
      },
    },
    {},
    { messages: { groupChat: { historyLimit: 3 }, inbound: { debounceMs: 5, byChannel: { telegram: 6 } } } },
  );
  expect(first).toMatchObject({
    accountId: "a",
    name: "A",
    enabled: true,
    textChunkLimit: 1_000,
    access: {
      dmPolicy: "allowlist",
      allowFrom: ["7", "@ann", "9"],
      groups: { "-100": { requireMention: false } },
      historyLimit: 3,
      debounceMs: 6,
    },
  });
  expect(first?.missing).toBeUndefined();
  expect(second).toMatchObject({
    enabled: false,
    access: { dmPolicy: "disabled" },
    settings: { apiRoot: "http://h:1" },
  });
});

test("the token comes from the account's file, its key, the channel's file, its key, the environment, in that order", () => {
  const env = { TELEGRAM_BOT_TOKEN: "9:env" };
  const place = (telegram: unknown, at = 0) => accounts(telegram, env)[at]?.settings.token;
  const own = { tokenFile: "/own", botToken: "1:own" };
  expect(place({ botToken: "2:ch", tokenFile: "/ch", accounts: { default: own } })).toEqual({
    from: "file",
    path: "/own",
  });
  expect(place({ tokenFile: "/ch", accounts: { default: { botToken: "1:own" } } })).toEqual({
    from: "config",
    value: "1:own",
  });
  expect(place({ botToken: "2:ch", tokenFile: "/ch" })).toEqual({ from: "file", path: "/ch" });
  expect(place({ botToken: " 2:ch " })).toEqual({ from: "config", value: "2:ch" });
  expect(place({})).toEqual({ from: "env", value: "9:env" });
  // Only the default account speaks for the channel.
  expect(place({ botToken: "2:ch", accounts: { other: {} } })).toEqual({ from: "none" });
  expect(accounts({ accounts: { other: {} } }, env)[0]?.missing).toContain("channels.telegram.accounts.other.botToken");
});

test("a second account with the same token cannot start, and says why", () => {
  const [, second, third] = accounts({
    accounts: { a: { botToken: token }, b: { botToken: token }, c: { botToken: "1:c" } },
  });
  expect(second?.missing).toContain('account "a"');
  expect(third?.missing).toBeUndefined();
});

test("a proxy that cannot be used stops the account rather than being passed over", () => {
  expect(accounts({ botToken: token, proxy: "socks5://p:1" })[0]?.missing).toContain("channels.telegram.proxy");
});

test("destinations are ids, public names and topics", () => {
  const { parseTarget } = telegramEntry;
  expect(parseTarget("123456")).toEqual({ chatId: "123456", kind: "direct" });
  expect(parseTarget(" telegram:tg:-1001 ")).toEqual({ chatId: "-1001", kind: "group" });
  expect(parseTarget("group:-1001:topic:7")).toEqual({ chatId: "-1001", kind: "group", threadId: "7" });
  expect(parseTarget("-1001:7")).toEqual({ chatId: "-1001", kind: "group", threadId: "7" });
  expect(parseTarget("@News_x")).toEqual({ chatId: "@News_x", kind: "channel" });
  expect(parseTarget("https://t.me/news_x")).toEqual({ chatId: "@news_x", kind: "channel" });
  for (const wrong of ["", "ann", "@ab", "+15551234567", "12 34", "t.me/", "-", "007", "123:x", "@name:topic:"])
    expect(() => parseTarget(wrong), wrong).toThrow(/chat id like/u);
});

test("senders compare as ids, names only with their @", () => {
  const { normalizeSender } = telegramEntry;
  expect(["tg:42", " telegram:42", "42", "@Ann", "ANN", "*", "-100"].map(normalizeSender)).toEqual([
    "42",
    "42",
    "42",
    "@ann",
    "@ann",
    "*",
    "-100",
  ]);
});

test("the command menu holds what the platform takes and names the rest", () => {
  const many = Array.from({ length: 100 }, (_, i) => ({ name: `c${i}`, description: "x" }));
  const { menu, refused } = menuOf([
    { name: "/new-session", description: " Start over " },
    { name: "new_session", description: "again" },
    { name: "Bad name", description: "x" },
    { name: "empty", description: " " },
    ...many,
  ]);
  expect(menu[0]).toEqual({ command: "new_session", description: "Start over" });
  expect(menu).toHaveLength(100);
  expect(refused.map(({ reason }) => reason)).toEqual([
    "the name is taken",
    "names have 1 to 32 of a-z, 0-9 and _",
    "it has no description",
    "the menu has room for 100",
  ]);
});

test("an entry of the config never takes the name of a command of ours, also where those are not offered", () => {
  const known = [
    { name: "status", description: "How it is." },
    { name: "new-session", description: "Start over." },
  ];
  const custom = [
    { name: "status", description: "mine" },
    { name: "new_session", description: "mine" },
    { name: "deploy", description: "Ship it" },
  ];
  const names = (menu: ReturnType<typeof menuOf>) =>
    menu.menu.map(({ command, description }) => [command, description]);
  expect(names(menuOf([...known, ...custom], known))).toEqual([
    ["status", "How it is."],
    ["new_session", "Start over."],
    ["deploy", "Ship it"],
  ]);
  expect(names(menuOf(custom, known))).toEqual([["deploy", "Ship it"]]);
});

const options = { limit: 4_000, chunkMode: "length" as const, tables: "code" as const };

test("nine thousand characters with a code fence become messages that read on", () => {
  const code = Array.from({ length: 250 }, (_, i) => `const value${i} = "${"x".repeat(12)}" < ${i};`).join("\n");
  const parts = telegramEntry.render(`Here:\n\n\`\`\`ts\n${code}\n\`\`\`\n\n**Done.**`, options);
  expect(parts.length).toBeGreaterThanOrEqual(3);
  const read = parts.map((part) => parseHtml(part.text));
  for (const [index, { text, entities }] of read.entries()) {
    expect(text.length).toBeLessThanOrEqual(4_000);
    expect(text).toBe(parts[index]?.plain);
    expect(entities.some(({ type }) => type === "pre")).toBe(true);
  }
  const numbers = read.flatMap(({ text }) => [...text.matchAll(/value(\d+) =/gu)].map(([, n]) => Number(n)));
  expect(numbers).toEqual(Array.from({ length: 250 }, (_, i) => i));
  expect(read.at(-1)?.text.endsWith("Done.")).toBe(true);
});

test("the plain form shows where links lead", () => {
  expect(telegramEntry.render("[docs](https://x.y/z)", options)).toEqual([
    { text: '<a href="https://x.y/z">docs</a>', plain: "docs (https://x.y/z)" },
  ]);
});

test("only addresses of the web and of Telegram itself become links", () => {
  const html = (markdown: string) => telegramEntry.render(markdown, options)[0]?.text;
  expect(html("[me](tg://user?id=42)")).toBe('<a href="tg://user?id=42">me</a>');
  expect(html("[a](http://x.y)")).toBe('<a href="http://x.y">a</a>');
  expect(html("[b](file:///etc/passwd)")).toBe("b (file:///etc/passwd)");
});

test("nothing to say is no message", () => {
  expect(telegramEntry.render(" \n\n ", options)).toEqual([]);
});

test("property: every part is HTML the platform reads, within the limit, with at most a hundred styles", () => {
  const scrap = constantFrom(
    ..."**|*|_|`|```ts\n|```\n|\n\n|\n|> |- |1. |# |[l](http://x.y)|~~|<b>|&|&lt;|word |😀|(|)|é|\\|".split("|"),
    "|a|b|\n|-|-|\n|c|d|\n",
    "longlonglonglonglonglong",
  );
  assert(
    property(array(scrap, { maxLength: 200 }), integer({ min: 32, max: 300 }), (scraps, limit) => {
      for (const part of telegramEntry.render(scraps.join(""), { ...options, limit })) {
        const { text, entities } = parseHtml(part.text);
        expect(text.length).toBeLessThanOrEqual(limit);
        expect(text.trim()).not.toBe("");
        expect(entities.length).toBeLessThanOrEqual(100);
      }
    }),
    { numRuns: 300 },
  );
});
