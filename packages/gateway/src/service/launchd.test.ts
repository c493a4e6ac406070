/** LaunchAgents: the plist as a strict reader takes it, and what is asked of launchctl, with every answer it may give. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "plist";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defineService } from "./definition.ts";
import { parsePlist, renderPlist } from "./launchd-plist.ts";
import { fakeMachine, type FakeMachine } from "./machine.fixture.ts";
import { serviceNames } from "./names.ts";
import type { Definition, ServiceBackend } from "./types.ts";

let machine: FakeMachine;
const domain = "gui/1000";
const target = `${domain}/bot.molt.gateway`;

beforeEach(() => {
  machine = fakeMachine();
  launchctl();
});
afterEach(() => machine.remove());

const definition = (env: Record<string, string> = {}, home = machine.home): Definition => {
  const world = { env, homedir: () => home, platform: "darwin" as const };
  return defineService({
    world,
    names: serviceNames(env),
    version: "2026.11.0",
    port: 18_789,
    program: ["/opt/homebrew/opt/node/bin/node", "/usr/local/lib/node_modules/@openclaw/gateway/dist/main.js"],
  });
};
const backend = (env: Record<string, string> = {}): ServiceBackend => machine.open({ platform: "darwin", env }).backend;
const plist = (label = "bot.molt.gateway") => join(machine.home, "Library", "LaunchAgents", `${label}.plist`);
const calls = () => machine.calls().map((line) => line.replace(/^launchctl /u, ""));
const asked = (verb: string) => calls().filter((line) => line.startsWith(verb));

/** launchd with a memory: `bootstrap` loads, `bootout` unloads. `overrides` come first. */
function launchctl(overrides = ""): void {
  const loaded = join(machine.root, "loaded");
  machine.tool(
    "launchctl",
    `${overrides}
case "$1 $2" in
  "print ${domain}") ;;
  "print ${target}") [ -e ${loaded} ] || { echo 'Could not find service "bot.molt.gateway" in domain for user gui: 1000' >&2; exit 113; }
    printf '%s = {\\n\\tstate = running\\n\\tpid = 4711\\n\\tlast exit code = (never exited)\\n\\tsockets = {\\n\\t\\tstate = dead\\n\\t}\\n}\\n' "$2" ;;
  print*) exit 113 ;;
  "bootstrap ${domain}") : >${loaded} ;;
  "bootout ${target}") [ -e ${loaded} ] || { echo "Boot-out failed: 3: No such process" >&2; exit 3; }; /bin/rm ${loaded} ;;
  bootout*) exit 3 ;;
esac`,
  );
}

describe("the plist", () => {
  const profiles: Record<string, Record<string, string>> = {
    default: {},
    rescue: { OPENCLAW_PROFILE: "rescue", OPENCLAW_STATE_DIR: "/Users/ann/.openclaw-rescue" },
    awkward: { OPENCLAW_PROFILE: "a", OPENCLAW_STATE_DIR: `/Users/ann/Tom & "Jerry" <1>'s` },
  };
  for (const [name, env] of Object.entries(profiles)) {
    test(`of profile ${name} is what was agreed, and a strict reader reads it`, async () => {
      const made = definition(env, "/Users/ann");
      const text = renderPlist(made, { label: serviceNames(env).launchdLabel, logPrefix: "gateway" });
      await expect(text).toMatchFileSnapshot(`golden/launchd-${name}.plist`);
      expect(parse(text)).toEqual({
        Label: serviceNames(env).launchdLabel,
        Comment: made.description,
        RunAtLoad: true,
        KeepAlive: true,
        ThrottleInterval: 10,
        ExitTimeOut: 15,
        ProgramArguments: made.programArguments,
        WorkingDirectory: "/Users/ann",
        StandardOutPath: `${made.stateDir}/logs/gateway.log`,
        StandardErrorPath: `${made.stateDir}/logs/gateway.err.log`,
        EnvironmentVariables: Object.fromEntries(made.environment),
      });
      expect(parsePlist(text)?.command).toEqual({
        programArguments: made.programArguments,
        workingDirectory: "/Users/ann",
        environment: Object.fromEntries(made.environment),
      });
    });
  }

  test("of somebody else is read as far as it goes, and what is no plist is none", () => {
    const text = `<?xml version="1.0"?><!-- mine --><plist version="1.0"><dict><key>Label</key><string>a&#38;b</string>
      <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict><key>Nice</key><integer>5</integer>
      <key>ProgramArguments</key><array><string>/bin/node</string><string/></array><key>Empty</key><array/></dict></plist>`;
    expect(parsePlist(text)).toEqual({
      label: "a&b",
      keepAlive: false,
      runAtLoad: false,
      command: { programArguments: ["/bin/node", ""], environment: {} },
    });
    for (const broken of [
      "",
      "bplist00",
      "<plist><dict><key>Label</key>",
      "<plist><array>",
      "<plist></plist>",
      "<dict/>",
    ]) {
      expect(parsePlist(broken)?.command).toBeUndefined();
    }
  });
});

describe("install", () => {
  test("writes the plist for its owner only, loads it and starts it", async () => {
    const lines = await backend().install(definition());
    expect(lines).toEqual([`Installed LaunchAgent: ${plist()}`, `Logs: ${machine.home}/.openclaw/logs/gateway.log`]);
    expect(statSync(plist()).mode & 0o777).toBe(0o600);
    expect(statSync(join(machine.home, ".openclaw", "logs")).mode & 0o777).toBe(0o700);
    const order = calls().filter((line) => !line.startsWith("print"));
    expect(order).toEqual([
      `bootout ${target}`,
      `enable ${target}`,
      `bootstrap ${domain} ${plist()}`,
      `kickstart -k ${target}`,
    ]);
  });

  test("takes the place of agents of earlier names, which go to the Trash", async () => {
    mkdirSync(join(machine.home, "Library", "LaunchAgents"), { recursive: true });
    for (const label of ["com.openclaw.gateway", "com.steipete.clawdbot.gateway"])
      writeFileSync(plist(label), "<plist/>");
    writeFileSync(plist("com.example.other"), "<plist/>");
    const lines = await backend().install(definition());
    expect(lines.filter((line) => line.startsWith("Moved former"))).toHaveLength(2);
    expect(asked("bootout")).toContain(`bootout ${domain}/com.openclaw.gateway`);
    expect(readdirSync(join(machine.home, ".Trash")).sort()).toEqual([
      "com.openclaw.gateway.plist",
      "com.steipete.clawdbot.gateway.plist",
    ]);
    expect(readdirSync(join(machine.home, "Library", "LaunchAgents")).sort()).toEqual([
      "bot.molt.gateway.plist",
      "com.example.other.plist",
    ]);
  });

  test("waits while the former process ends: error 5 and 37 pass", async () => {
    const tries = join(machine.root, "tries");
    launchctl(`if [ "$1" = bootstrap ] && ! [ -e ${tries}2 ]; then
  if [ -e ${tries} ]; then : >${tries}2; echo "Bootstrap failed: 37: Operation already in progress" >&2; exit 37; fi
  : >${tries}; echo "Bootstrap failed: 5: Input/output error" >&2; exit 5
fi`);
    await backend().install(definition());
    expect(asked("bootstrap")).toHaveLength(3);
  });

  test("gives up on an error 5 that stays, names the check, and leaves no plist behind", async () => {
    launchctl('[ "$1" = bootstrap ] && { echo "Bootstrap failed: 5: Input/output error" >&2; exit 5; }');
    await expect(backend().install(definition())).rejects.toMatchObject({
      code: "manager-failed",
      message: "launchctl failed: Bootstrap failed: 5: Input/output error",
      hints: [`plutil -lint ${plist()}`, `launchctl print ${target}`],
    });
    expect(existsSync(plist())).toBe(false);
    expect(asked("bootstrap")).toHaveLength(5);
  });

  test("puts the former plist back when the new one cannot be loaded", async () => {
    await backend().install(definition());
    const before = readFileSync(plist(), "utf8");
    launchctl('[ "$1" = bootstrap ] && { echo "Bootstrap failed: 134: Invalid plist" >&2; exit 134; }');
    const other = { ...definition(), description: "other" };
    await expect(backend().install(other)).rejects.toMatchObject({ code: "manager-failed" });
    expect(readFileSync(plist(), "utf8")).toBe(before);
  });

  const refusals: Record<string, { answer: string; code: string; text: RegExp }> = {
    "nobody is logged in at the screen": {
      answer: `[ "$1 $2" = "print ${domain}" ] && { echo "Could not find domain for user gui: 1000" >&2; exit 112; }`,
      code: "no-gui-session",
      text: /logged in at the screen/u,
    },
    "the domain supports no agents": {
      answer:
        '[ "$1" = bootstrap ] && { echo "Bootstrap failed: 125: Domain does not support specified action" >&2; exit 125; }',
      code: "no-gui-session",
      text: /125/u,
    },
    "launchctl hangs": {
      answer: '[ "$1" = print ] && exec /bin/sleep 5',
      code: "manager-timeout",
      text: /no answer in time/u,
    },
    "kickstart fails": {
      answer: '[ "$1" = kickstart ] && { echo "Could not kickstart service: 119" >&2; exit 119; }',
      code: "manager-failed",
      text: /119/u,
    },
  };
  for (const [name, { answer, code, text }] of Object.entries(refusals)) {
    test(`says so when ${name}`, async () => {
      launchctl(answer);
      await expect(backend().install(definition())).rejects.toMatchObject({
        code,
        message: expect.stringMatching(text),
      });
      if (code === "no-gui-session") expect(existsSync(plist())).toBe(false);
    });
  }

  test("is refused to root and without launchctl, before anything is written", async () => {
    const root = machine.open({ platform: "darwin", uid: 0 }).backend;
    await expect(root.install(definition())).rejects.toMatchObject({ code: "sudo" });
    const none = machine.open({ platform: "darwin", env: { PATH: "/nowhere" } }).backend;
    await expect(none.install(definition())).rejects.toMatchObject({ code: "no-launchd" });
    expect(existsSync(plist())).toBe(false);
  });
});

describe("the other verbs", () => {
  test("stop unloads; start loads what is on disk, clears a sticky switch-off, and bounces nothing", async () => {
    const agent = backend();
    await agent.install(definition());
    expect((await agent.look()).runtime).toMatchObject({ status: "running", state: "running", pid: 4711 });
    expect(await agent.stop()).toBe(`Stopped LaunchAgent: ${target}`);
    expect(await agent.look()).toMatchObject({ installed: true, loaded: false, runtime: { status: "stopped" } });
    machine.forget();
    expect(await agent.start()).toBe(`Started LaunchAgent: ${target}`);
    expect(calls().filter((line) => !line.startsWith("print"))).toEqual([
      `enable ${target}`,
      `bootstrap ${domain} ${plist()}`,
      `kickstart ${target}`,
    ]);
    expect((await agent.look()).loaded).toBe(true);
  });

  test("stop of what is not loaded is fine", async () => {
    expect(await backend().stop()).toBe(`Stopped LaunchAgent: ${target}`);
  });

  test("stop waits until launchd has forgotten the label, and says so when it never does", async () => {
    launchctl(`[ "$1 $2" = "print ${target}" ] && exit 0`);
    await expect(backend().stop()).rejects.toMatchObject({
      code: "still-loaded",
      hints: [`launchctl bootout ${target}`],
    });
  });

  test("restart replaces the process, and loads first what stop unloaded", async () => {
    const agent = backend();
    await agent.install(definition());
    machine.forget();
    await agent.restart();
    expect(asked("kickstart")).toEqual([`kickstart -k ${target}`]);
    await agent.stop();
    machine.forget();
    await agent.restart();
    expect(calls().filter((line) => !line.startsWith("print"))).toEqual([
      `enable ${target}`,
      `bootstrap ${domain} ${plist()}`,
      `kickstart ${target}`,
    ]);
  });

  test("uninstall unloads and moves the plist to the Trash, beside one that is there already", async () => {
    const agent = backend();
    await agent.install(definition());
    mkdirSync(join(machine.home, ".Trash"), { recursive: true });
    writeFileSync(join(machine.home, ".Trash", "bot.molt.gateway.plist"), "older");
    const [line = ""] = await agent.uninstall();
    expect(line).toMatch(/^Moved LaunchAgent to Trash: .*bot\.molt\.gateway-\d+\.plist$/u);
    expect(existsSync(plist())).toBe(false);
    expect(await agent.look()).toMatchObject({ installed: false, loaded: false });
    expect(await agent.uninstall()).toEqual([`LaunchAgent not found at ${plist()}`]);
  });

  test("a label whose plist is gone is told, and can be stopped", async () => {
    const agent = backend();
    await agent.install(definition());
    rmSync(plist());
    expect(await agent.look()).toMatchObject({ installed: false, loaded: true, runtime: { cachedLabel: true } });
    await agent.stop();
    expect((await agent.look()).loaded).toBe(false);
  });

  const printed: Record<string, [text: string, runtime: object]> = {
    "ended with a code": [
      "\\tstate = spawn scheduled\\n\\tlast exit code = 78: EX_CONFIG",
      { status: "stopped", state: "spawn scheduled", lastExitStatus: 78 },
    ],
    "was killed": [
      "\\tstate = not running\\n\\tlast terminating signal = Killed: 9",
      { status: "stopped", state: "not running", lastExitStatus: 137, lastExitReason: "Killed: 9" },
    ],
    "never ran": ["\\tstate = waiting\\n\\tlast exit code = (never exited)", { status: "stopped", state: "waiting" }],
    "is silent": ["", { status: "stopped" }],
  };
  for (const [name, [text, runtime]] of Object.entries(printed)) {
    test(`an agent that ${name} is read from what launchctl prints`, async () => {
      machine.tool("launchctl", `printf 'x = {\\n${text}\\n}\\n'`);
      expect((await backend().look()).runtime).toEqual({ ...runtime, cachedLabel: true });
    });
  }
});
