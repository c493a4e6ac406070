/** The guides of the channels, line by line: every command they show is run as it stands, against the fakes. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { startFakeTelegram } from "../../fakes/telegram/index.ts";
import { startChild } from "../../fakes/whatsapp/index.ts";
import { type Home, launcher, makeHome, type Ran, startGateway, token } from "../../support/process.ts";
import { Wire } from "../../support/wire.ts";

const close: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const one of close.splice(0).toReversed()) await one();
});

/** Lines of the `sh` blocks of a page, without comments. */
const linesOf = (page: string): string[] =>
  [
    ...readFileSync(join(import.meta.dirname, "../../../docs/channels", page), "utf8").matchAll(
      /```sh\n([\s\S]*?)```/gu,
    ),
  ]
    .flatMap(([, block = ""]) => block.split("\n"))
    .map((line) => line.replace(/\s+#.*$/u, "").trim())
    .filter((line) => line !== "");

function homeFor(channels: Record<string, unknown>, env: Record<string, string> = {}): Home {
  const home = makeHome({ channels }, env);
  close.push(() => home.remove());
  const bin = join(home.path, "bin");
  mkdirSync(bin);
  symlinkSync(launcher, join(bin, "openclaw"));
  home.env["PATH"] = `${bin}:${home.env["PATH"] ?? ""}`;
  return home;
}

async function gatewayOf(home: Home) {
  const gateway = await startGateway(home);
  close.push(() => gateway.stop());
  home.env["OPENCLAW_GATEWAY_PORT"] = String(gateway.port);
  return gateway;
}

/** Runs a line as a person does. `heard` sees what is printed so far, each time something is. */
function run(home: Home, line: string, input = "", heard: (text: string) => void = () => {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", line], { cwd: home.path, env: home.env, stdio: ["pipe", "pipe", "pipe"] });
    home.children.add(child);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
      heard(stdout);
    });
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    child.stdin.end(input);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      home.children.delete(child);
      resolve({ code: code ?? signal ?? "unknown", stdout, stderr });
    });
  });
}

/** Runs every line of a page with the step whose key it begins with. Every step is needed, and every line has one. */
async function walk(page: string, steps: Record<string, (line: string) => Promise<Ran>>): Promise<void> {
  const used = new Set<string>();
  for (const line of linesOf(page)) {
    const key = Object.keys(steps)
      .filter((one) => line.startsWith(one))
      .sort((a, b) => b.length - a.length)[0];
    expect(key, `nobody knows how to try "${line}"`).toBeDefined();
    used.add(key ?? "");
    const ran = await steps[key ?? ""]?.(line);
    expect(ran, `${line}\n${ran?.stdout}\n${ran?.stderr}`).toMatchObject({ code: 0 });
  }
  expect(Object.keys(steps).filter((key) => !used.has(key))).toEqual([]);
}

test("docs/channels/telegram.md", async () => {
  const fake = await startFakeTelegram();
  close.push(() => fake.close());
  const ann = 123456789;
  const group = -1001234567890;
  fake.chats.add({ id: ann, first_name: "Ann" });
  fake.chats.add({ id: group, title: "Club", is_forum: true, topics: [7] });
  const work = fake.addBot({ token: "700700:work-token-0123456789", id: 700700, username: "work_bot" });
  const home = homeFor({ telegram: { apiRoot: fake.url } });
  await gatewayOf(home);
  writeFileSync(join(home.path, "plan.pdf"), "%PDF-1.7\nthe plan\n");
  writeFileSync(join(home.path, "work-token"), `${work.token}\n`, { mode: 0o600 });
  const plain = (line: string) => run(home, line);
  await walk("telegram.md", {
    "umask 077": (line) => run(home, line, `${fake.bot.token}\n`),
    "openclaw channels add": plain,
    "openclaw channels status": async (line) => {
      await fake.until(() => fake.bot.polling, 10_000);
      const ran = await run(home, line);
      expect(ran.stdout).toMatch(/telegram/iu);
      return ran;
    },
    "openclaw pairing approve": async (line) => {
      fake.chats.message(fake.bot, ann, { text: "let me in" });
      await fake.until(() => fake.chats.sent.length > 0);
      const code = /\b([A-Z2-9]{8})\b/u.exec(fake.chats.sent[0]?.text ?? "")?.[1] ?? "";
      return run(home, line.replace("ABCD2345", code));
    },
    "openclaw config set": plain,
    "openclaw message": async (line) => {
      const known = fake.chats.sent.find(({ chatId }) => chatId === String(ann))?.messageId;
      return run(home, line.replace("--message-id 42", `--message-id ${known}`));
    },
  });
  const sent = fake.chats.sent.filter(({ method }) => method !== "setMessageReaction");
  expect(sent.slice(1).map(({ chatId, threadId, text }) => [chatId, threadId, text])).toEqual([
    [String(ann), undefined, "Dinner is at eight."],
    [String(group), 7, "In topic 7"],
    [String(ann), undefined, "The plan"],
    [String(ann), undefined, expect.anything()],
  ]);
  expect(fake.calls("setMessageReaction")).toHaveLength(1);
  await fake.until(() => work.polling, 10_000);
}, 60_000);

test("docs/channels/whatsapp.md", async () => {
  const fake = await startChild({ preKeys: false });
  close.push(() => fake.close());
  const ann = await fake.phone.addContact({ pn: "+15555550123", name: "Ann" });
  const group = await fake.phone.createGroup({ subject: "Club", members: [ann.number] });
  const env = { OPENCLAW_TEST: "1", OPENCLAW_TEST_WHATSAPP_URL: fake.url, NODE_EXTRA_CA_CERTS: fake.caFile };
  const home = homeFor({}, env);
  const gateway = await gatewayOf(home);
  const wire = await Wire.connect(gateway.url, { token });
  close.push(() => wire.close());
  const jpeg = Buffer.from("ffd8ffe000104a46494600010100000100010000ffd9", "hex");
  writeFileSync(join(home.path, "photo.jpg"), jpeg);
  let outs = 0;
  await walk("whatsapp.md", {
    "openclaw channels login": async (line) => {
      const phone = line.includes("--phone");
      // One link after the other.
      if (phone) expect((await run(home, "openclaw channels logout")).code).toBe(0);
      let helped = false;
      const ran = await run(home, line, "", (text) => {
        const typed = /Type ([A-Z0-9]{4}-?[A-Z0-9]{4}) /u.exec(text)?.[1];
        if (helped || !(phone ? typed : text.includes("Scan the code"))) return;
        helped = true;
        if (typed) void fake.phone.enterPairingCode(typed.replace("-", ""));
        else void scan();
      });
      expect(ran.stdout).toContain("Linked as +15550001000");
      return ran;
    },
    "openclaw channels status": async (line) => {
      const ran = await run(home, line);
      expect(ran.stdout).toMatch(/^WhatsApp: open, \+15550001000$/mu);
      return ran;
    },
    "openclaw pairing approve": async (line) => {
      await fake.phone.sendText(ann.number, "let me in");
      const first = await fake.until(({ outbound }) => outbound.find(({ text }) => text), "the pairing answer");
      const code = /\b([A-Z2-9]{8})\b/u.exec(first.text ?? "")?.[1] ?? "";
      return run(home, line.replace("ABCD2345", code));
    },
    "openclaw config set": (line) => run(home, line),
    "openclaw message": (line) => run(home, line.replace("1203630@g.us", group)),
    "openclaw channels logout": (line) => {
      outs++;
      return run(home, line);
    },
  });
  const { outbound, companions } = await fake.ledger();
  expect(outbound.slice(1)).toMatchObject([
    { chat: ann.pn, text: "Dinner is at *eight*." },
    { chat: ann.pn, media: { kind: "image", caption: "Look", sizeBytes: jpeg.length } },
    { to: group, poll: { name: "When?", options: ["8", "9"] } },
  ]);
  expect([outs, companions.map(({ removed }) => removed)]).toEqual([1, [true, true]]);

  /** The picture on the terminal stands for a code that the same login tells a client as text. */
  async function scan(): Promise<void> {
    const { payload } = await wire.request("web.login.start", {});
    await fake.phone.scanQr((payload as { qrText: string }).qrText);
  }
}, 60_000);
