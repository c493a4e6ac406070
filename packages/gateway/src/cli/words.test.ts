import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commands } from "./commands.ts";
import { cli, home, writeConfig, withHome } from "./fake-terminal.ts";
import { displayWidth } from "./terminal/style.ts";
import { VERSION } from "../kernel/version.ts";

withHome();

describe("words of the command line", () => {
  test.each(["--version", "-V", "-v", "--dev --version"])("%s prints only the version", async (words) => {
    expect(await cli(words)).toMatchObject({ code: 0, out: `${VERSION}\n`, err: "" });
  });

  test.each([
    ["nope", "error: unknown command 'nope'\n"],
    ["gateway nope", "error: unknown command 'nope'\n"],
    ["healt", "error: unknown command 'healt'\n(Did you mean health?)\n"],
    ["health --x", "error: unknown option '--x'\n"],
    ["status --foo=1", "error: unknown option '--foo'\n"],
    ["sessions -z", "error: unknown option '-z'\n"],
    ["--what health", "error: unknown option '--what'\n"],
    ["gateway call", "error: missing required argument 'method'\n"],
    ["gateway call a b", "error: too many arguments for 'gateway call': expected 1, got 2\n"],
    ["health --timeout", "error: option '--timeout <ms>' argument missing\n"],
    ["health --json=1", "error: option '--json' takes no value\n"],
    ["health --timeout zero", "Invalid --timeout: use a whole number, 1 or more\n"],
    ["gateway --port 1 health", "error: options of 'gateway health' go after it: openclaw gateway health …\n"],
    ["gateway --auth none", 'Invalid --auth (use "token" or "password")\n'],
    ["gateway --bind x", 'Invalid --bind (use "loopback", "lan", "tailnet", "auto", or "custom")\n'],
    ["gateway --tailscale x", 'Invalid --tailscale (use "off", "serve", or "funnel")\n'],
    ["gateway --ws-log x", 'Invalid --ws-log (use "auto", "full", "compact")\n'],
    ["gateway --port 0", "Invalid port\n"],
    ["gateway --reset", "Use --reset with --dev.\n"],
    ["agent --agent main", "Message (--message) is required\n"],
    ["agent --message hi", "Pass --to <E.164>, --session-id, or --agent to choose a session\n"],
    ["devices revoke", "Pass --device <id> and --role <role>; see them with: openclaw devices list\n"],
    ["config get a..b", "Invalid config path: a..b\n"],
    ["config get a.__proto__", "Invalid config path: a.__proto__\n"],
    ["completion --shell tcsh", "Invalid --shell: use bash, zsh, fish\n"],
  ])("%j is refused with exit 1", async (words, text) => {
    expect(await cli(words)).toMatchObject({ code: 1, out: "", err: text });
  });

  test.each([
    ["--dev --profile a health", "[openclaw] Cannot combine --dev with --profile\n"],
    ["--profile", "[openclaw] --profile needs a name\n"],
    ["--profile a/b health", '[openclaw] Invalid --profile "a/b": use letters, digits, "_" and "-"\n'],
  ])("%j is refused with exit 2", async (words, text) => {
    expect(await cli(words)).toMatchObject({ code: 2, out: "", err: text });
  });

  test("profile flags set what is unset, and only before the command word", async () => {
    expect((await cli("--dev config file")).env).toMatchObject({
      OPENCLAW_PROFILE: "dev",
      OPENCLAW_STATE_DIR: join(home, ".openclaw-dev"),
      OPENCLAW_GATEWAY_PORT: "19001",
    });
    expect((await cli("--profile rescue config file")).out).toBe(
      `${join(home, ".openclaw-rescue", "openclaw.json")}\n`,
    );
    expect((await cli("--profile=default config file")).out).toBe(`${join(home, ".openclaw", "openclaw.json")}\n`);
    expect((await cli("--dev config file", { env: { OPENCLAW_GATEWAY_PORT: "7" } })).env.OPENCLAW_GATEWAY_PORT).toBe(
      "7",
    );
    expect((await cli("config file --dev")).code).toBe(1);
  });

  test("dotenv files fill what is unset: the folder's first, then the state directory's", async () => {
    mkdirSync(join(home, ".openclaw"));
    writeFileSync(join(home, ".env"), "export A='x y' # note\nB=1\nC=kept\nnot a line\n");
    writeFileSync(join(home, ".openclaw", ".env"), 'B=2\nD="z"\n');
    expect((await cli("config file", { env: { C: "given" } })).env).toMatchObject({
      A: "x y",
      B: "1",
      C: "given",
      D: "z",
    });
  });
});

describe("help", () => {
  test.each([80, 60, 120])("every help page stays within %i columns", async (columns) => {
    for (const words of ["--help", ...commands.map((row) => `${row.path} --help`)]) {
      const { code, out, err } = await cli(words, { tty: true, columns, env: { NO_COLOR: "1" } });
      expect([code, err]).toEqual([0, ""]);
      const long = out.split("\n").filter((line) => displayWidth(line) > columns && !/openclaw |http/.test(line));
      expect(long).toEqual([]);
      expect(out).toMatch(/^Usage: openclaw /);
      expect(out).toMatch(/Docs: https:\/\/docs\.openclaw\.ai\/cli/);
    }
  });

  test("a group without subcommand prints its help on stderr, exit 1", async () => {
    const { code, out, err } = await cli("devices");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/Usage: openclaw devices <command>/);
  });

  test("help works with a broken config and names options in order", async () => {
    writeConfig("{{{");
    const { code, out } = await cli("help gateway call");
    expect(code).toBe(0);
    expect(out.indexOf("--expect-final")).toBeLessThan(out.indexOf("--params"));
    expect(out).toMatch(/visible to other/);
  });

  test.each(["bash", "zsh", "fish"])("completion for %s knows every command and option", async (shell) => {
    const { code, out } = await cli(`completion --shell ${shell}`);
    expect(code).toBe(0);
    for (const row of commands) {
      expect(out).toContain(row.path.split(" ").at(-1));
      for (const option of row.options ?? []) expect(out).toContain(option.name);
    }
  });
});
