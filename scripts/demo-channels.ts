/** `npm run demo:channels [-- --model <provider/model>]`: the gateway with a Telegram and a WhatsApp of its own, all on this machine.
 *  You are the person with the phone: `t hello` writes by Telegram, `w hello` by WhatsApp, and what the agent answers is printed.
 *  Without a model the built-in echo answers. Nothing leaves the machine but the model's requests; the home is a temporary one. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { GatewayClient } from "@openclaw/client";
import { nodeSocket } from "@openclaw/client/node";
import { startFakeTelegram } from "../test/fakes/telegram/index.ts";
import { startChild as startFakeWhatsApp } from "../test/fakes/whatsapp/index.ts";
import { build } from "./build.ts";
import { root } from "./root.ts";

const ann = "+15550002000";
const annOnTelegram = 42;
const token = "demo-token-0123456789abcdef";
const model = process.argv.includes("--model") ? process.argv[process.argv.indexOf("--model") + 1] : undefined;

await build();
const telegram = await startFakeTelegram();
const whatsapp = await startFakeWhatsApp();
telegram.chats.add({ id: annOnTelegram, first_name: "Ann" });
await whatsapp.phone.addContact({ pn: ann, name: "Ann" });

const home = mkdtempSync(join(tmpdir(), "openclaw-demo-"));
const state = join(home, ".openclaw");
mkdirSync(state, { mode: 0o700 });
writeFileSync(
  join(state, "openclaw.json"),
  JSON.stringify({
    gateway: { mode: "local", auth: { token } },
    agents: { defaults: { workspace: join(home, "workspace"), ...(model ? { model: { primary: model } } : {}) } },
    channels: {
      telegram: { botToken: telegram.bot.token, apiRoot: telegram.url, allowFrom: [annOnTelegram] },
      whatsapp: { allowFrom: [ann], dmPolicy: "allowlist" },
    },
  }),
  { mode: 0o600 },
);
const port = await freePort();
const gateway = spawn(join(root, "packages/gateway/bin/openclaw"), ["gateway", "--port", String(port)], {
  env: {
    ...process.env,
    HOME: home,
    OPENCLAW_TEST: "1",
    OPENCLAW_TEST_WHATSAPP_URL: whatsapp.url,
    NODE_EXTRA_CA_CERTS: whatsapp.caFile,
  },
  stdio: ["ignore", "pipe", "inherit"],
});
const listening = Promise.withResolvers<void>();
gateway.stdout.on("data", (chunk: Buffer) => {
  if (chunk.includes("listening on")) listening.resolve();
});
gateway.once("exit", (code) => {
  listening.reject(new Error(`the gateway ended (${code})`));
  void end();
});
await listening.promise;

const client = new GatewayClient({
  url: `ws://127.0.0.1:${port}`,
  socket: (url, events) => nodeSocket(url, events),
  client: { id: "cli", mode: "cli", version: "demo", platform: process.platform },
  role: "operator",
  scopes: ["operator.admin"],
  credentials: { token },
  reconnect: true,
});
await client.connect();
say("gateway", `ws://127.0.0.1:${port}, token ${token}`);
const login = (await client.callAny("web.login.start", {}, { timeoutMs: 40_000 })) as {
  qrText?: string;
  message: string;
};
if (login.qrText) {
  await whatsapp.phone.scanQr(login.qrText);
  const linked = (await client.callAny("web.login.wait", {}, { timeoutMs: 60_000 })) as { message: string };
  say("whatsapp", linked.message);
} else say("whatsapp", login.message);
say("you", "t <text> writes by Telegram, w <text> by WhatsApp, q ends.");

const shown = new Set<string>();
const look = setInterval(() => {
  for (const { messageId, text } of telegram.chats.sent) show("telegram", `t${messageId}`, text);
  void whatsapp.ledger().then(({ outbound }) => {
    for (const message of outbound) show("whatsapp", message.id, message.text ?? "(no text)");
  });
}, 200);

const lines = createInterface({ input: process.stdin, output: process.stdout });
lines.on("line", (line) => {
  const [where = "", ...words] = line.trim().split(/\s+/u);
  const text = words.join(" ");
  if (where === "q") return void end();
  if (where === "t" && text) telegram.chats.message(telegram.bot, annOnTelegram, { text });
  else if (where === "w" && text) void whatsapp.phone.sendText(ann, text);
  else if (where) say("you", "t <text>, w <text> or q");
});
lines.once("close", () => void end());

function show(where: string, id: string, text: string): void {
  if (shown.has(id)) return;
  shown.add(id);
  say(where, text);
}

function say(who: string, text: string): void {
  console.log(`${who.padEnd(9)} ${text}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port: free } = probe.address() as AddressInfo;
      probe.close(() => resolve(free));
    });
  });
}

async function end(): Promise<void> {
  clearInterval(look);
  client.stop();
  gateway.removeAllListeners("exit");
  const gone = new Promise((resolve) => gateway.once("exit", resolve));
  if (gateway.exitCode === null && gateway.kill("SIGTERM")) await gone;
  await Promise.all([telegram.close(), whatsapp.close()]);
  rmSync(home, { recursive: true, force: true });
  process.exit(0);
}
