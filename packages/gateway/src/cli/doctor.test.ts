import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openStateLock } from "../store/index.ts";
import { answering, at, cli, gateway, home, withHome, writeConfig } from "./fake-terminal.ts";

withHome();

const config = () => join(home, ".openclaw", "openclaw.json");
const env = { OPENCLAW_GATEWAY_PORT: "1" };

test("a home where nothing was set up is described, and nothing is made", async () => {
  const { code, out, err } = await cli("doctor", { env });
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/^Config: ~\/\.openclaw\/openclaw\.json \(missing\)\n/);
  expect(out).toContain("(config-missing)");
  expect(out).toMatch(/Run "openclaw doctor --fix" to apply changes\.\nDoctor complete\.\n$/);
  expect(readdirSync(home)).toEqual([]);
});

test("--json is one document, also with a config that is broken", async () => {
  writeConfig('{ gateway: { auth: { token: "sk-abcdefgh0123" ');
  const { code, out, err } = await cli("doctor --json", { env });
  expect([code, err]).toEqual([0, ""]);
  const report = JSON.parse(out) as { ok: boolean; findings: Record<string, unknown>[]; config: { verdict: string } };
  expect([report.ok, report.config.verdict]).toEqual([false, "unparsable"]);
  const keys = ["cause", "code", "fix", "fixable", "severity", "title"];
  for (const finding of report.findings) expect(Object.keys(finding)).toEqual(expect.arrayContaining(keys));
  expect(out).not.toContain("abcdefgh0123");
});

test.each(["--fix", "--repair", "--yes", "--fix --non-interactive"])(
  "%s repairs without asking and says what it did",
  async (flags) => {
    expect((await cli("setup", { env })).code).toBe(0);
    chmodSync(config(), 0o644);
    const { code, out } = await cli(`doctor ${flags}`, { env });
    expect(code).toBe(0);
    expect(out).toContain("Repairs\ndone  chmod 600 ~/.openclaw/openclaw.json (config-mode)");
    expect(statSync(config()).mode & 0o777).toBe(0o600);
  },
);

test.each(["", "--non-interactive", "--deep", "--force"])(
  "doctor %s without a terminal only reports",
  async (flags) => {
    expect((await cli("setup", { env })).code).toBe(0);
    chmodSync(config(), 0o644);
    const { out } = await cli(`doctor ${flags}`, { env });
    expect(out).toContain("(config-mode)");
    expect(statSync(config()).mode & 0o777).toBe(0o644);
  },
);

test("a repair that fails makes exit 1, and the text still ends as agreed", async () => {
  writeConfig('{"gateway":{"auth":{"token":"0123456789abcdef0123456789abcdef"}}}');
  const { code, out } = await cli("doctor --fix", { env: { ...env, OPENCLAW_NIX_MODE: "1" } });
  expect(code).toBe(1);
  expect(out).toMatch(/failed .*Nix.*\(gateway-mode\)/);
  expect(out).toMatch(/Doctor complete\.\n$/);
});

test("suggested commands repeat the profile", async () => {
  mkdirSync(join(home, ".openclaw-rescue"), { mode: 0o700 });
  writeFileSync(join(home, ".openclaw-rescue", "openclaw.json"), "{}", { mode: 0o600 });
  const { out } = await cli("--profile rescue doctor", { env });
  expect(out).toContain('Run "openclaw --profile rescue doctor --fix" to apply changes.');
});

test("on a terminal each repair is asked for, and the end of the input ends the command", async () => {
  expect((await cli("setup", { env })).code).toBe(0);
  chmodSync(config(), 0o644);
  chmodSync(join(home, ".openclaw"), 0o755);
  const first = await cli("doctor", { env, tty: true, answers: ["n", "yes"] });
  expect(first.err).toMatch(/Repair state-mode\? \[Y\/n\] [\s\S]*Repair config-mode\? \[Y\/n\] /);
  expect([statSync(join(home, ".openclaw")).mode & 0o777, statSync(config()).mode & 0o777]).toEqual([0o755, 0o600]);
  expect(await cli("doctor", { env, tty: true, answers: [] })).toMatchObject({ code: 130, out: "" });
  expect((await cli("doctor --json", { env, tty: true, answers: [] })).code).toBe(0);
});

test("a gateway that runs and does not answer is told; one that answers is not", async () => {
  expect((await cli("setup", { env })).code).toBe(0);
  const lock = openStateLock(join(home, ".openclaw"));
  const codes = async (more: Record<string, string>) =>
    (JSON.parse((await cli("doctor --json", { env: more })).out) as { findings: { code: string }[] }).findings.map(
      ({ code }) => code,
    );
  const silent = await codes(env);
  const fake = await gateway(answering({}));
  const answered = await codes(at(fake));
  lock.release();
  expect([silent.includes("gateway-unreachable"), answered.includes("gateway-unreachable")]).toEqual([true, false]);
});
