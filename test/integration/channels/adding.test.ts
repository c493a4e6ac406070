/** `channels add` without questions, what then stands in the config, and what doctor says about it (channels.md §1.1). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Home, makeHome, runCli } from "../../support/process.ts";

const homes: Home[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) home.remove();
});

function setUp(config: Record<string, unknown> = {}) {
  const home = makeHome(config);
  homes.push(home);
  const add = (...args: string[]) => runCli(home, ["channels", "add", ...args]);
  const channels = () =>
    (JSON.parse(readFileSync(join(home.state, "openclaw.json"), "utf8")) as Record<string, unknown>)["channels"];
  return { home, add, channels };
}

test("a bot whose token stands in the environment, with a name and the people who may write", async () => {
  const { add, channels, home } = setUp();
  const added = await add("--channel", "tg", "--use-env", "--name", "Helper", "--dm-allowlist", "tg:42, @ann");
  expect(added, added.stderr).toMatchObject({ code: 0 });
  expect(channels()).toMatchObject({ telegram: { enabled: true, name: "Helper", allowFrom: ["tg:42", "@ann"] } });
  expect(JSON.stringify(channels())).not.toContain("oken");
  expect((await runCli(home, ["channels", "list"])).stdout).toBe("Telegram: default\n");
});

test("a second link of WhatsApp, with keys of another program", async () => {
  const { add, channels } = setUp();
  expect((await add("--channel", "whatsapp")).code).toBe(0);
  const second = await add("--channel", "whatsapp", "--account", "work", "--auth-dir", "~/keys", "--name", "Work");
  expect(second, second.stderr).toMatchObject({ code: 0 });
  expect(channels()).toMatchObject({ whatsapp: { accounts: { work: { authDir: expect.stringMatching(/keys$/u) } } } });
});

test("what cannot work is refused before anything is written", async () => {
  const { add, channels } = setUp();
  for (const [args, reason] of [
    [["--channel", "telegram", "--account", "work", "--use-env"], "default account only"],
    [["--channel", "telegram", "--token-file", "/nowhere/token"], "cannot be read"],
    [["--channel", "telegram", "--token", "12:short"], "@BotFather"],
    [["--channel", "icq"], "icq"],
  ] as const) {
    const ran = await add(...args);
    expect(ran.code, reason).not.toBe(0);
    expect(ran.stderr).toContain(reason);
  }
  expect(channels()).toBeUndefined();
});

test("doctor says who may write where, and names the key of each account that decides it", async () => {
  const token = "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const open = { botToken: token, dmPolicy: "open", allowFrom: ["*"] };
  const clubs = { botToken: token.replace("1", "2"), allowFrom: [42], groupPolicy: "open" };
  const { home } = setUp({ channels: { telegram: { accounts: { open, clubs } } } });
  const ran = await runCli(home, ["doctor", "--json"]);
  const { findings } = JSON.parse(ran.stdout) as { findings: { code: string; title: string; fix: string }[] };
  const fixes = findings.filter(({ code }) => code === "channel-open").map(({ fix }) => fix);
  expect(fixes).toEqual([
    expect.stringContaining("config set channels.telegram.accounts.open.dmPolicy pairing"),
    expect.stringContaining("config set channels.telegram.accounts.clubs.groupPolicy allowlist"),
  ]);
});
