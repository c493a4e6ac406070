/** systemd: the unit's text, what is asked of systemctl, and every answer it may give. `test/integration/service.test.ts` does the
 *  same on a real manager. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, property, string, array, dictionary, stringMatching } from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defineService } from "./definition.ts";
import { fakeMachine, showing, withSystemd, type FakeMachine } from "./machine.fixture.ts";
import { serviceNames } from "./names.ts";
import { parseUnit, renderUnit } from "./systemd-unit.ts";
import type { Definition } from "./types.ts";

let machine: FakeMachine;
beforeEach(() => {
  machine = fakeMachine();
});
afterEach(() => machine.remove());

const define = (env: Record<string, string> = {}, user?: string, home = "/home/ann"): Definition =>
  defineService({
    world: { env, homedir: () => home, platform: "linux" },
    names: serviceNames(env),
    version: "2026.11.0",
    port: 18_789,
    program: ["/usr/bin/node", "/usr/lib/node_modules/@openclaw/gateway/dist/main.js"],
    ...(user === undefined ? {} : { user }),
  });
const unitPath = () => join(machine.home, ".config", "systemd", "user", "openclaw-gateway.service");
const asked = () => machine.calls().filter((line) => !line.includes(" show "));

describe("the unit", () => {
  const units: Record<string, [env: Record<string, string>, notify: boolean, user?: string]> = {
    default: [{}, true],
    simple: [{}, false],
    rescue: [
      {
        OPENCLAW_PROFILE: "rescue",
        OPENCLAW_STATE_DIR: "~/.openclaw-rescue",
        OPENCLAW_CONFIG_PATH: "~/.openclaw-rescue/openclaw.json",
      },
      true,
    ],
    system: [{}, true, "ann"],
    awkward: [{ OPENCLAW_STATE_DIR: '/srv/100% "mine" $HOME/back\\slash', PNPM_HOME: "/opt/p npm" }, true],
  };
  for (const [name, [env, notify, user]] of Object.entries(units)) {
    test(`${name} is what was agreed, and reads back as it was meant`, async () => {
      const made = define(env, user);
      const text = renderUnit(made, { notify });
      await expect(text).toMatchFileSnapshot(`golden/systemd-${name}.service`);
      expect(renderUnit(made, { notify })).toBe(text);
      expect(parseUnit([text], "/home/ann").command).toEqual({
        programArguments: made.programArguments,
        workingDirectory: "/home/ann",
        environment: Object.fromEntries(made.environment),
      });
    });
  }

  test("any words and values come back as they went in", () => {
    const text = string({ unit: "binary", maxLength: 20 }).map((value) => value.replace(/[\u0000-\u001f\u007f]/gu, ""));
    const words = array(text, { maxLength: 4 });
    const variables = dictionary(stringMatching(/^[A-Z_]{1,8}$/u), text, { maxKeys: 4 });
    const result = check(
      property(words, variables, (args, environment) => {
        const made: Definition = {
          ...define(),
          programArguments: ["/bin/node", ...args],
          environment: Object.entries(environment),
        };
        const { command } = parseUnit([renderUnit(made, { notify: true })], "/home/ann");
        expect(command?.programArguments).toEqual(made.programArguments);
        expect(command?.environment).toEqual({ ...environment });
      }),
    );
    expect(result.failed ? JSON.stringify(result.counterexample) : "").toBe("");
  });

  test("a control character is refused, not written", () => {
    expect(() => renderUnit({ ...define(), workingDirectory: "/a\nExecStart=/bin/sh" }, { notify: true })).toThrow(
      /control character/u,
    );
  });

  test("what other hands wrote is read: both quotes, escapes, continued lines, cleared lists, drop-ins", () => {
    const unit = [
      "# comment",
      "[Service]",
      "ExecStart=/bin/false",
      "ExecStart=",
      "ExecStart=-/usr/bin/node 'a b' \\",
      '  "c\\"d" e\\x20f %h/g 100%% $$HOME gateway',
      'Environment="A=1 2" B=3',
      "Environment='C=x=y'",
      "; another",
    ].join("\n");
    const dropIn = "[Service]\nEnvironment=B=4\nRestartSec=1\n";
    const { command, values } = parseUnit([unit, dropIn], "/home/ann");
    expect(command?.programArguments).toEqual([
      "/usr/bin/node",
      "a b",
      'c"d',
      "e f",
      "/home/ann/g",
      "100%",
      "$HOME",
      "gateway",
    ]);
    expect(command?.environment).toEqual({ A: "1 2", B: "4", C: "x=y" });
    expect(values.get("Service.RestartSec")).toEqual(["1"]);
    expect(parseUnit(["[Unit]\nDescription=x"], "/").command).toBeUndefined();
  });
});

describe("install", () => {
  test("writes for its owner only, enables, and starts anew with the start limit cleared", async () => {
    withSystemd(machine);
    const { backend } = machine.open();
    expect(await backend.install(define())).toEqual([`Installed systemd service: ${unitPath()}`]);
    expect(statSync(unitPath()).mode & 0o777).toBe(0o600);
    expect(asked()).toEqual([
      "systemctl --user daemon-reload",
      "systemctl --user enable openclaw-gateway.service",
      "systemctl --user reset-failed openclaw-gateway.service",
      "systemctl --user restart openclaw-gateway.service",
    ]);
  });

  test("waits for readiness only where the helper can be trusted", async () => {
    withSystemd(machine);
    const { backend } = machine.open();
    await backend.install(define());
    expect(readFileSync(unitPath(), "utf8")).toContain("Type=simple");
    machine.file("/usr/bin/systemd-notify");
    await backend.install(define());
    expect(readFileSync(unitPath(), "utf8")).toContain("Type=notify");
    machine.tool("systemctl", 'case "$*" in *Version*) echo Version=241.7 ;; esac');
    await backend.install(define());
    expect(readFileSync(unitPath(), "utf8")).toContain("Type=simple");
  });

  test("finds the session of a shell that was not told about it", async () => {
    withSystemd(machine);
    machine.tool("systemctl", `echo "$XDG_RUNTIME_DIR" >"${machine.root}/told"; echo Version=252`);
    await machine.open().backend.look();
    expect(readFileSync(join(machine.root, "told"), "utf8")).toBe("/run/user/1000\n");
  });

  test("of a system unit goes to /etc, readable by all, with the account it runs as", async () => {
    withSystemd(machine);
    const { backend, user, serviceWorld } = machine.open({
      scope: "system",
      uid: 0,
      env: { SUDO_USER: "ann", HOME: "/root" },
    });
    expect(user).toBe("ann");
    expect(serviceWorld.homedir()).toBe(machine.home);
    await backend.install(define({}, user, serviceWorld.homedir()));
    const path = join(machine.root, "/etc/systemd/system/openclaw-gateway.service");
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readFileSync(path, "utf8")).toContain("User=ann");
    expect(asked()).toContain("systemctl enable openclaw-gateway.service");
  });

  test("that cannot be enabled leaves what was there before: nothing, or the former unit", async () => {
    withSystemd(machine);
    const { backend } = machine.open();
    const refusing =
      'case "$*" in *Version*) echo Version=252 ;; *enable*) echo "Failed to enable unit: denied by fate" >&2; exit 1 ;; esac';
    machine.tool("systemctl", refusing);
    await expect(backend.install(define())).rejects.toMatchObject({
      code: "manager-failed",
      message: expect.stringContaining("denied by fate"),
    });
    expect(existsSync(unitPath())).toBe(false);
    showing(machine, {});
    await backend.install(define());
    const before = readFileSync(unitPath(), "utf8");
    machine.tool("systemctl", refusing);
    await expect(backend.install({ ...define(), description: "other" })).rejects.toThrow("denied by fate");
    expect(readFileSync(unitPath(), "utf8")).toBe(before);
    expect(readdirSync(join(unitPath(), "..")).filter((name) => name.includes("tmp"))).toEqual([]);
  });
});

describe("where it cannot be installed, it is said why and what to run, and nothing is written", () => {
  interface Scene {
    set?: () => void;
    env?: Record<string, string>;
    uid?: number;
    scope?: "system";
    code: string;
    hint: string | RegExp;
  }
  const scenes: Record<string, Scene> = {
    "a container of Docker": { set: () => machine.file("/.dockerenv"), code: "container", hint: /restart policy/u },
    "a container of Podman": {
      set: () => machine.file("/run/.containerenv"),
      code: "container",
      hint: /restart policy/u,
    },
    "a container of systemd-nspawn without systemd": {
      env: { container: "systemd-nspawn" },
      code: "container",
      hint: /foreground|restart/u,
    },
    "WSL by its kernel": {
      set: () => machine.file("/proc/sys/kernel/osrelease", "5.15.1-Microsoft"),
      code: "wsl-without-systemd",
      hint: /wsl\.conf/u,
    },
    "WSL by its variable": { env: { WSL_DISTRO_NAME: "Debian" }, code: "wsl-without-systemd", hint: /wsl\.conf/u },
    "another init": { code: "no-systemd", hint: /supervisor you use/u },
    "a system service without systemd": { scope: "system", uid: 0, code: "no-systemd", hint: /supervisor you use/u },
    "a shell without session": {
      set: () => machine.folder("/run/systemd/system"),
      code: "no-user-bus",
      hint: "sudo loginctl enable-linger ann",
    },
    "a session whose manager ended": {
      set: () => {
        machine.folder("/run/systemd/system");
        machine.folder("/run/user/1000");
      },
      code: "no-user-bus",
      hint: "sudo loginctl enable-linger ann",
    },
    "root on behalf of somebody": {
      set: () => withSystemd(machine),
      uid: 0,
      env: { SUDO_USER: "ann" },
      code: "sudo",
      hint: /--system/u,
    },
    "a system service without root": {
      set: () => withSystemd(machine),
      scope: "system",
      code: "needs-root",
      hint: "sudo openclaw gateway install --system",
    },
    "no systemctl": {
      set: () => withSystemd(machine),
      env: { PATH: "/nowhere" },
      code: "no-systemd",
      hint: /foreground/u,
    },
    "a bus that refuses": {
      set: () => {
        withSystemd(machine);
        machine.tool("systemctl", 'echo "Failed to connect to bus: Connection refused" >&2; exit 1');
      },
      code: "no-user-bus",
      hint: "sudo systemctl restart user@1000.service",
    },
    "a bus without medium": {
      set: () => {
        withSystemd(machine);
        machine.tool("systemctl", 'echo "Failed to connect to bus: No medium found" >&2; exit 1');
      },
      code: "no-user-bus",
      hint: "sudo systemctl restart user@1000.service",
    },
    "a manager that fails otherwise": {
      set: () => {
        withSystemd(machine);
        machine.tool("systemctl", 'echo "Something odd" >&2; exit 4');
      },
      code: "manager-failed",
      hint: "systemctl --user status openclaw-gateway.service",
    },
  };
  for (const [name, { set, env, uid, scope, code, hint }] of Object.entries(scenes)) {
    test(name, async () => {
      set?.();
      const { backend } = machine.open({
        ...(env ? { env } : {}),
        ...(uid === undefined ? {} : { uid }),
        ...(scope ? { scope } : {}),
      });
      const error = await backend.install(define()).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code });
      const { message, hints } = error as { message: string; hints: string[] };
      expect(message.length).toBeGreaterThan(20);
      expect(hints.join("\n")).toMatch(hint);
      expect(existsSync(unitPath())).toBe(false);
      expect(machine.has("/etc/systemd/system/openclaw-gateway.service")).toBe(false);
      // Looking at the same place does not fail.
      expect((await backend.look()).runtime.status).toMatch(/unknown|stopped|running/u);
    });
  }
});

describe("start and restart", () => {
  const installed = () => {
    withSystemd(machine);
    mkdirSync(join(unitPath(), ".."), { recursive: true });
    writeFileSync(unitPath(), renderUnit(define(), { notify: true }));
    return machine.open().backend;
  };

  test("a job that another one replaced is asked for again", async () => {
    const backend = installed();
    const once = join(machine.root, "once");
    machine.tool(
      "systemctl",
      `case "$*" in *restart*) [ -e ${once} ] || { : >${once}; echo "Job for openclaw-gateway.service canceled." >&2; exit 1; } ;; esac`,
    );
    expect(await backend.restart()).toBe("Restarted systemd service: openclaw-gateway.service");
    expect(asked().filter((line) => line.includes("restart "))).toHaveLength(2);
    expect(asked().filter((line) => line.includes("reset-failed"))).toHaveLength(2);
  });

  test("a start limit that comes back is reported after a few attempts, with the reason", async () => {
    const backend = installed();
    machine.tool(
      "systemctl",
      `case "$*" in
  *show*) printf 'LoadState=loaded\\nActiveState=failed\\nMainPID=0\\nExecMainCode=1\\nExecMainStatus=1\\nResult=start-limit-hit\\n' ;;
  *" start "*) echo "Start request repeated too quickly." >&2; exit 1 ;;
esac`,
    );
    await expect(backend.start()).rejects.toMatchObject({
      code: "start-failed",
      message: "The gateway ended at once with exit 1.",
      hints: ["openclaw gateway status", "journalctl --user -u openclaw-gateway.service -n 50 --no-pager"],
    });
    expect(asked().filter((line) => line.includes(" start "))).toHaveLength(5);
  });

  test("a configuration error is named as one", async () => {
    const backend = installed();
    machine.tool(
      "systemctl",
      `case "$*" in
  *show*) printf 'LoadState=loaded\\nActiveState=failed\\nMainPID=0\\nExecMainCode=1\\nExecMainStatus=78\\nResult=exit-code\\n' ;;
  *" start "*) echo "Job for x failed" >&2; exit 1 ;;
esac`,
    );
    await expect(backend.start()).rejects.toMatchObject({
      code: "configuration",
      hints: ["openclaw doctor", expect.any(String)],
    });
  });

  test("a system service that this account may not touch names the command that may", async () => {
    withSystemd(machine);
    machine.tool(
      "systemctl",
      'case "$*" in *show*) ;; *) echo "Failed to restart x: Interactive authentication required." >&2; exit 1 ;; esac',
    );
    const { backend } = machine.open({ scope: "system" });
    await expect(backend.restart()).rejects.toMatchObject({
      code: "needs-root",
      hints: ["sudo openclaw gateway restart --system"],
    });
  });
});

describe("uninstall", () => {
  test("leaves no unit and no link, also where no manager can be asked", async () => {
    mkdirSync(join(unitPath(), "..", "default.target.wants"), { recursive: true });
    writeFileSync(unitPath(), "x");
    const link = join(unitPath(), "..", "default.target.wants", "openclaw-gateway.service");
    symlinkSync(unitPath(), link);
    const lines = await machine.open().backend.uninstall();
    expect(lines).toEqual([`Removed systemd service: ${unitPath()}`, expect.stringContaining("was not stopped")]);
    expect(existsSync(unitPath())).toBe(false);
    expect(readdirSync(join(link, ".."))).toEqual([]);
  });

  test("stops what still runs although its file is gone, and leaves a person's drop-ins, naming them", async () => {
    withSystemd(machine);
    mkdirSync(`${unitPath()}.d`, { recursive: true });
    writeFileSync(join(`${unitPath()}.d`, "mine.conf"), "[Service]\nNice=5\n");
    const lines = await machine.open().backend.uninstall();
    expect(lines).toEqual([
      `Systemd service not found at ${unitPath()}`,
      `Own drop-ins were left: ${unitPath()}.d/mine.conf`,
    ]);
    expect(asked()).toContain("systemctl --user stop openclaw-gateway.service");
  });
});

describe("what the manager shows", () => {
  const shown: Record<string, [properties: Record<string, string>, runtime: object]> = {
    running: [{ NRestarts: "2" }, { status: "running", state: "active", subState: "running", pid: 4711, restarts: 2 }],
    "stopped by hand": [
      {
        ActiveState: "inactive",
        SubState: "dead",
        MainPID: "0",
        ExecMainCode: "1",
        ExecMainStatus: "0",
        Result: "success",
      },
      { status: "stopped", state: "inactive", subState: "dead", lastExitStatus: 0 },
    ],
    killed: [
      {
        ActiveState: "activating",
        SubState: "auto-restart",
        MainPID: "0",
        ExecMainCode: "2",
        ExecMainStatus: "9",
        Result: "signal",
      },
      {
        status: "stopped",
        state: "activating",
        subState: "auto-restart",
        lastExitStatus: 137,
        lastExitReason: "killed by SIGKILL",
      },
    ],
    "out of memory": [
      {
        ActiveState: "failed",
        SubState: "failed",
        MainPID: "0",
        ExecMainCode: "2",
        ExecMainStatus: "64",
        Result: "oom-kill",
      },
      {
        status: "stopped",
        state: "failed",
        subState: "failed",
        lastExitStatus: 192,
        lastExitReason: "killed by signal 64",
      },
    ],
    "a configuration error": [
      {
        ActiveState: "failed",
        SubState: "failed",
        MainPID: "0",
        ExecMainCode: "1",
        ExecMainStatus: "78",
        Result: "exit-code",
      },
      {
        status: "stopped",
        state: "failed",
        subState: "failed",
        lastExitStatus: 78,
        lastExitReason: "configuration error",
      },
    ],
    "too many starts": [
      {
        ActiveState: "failed",
        SubState: "failed",
        MainPID: "0",
        ExecMainCode: "1",
        ExecMainStatus: "1",
        Result: "start-limit-hit",
      },
      {
        status: "stopped",
        state: "failed",
        subState: "failed",
        lastExitStatus: 1,
        lastExitReason: "too many starts in a short time",
      },
    ],
  };
  for (const [name, [properties, runtime]] of Object.entries(shown)) {
    test(`${name} is told as such`, async () => {
      withSystemd(machine);
      mkdirSync(join(unitPath(), ".."), { recursive: true });
      writeFileSync(unitPath(), renderUnit(define(), { notify: true }));
      showing(machine, properties);
      expect((await machine.open().backend.look()).runtime).toEqual(runtime);
    });
  }
});
