/** `channels …`, `message …` and `pairing …` as a person types them: real processes, fake Telegram (cli.md §2.4, §2.5). */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { spawn } from "node:child_process";
import { startFakeTelegram, type FakeTelegram } from "../../fakes/telegram/index.ts";
import { startChild } from "../../fakes/whatsapp/index.ts";
import { type GatewayProcess, type Home, launcher, makeHome, runCli, startGateway } from "../../support/process.ts";

const open: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

function homeWith(channels?: Record<string, unknown>): Home {
  const home = makeHome(channels ? { channels } : {});
  open.push(() => home.remove());
  return home;
}

async function running(telegram: Record<string, unknown> = {}) {
  const fake: FakeTelegram = await startFakeTelegram();
  open.push(() => fake.close());
  fake.chats.add({ id: 42 });
  const home = homeWith({ telegram: { botToken: fake.bot.token, apiRoot: fake.url, allowFrom: [42], ...telegram } });
  const gateway: GatewayProcess = await startGateway(home);
  open.push(() => gateway.stop());
  home.env["OPENCLAW_GATEWAY_PORT"] = String(gateway.port);
  if (telegram["botToken"] === undefined) await fake.until(() => fake.bot.polling);
  return { fake, home, gateway };
}

const config = (home: Home) =>
  JSON.parse(readFileSync(join(home.state, "openclaw.json"), "utf8")) as Record<string, never>;

test("message send delivers once for one key, and --json prints one document", async () => {
  const { fake, home } = await running();
  const args = ["message", "send", "--target", "42", "-m", "**Dinner** at eight", "--idempotency-key", "k1"];
  const one = await runCli(home, args);
  expect(one).toMatchObject({ code: 0, stderr: "" });
  expect(one.stdout).toMatch(/^✅ Sent via Telegram\. Message ID: \d+\n$/u);
  const two = await runCli(home, [...args, "--json"]);
  const answer = JSON.parse(two.stdout) as { payload: { messageId: string } };
  expect(answer).toMatchObject({ action: "send", channel: "telegram", dryRun: false, handledBy: "core" });
  expect(one.stdout).toContain(answer.payload.messageId);
  expect(fake.chats.sent.map(({ text }) => text)).toEqual(["Dinner at eight"]);
});

test("a file is sent with its text as caption", async () => {
  const { fake, home } = await running();
  writeFileSync(join(home.path, "plan.txt"), "the plan");
  const ran = await runCli(home, ["message", "send", "-t", "telegram:42", "-m", "as promised", "--media", "plan.txt"]);
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(fake.chats.sent).toMatchObject([{ method: "sendDocument", text: "as promised" }]);
  const missing = await runCli(home, ["message", "send", "-t", "42", "--media", "nowhere.txt"]);
  expect(missing.code).toBe(1);
  expect(missing.stderr).toMatch(/There is no file .*nowhere\.txt/u);
});

test("polls, reactions, edits and deletions reach the platform", async () => {
  const { fake, home } = await running();
  const poll = ["message", "poll", "-t", "42", "--poll-question", "When?", "--poll-option", "8", "--poll-option", "9"];
  expect((await runCli(home, poll)).stdout).toMatch(/^✅ Poll sent via Telegram/u);
  const sent = await runCli(home, ["message", "send", "-t", "42", "-m", "first", "--json"]);
  const { messageId } = (JSON.parse(sent.stdout) as { payload: { messageId: string } }).payload;
  const to = ["-t", "42", "--message-id", messageId];
  expect((await runCli(home, ["message", "edit", ...to, "-m", "second"])).stdout).toBe("✅ Message changed.\n");
  expect((await runCli(home, ["message", "react", ...to, "--emoji", "👍"])).stdout).toBe("✅ Reaction added: 👍\n");
  expect((await runCli(home, ["message", "delete", ...to])).stdout).toBe("✅ Message deleted.\n");
  const methods = fake.requests
    .map(({ method }) => method)
    .filter((name) => !/^get|deleteWebhook|Commands/u.test(name));
  expect(methods).toEqual(["sendPoll", "sendMessage", "editMessageText", "setMessageReaction", "deleteMessage"]);
});

test("with the gateway down a send fails at once and says how to start it", async () => {
  const home = homeWith({ telegram: { botToken: "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" } });
  home.env["OPENCLAW_GATEWAY_PORT"] = "1";
  const ran = await runCli(home, ["message", "send", "-t", "42", "-m", "hi"]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/Start it with openclaw gateway/u);
  const json = await runCli(home, ["message", "send", "-t", "42", "-m", "hi", "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false });
});

test("a dry run needs no gateway and sends nothing", async () => {
  const home = homeWith({ telegram: {} });
  const ran = await runCli(home, ["message", "send", "-t", "42", "-m", "hi", "--dry-run", "--json"]);
  expect(JSON.parse(ran.stdout)).toEqual({
    action: "send",
    channel: "telegram",
    dryRun: true,
    handledBy: "dry-run",
    payload: { to: "42", message: "hi", channel: "telegram" },
  });
});

test("what is missing is named before anything is contacted", async () => {
  const none = homeWith();
  const both = homeWith({ telegram: {}, whatsapp: {} });
  const said = async (home: Home, ...args: string[]) => {
    const ran = await runCli(home, args);
    expect(ran.code, args.join(" ")).toBe(1);
    return ran.stderr;
  };
  expect(await said(none, "message", "send", "-t", "42", "-m", "hi")).toContain(
    "Channel is required (no configured channels detected).",
  );
  expect(await said(both, "message", "send", "-t", "42", "-m", "hi")).toMatch(/whatsapp, telegram.*--channel/su);
  expect(await said(both, "message", "send", "-m", "hi")).toContain("Target (--target) is required");
  expect(await said(both, "message", "send", "-t", "1", "--channel", "telegram")).toContain("Message (--message)");
  expect(await said(both, "message", "send", "-t", "1", "-m", "x", "--channel", "icq")).toContain(
    "Unknown channel: icq",
  );
  expect(await said(both, "message", "react", "-t", "1", "--channel", "telegram")).toContain("Emoji (--emoji)");
  expect(await said(both, "message", "poll", "-t", "1", "--poll-question", "?", "--poll-option", "a")).toContain(
    "2 to 12",
  );
});

test("channels add writes an account the gateway takes over, a second one moves the first under accounts", async () => {
  const home = homeWith();
  const added = await runCli(home, [
    "channels",
    "add",
    "--channel",
    "telegram",
    "--token",
    "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  ]);
  expect(added, added.stderr).toMatchObject({ code: 0 });
  expect(added.stdout).toContain("channels status --probe");
  expect(added.stdout + added.stderr).not.toContain("AAAA");
  expect(config(home)["channels"]).toEqual({
    telegram: { enabled: true, botToken: "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
  });
  writeFileSync(join(home.path, "token"), "987654321:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\n");
  const file = join(home.path, "token");
  const second = await runCli(home, [
    "channels",
    "add",
    "--channel",
    "telegram",
    "--account",
    "work",
    "--token-file",
    file,
  ]);
  expect(second, second.stderr).toMatchObject({ code: 0 });
  expect(config(home)["channels"]).toEqual({
    telegram: {
      enabled: true,
      accounts: {
        default: { botToken: "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
        work: { enabled: true, tokenFile: file },
      },
    },
  });
  expect((await runCli(home, ["channels", "list"])).stdout).toBe("Telegram: default, work\n");
  const wrong = await runCli(home, ["channels", "add", "--channel", "telegram", "--token", "nonsense"]);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("@BotFather") });
  expect(wrong.stderr).not.toContain("nonsense");
  expect((await runCli(home, ["channels", "remove", "--channel", "telegram", "--account", "work"])).stdout).toContain(
    "Disabled",
  );
  expect(
    (await runCli(home, ["channels", "remove", "--channel", "telegram", "--account", "work", "--delete"])).code,
  ).toBe(0);
  expect(config(home)["channels"]).toMatchObject({ telegram: { accounts: { default: {} } } });
  const gone = await runCli(home, ["channels", "remove", "--channel", "telegram", "--account", "work"]);
  expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining("there is: default") });
});

test("channels status shows each account, with the platform's answer on request", async () => {
  const { home, fake } = await running();
  const shown = await runCli(home, ["channels", "status", "--probe"]);
  expect(shown.stdout).toMatch(new RegExp(`^Telegram: open, @${String(fake.bot.me["username"])}`, "mu"));
  expect(shown.stdout).toMatch(/Probe: ok \(\d+ ms\)/u);
  const json = JSON.parse((await runCli(home, ["channels", "status", "--json"])).stdout) as Record<string, never>;
  expect(json["channelAccounts"]).toMatchObject({
    telegram: [{ accountId: "default", connected: true, receiving: true }],
  });
});

test("channels status says what an account will not hear, and what to do about it", async () => {
  const fake = await startFakeTelegram();
  open.push(() => fake.close());
  const { token } = fake.addBot({
    token: "200:private-bot-token-for-this-test",
    id: 200,
    canReadAllGroupMessages: false,
  });
  const { home } = await running({
    botToken: token,
    apiRoot: fake.url,
    groups: { "-100": { requireMention: false } },
    groupAllowFrom: ["*"],
  });
  const shown = await runCli(home, ["channels", "status"]);
  expect(shown.stdout).toMatch(/^ {2}Groups are to be answered without a mention, but the bot hears only/mu);
  expect(shown.stdout).toMatch(
    /^ {2}Next: Make it an administrator there, or switch its privacy off with @BotFather/mu,
  );
});

test("with the gateway down, channels status says what the config says, and that it is only that", async () => {
  const home = homeWith({ telegram: {} });
  home.env["OPENCLAW_GATEWAY_PORT"] = "1";
  const shown = await runCli(home, ["channels", "status"]);
  expect(shown).toMatchObject({ code: 0, stdout: "Telegram default: configured (from the config only)\n" });
  const json = JSON.parse((await runCli(home, ["channels", "status", "--json"])).stdout) as Record<string, unknown>;
  expect(json).toMatchObject({ configOnly: true, channelOrder: ["telegram"] });
});

test("pairing: a stranger's code is listed and approved by its letters alone", async () => {
  const { fake, home } = await running();
  expect((await runCli(home, ["pairing", "list", "telegram"])).stdout).toBe("No pending telegram pairing requests.\n");
  fake.chats.message(fake.bot, 7, { text: "hello" });
  await fake.until(() => fake.chats.sent.length === 1);
  const code = /\b([A-Z2-9]{8})\b/u.exec(fake.chats.sent[0]?.text ?? "")?.[1] ?? "";
  expect((await runCli(home, ["pairing", "list"])).stdout).toContain(code);
  const wrong = await runCli(home, ["pairing", "approve", "telegram", "ZZZZZZZZ"]);
  expect(wrong.code).toBe(1);
  const approved = await runCli(home, ["pairing", "approve", code.toLowerCase(), "--notify"]);
  expect(approved, approved.stderr).toMatchObject({ code: 0, stdout: "Approved Telegram sender 7.\n" });
  await fake.until(() => fake.chats.sent.length === 2);
});

test("channels login adds WhatsApp to the config, draws the code, and ends when it was scanned", async () => {
  const fake = await startChild({ preKeys: false });
  open.push(() => fake.close());
  const home = homeWith();
  Object.assign(home.env, { OPENCLAW_TEST: "1", OPENCLAW_TEST_WHATSAPP_URL: fake.url });
  const gateway = await startGateway(home);
  open.push(() => gateway.stop());
  home.env["OPENCLAW_GATEWAY_PORT"] = String(gateway.port);
  const child = spawn(launcher, ["channels", "login"], { env: home.env, cwd: home.path });
  home.children.add(child);
  let output = "";
  const drawn = new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      if (output.includes("Scan the code")) resolve();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("exit", () => reject(new Error(output)));
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  await drawn;
  expect(output).toContain("Added WhatsApp to ~/.openclaw/openclaw.json");
  expect(output).toMatch(/█{20}/u);
  const joined = await runCli(home, ["gateway", "call", "web.login.start", "--json"]);
  await fake.phone.scanQr((JSON.parse(joined.stdout) as { qrText: string }).qrText);
  expect(await ended, output).toBe(0);
  expect(output).toContain("✅ Linked as +15550001000.");
  expect((await runCli(home, ["channels", "status"])).stdout).toBe("WhatsApp: open, +15550001000\n");
  const again = await runCli(home, ["channels", "login"]);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("already linked (+15550001000)") });
  // No key of the link is ever printed (channels.md §6.1).
  expect(gateway.output()).not.toMatch(/privKey|SessionEntry|<Buffer/u);
});
