/** The verbs above the back-ends: no-ops, refusals, warnings; and the Windows task, looking for rivals, last words. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defineService } from "./definition.ts";
import {
  installService,
  lastWords,
  otherServices,
  restartService,
  startService,
  stopService,
  uninstallService,
  type InstallOptions,
  type OpenedService,
} from "./index.ts";
import { fakeMachine, showing, withSystemd, type FakeMachine } from "./machine.fixture.ts";
import { serviceNames } from "./names.ts";
import { parseScript, renderScript, renderTask } from "./windows-task.ts";

let machine: FakeMachine;
beforeEach(() => {
  machine = fakeMachine();
});
afterEach(() => machine.remove());

const options = (more: Partial<InstallOptions> = {}): InstallOptions => ({
  version: "2026.11.0",
  force: false,
  source: { execPath: "/usr/bin/node", packageRoot: "/usr/lib/node_modules/@openclaw/gateway" },
  prepare: () => Promise.resolve({ port: 18_789, warnings: [] }),
  ...more,
});
const asked = () => machine.calls().filter((line) => !line.includes(" show "));

describe("install", () => {
  const systemd = (): OpenedService => {
    withSystemd(machine);
    for (const path of [
      "/usr/bin/systemd-notify",
      "/usr/bin/node",
      "/usr/lib/node_modules/@openclaw/gateway/src/main.ts",
    ])
      machine.file(path);
    return machine.open();
  };

  test("of what is there asks nobody and writes nothing; with force it does both", async () => {
    const service = systemd();
    expect(await installService(service, options())).toMatchObject({ ok: true, result: "installed" });
    machine.forget();
    const prepare = () => Promise.reject(new Error("not asked"));
    expect(await installService(service, options({ prepare }))).toEqual({
      action: "install",
      ok: true,
      result: "already-installed",
      message: "Gateway service already enabled.",
      hints: ["Reinstall with: openclaw gateway install --force"],
      service: { label: "openclaw-gateway.service", loaded: true, loadedText: "enabled", notLoadedText: "disabled" },
    });
    expect(asked()).toEqual([]);
    expect(await installService(service, options({ force: true }))).toMatchObject({ result: "installed" });
    expect(asked()).toContain("systemctl --user restart openclaw-gateway.service");
  });

  test("that is switched off is switched on again", async () => {
    const service = systemd();
    await installService(service, options());
    showing(machine, { UnitFileState: "disabled" });
    expect(await installService(service, options())).toMatchObject({ result: "installed" });
  });

  test("asks for lingering, and explains what follows when it is refused or not wanted", async () => {
    const service = systemd();
    rmSync(join(machine.root, "/var/lib/systemd/linger/ann"));
    const linger = (answer: boolean) => ({ interactive: false, agreed: () => Promise.resolve(answer) });
    const declined = await installService(service, options({ linger: linger(false) }));
    expect(declined.warnings).toEqual([
      "The service stops when ann logs out, and does not start at boot, until lingering is on. Switch it on with: sudo loginctl enable-linger ann",
    ]);
    machine.tool("loginctl", 'echo "Could not enable linger: Access denied" >&2; exit 1');
    machine.tool("sudo", 'echo "sudo: a password is required" >&2; exit 1');
    const refused = await installService(service, options({ force: true, linger: linger(true) }));
    expect(refused.ok).toBe(true);
    expect(refused.warnings?.[0]).toContain(
      "(Could not enable linger: Access denied). Run: sudo loginctl enable-linger ann",
    );
    expect(asked()).toContain("sudo -n loginctl enable-linger ann");
    machine.tool("sudo", `[ "$1 $2" = "-n loginctl" ] && : >"${machine.root}/var/lib/systemd/linger/ann"`);
    expect(await installService(service, options({ force: true, linger: linger(true) }))).not.toHaveProperty(
      "warnings",
    );
  });

  test("without loginctl says so", async () => {
    const service = systemd();
    rmSync(join(machine.root, "/var/lib/systemd/linger/ann"));
    const linger = { interactive: false, agreed: () => Promise.resolve(true) };
    const { warnings } = await installService(service, options({ linger }));
    expect(warnings?.[0]).toContain("loginctl is not on PATH");
  });
});

describe("the other verbs", () => {
  test("say what is missing and how to get it; only stopping nothing is fine", async () => {
    withSystemd(machine);
    showing(machine, { LoadState: "not-found", ActiveState: "inactive", UnitFileState: "", MainPID: "0" });
    const service = machine.open({ env: { OPENCLAW_PROFILE: "rescue" } });
    const outcome = {
      result: "not-loaded",
      message: "Gateway service disabled.",
      hints: ["openclaw --profile rescue gateway install", "openclaw --profile rescue gateway   (in the foreground)"],
    };
    expect(await stopService(service)).toMatchObject({ ok: true, ...outcome });
    expect(await startService(service)).toMatchObject({ ok: false, ...outcome });
    expect(await restartService(service)).toMatchObject({ ok: false, ...outcome });
    expect(asked()).toEqual([]);
  });

  test("name the reason where no manager can be asked", async () => {
    machine.file("/.dockerenv");
    const service = machine.open();
    expect(await startService(service)).toMatchObject({
      ok: false,
      code: "container",
      error: expect.stringMatching(/^Gateway start failed: This is a container/u),
    });
    expect(await stopService(service)).toMatchObject({ ok: true, result: "not-loaded" });
    expect(await uninstallService(service)).toMatchObject({ ok: true, result: "uninstalled" });
  });

  test("uninstall that the manager did not obey is an error", async () => {
    withSystemd(machine);
    const service = machine.open();
    expect(await uninstallService(service)).toMatchObject({ ok: false, code: "still-loaded" });
  });

  test("a restart that waits asks the gateway first, and goes on when it ended or its time is up", async () => {
    withSystemd(machine);
    machine.file("/usr/bin/systemd-notify");
    const service = machine.open();
    await installService(service, options());
    machine.forget();
    const busy = await restartService(service, { whenIdleMs: 1 });
    expect(busy.warnings).toEqual(["It was still busy after 0 s; what ran was interrupted."]);
    expect(asked()).toEqual([
      "systemctl --user kill --kill-who=main --signal=SIGUSR2 openclaw-gateway.service",
      "systemctl --user reset-failed openclaw-gateway.service",
      "systemctl --user restart openclaw-gateway.service",
    ]);
    showing(machine, { ActiveState: "inactive", MainPID: "0" });
    machine.forget();
    expect(await restartService(service, { whenIdleMs: 10_000 })).not.toHaveProperty("warnings");
    expect(asked().some((line) => line.includes("kill"))).toBe(false);
  });
});

describe("on Windows", () => {
  const definition = () =>
    defineService({
      world: { env: { PATH: "C:\\Windows" }, homedir: () => "C:\\Users\\Ann & Tom", platform: "win32" },
      names: serviceNames({}),
      version: "2026.11.0",
      port: 18_789,
      program: ["C:\\Program Files\\nodejs\\node.exe", "C:\\npm\\100%\\main.js"],
    });
  const open = (native: boolean) =>
    machine.open({ platform: "win32", native, env: { USERDOMAIN: "HOME", USERNAME: "ann" } });

  test("install points to WSL2 in one sentence, unless a task is asked for", async () => {
    machine.tool("schtasks", "exit 1");
    const refused = await installService(open(false), options());
    expect(refused).toMatchObject({
      ok: false,
      code: "windows",
      hints: ["wsl --install", expect.stringContaining("--native")],
    });
    expect(refused.error?.match(/\./gu)).toHaveLength(1);
    expect(machine.calls().filter((line) => line.includes("/Create"))).toEqual([]);
  });

  test("a task is created from XML, run, and its script says what it runs", async () => {
    machine.tool(
      "schtasks",
      `[ "$1" = /Create ] && while [ $# -gt 1 ]; do [ "$1" = /XML ] && /bin/cp "$2" "${machine.root}/task.xml"; shift; done; exit 0`,
    );
    const { backend } = open(true);
    expect(await backend.install(definition())).toEqual([
      "Installed Scheduled Task: OpenClaw Gateway",
      expect.stringContaining("gateway.cmd"),
    ]);
    const xml = readFileSync(join(machine.root, "task.xml"), "utf16le");
    expect(xml.charCodeAt(0)).toBe(0xfeff);
    expect(xml).toContain("<UserId>HOME\\ann</UserId>");
    expect(xml).toContain("<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>");
    const script = readFileSync(join(machine.home, ".openclaw", "gateway.cmd"), "utf8");
    expect(script.split("\r\n")).toContain(
      '"C:\\Program Files\\nodejs\\node.exe" "C:\\npm\\100%%\\main.js" "gateway" "--port" "18789"',
    );
    expect(parseScript(script)?.programArguments).toEqual(definition().programArguments);
    expect(parseScript(script)?.environment).toEqual(Object.fromEntries(definition().environment));
    const verbs = machine.calls().map((line) => line.split(" ")[1]);
    expect(verbs).toEqual(["/Create", "/End", "/Run"]);
  });

  test("the files are what was agreed, and hold no quote that could end a word", async () => {
    await expect(
      `${renderScript(definition())}\n${renderTask(definition(), "C:\\a & b\\gateway.cmd", "HOME\\ann")}`,
    ).toMatchFileSnapshot("golden/windows-task.txt");
    expect(() => renderScript({ ...definition(), workingDirectory: 'C:\\" & calc' })).toThrow(/cannot hold/u);
  });

  test("access denied names an elevated terminal; what is missing is removed without complaint", async () => {
    machine.tool("schtasks", 'echo "ERROR: Access is denied." >&2; exit 1');
    await expect(open(true).backend.install(definition())).rejects.toMatchObject({ code: "needs-elevation" });
    rmSync(join(machine.home, ".openclaw"), { recursive: true });
    expect(await open(true).backend.uninstall()).toEqual(["Scheduled Task not found: OpenClaw Gateway"]);
    await expect(open(true).backend.endWhenIdle()).rejects.toMatchObject({ code: "not-offered" });
  });
});

describe("other services", () => {
  const units = () => join(machine.home, ".config", "systemd", "user");
  const put = (name: string, text: string) => {
    mkdirSync(units(), { recursive: true });
    writeFileSync(join(units(), name), text);
  };

  test("rivals are found by their text, with what removes them; own, profiles' and node hosts' are none", () => {
    put("openclaw-gateway.service", "ExecStart=/usr/bin/openclaw gateway");
    put("openclaw-gateway-rescue.service", "Environment=OPENCLAW_SERVICE_MARKER=openclaw");
    put("openclaw-gateway-fake.service", "ExecStart=/opt/openclaw");
    put("openclaw-node.service", "ExecStart=openclaw node");
    put("mine.service", "ExecStart=/usr/bin/clawdbot");
    put("harmless.service", "ExecStart=/bin/true");
    put("moltbot-gateway.service", "ExecStart=/usr/bin/moltbot gateway");
    put("notes.txt", "openclaw");
    machine.file("/etc/systemd/system/openclaw.service", "ExecStart=openclaw gateway");
    const found = otherServices(machine.open(), false);
    expect(found.map(({ label, legacy }) => [label, legacy === true]).sort()).toEqual([
      ["mine.service", false],
      ["moltbot-gateway.service", true],
      ["openclaw-gateway-fake.service", false],
    ]);
    const deep = otherServices(machine.open(), true).filter(({ scope }) => scope === "system");
    expect(deep).toMatchObject([
      { label: "openclaw.service", cleanup: ["sudo systemctl disable --now openclaw.service", expect.any(String)] },
    ]);
  });

  test("of a Mac are found among its agents and daemons", () => {
    const folder = join(machine.home, "Library", "LaunchAgents");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "com.openclaw.gateway.plist"), "<plist/>");
    writeFileSync(
      join(folder, "bot.molt.rescue.plist"),
      "<key>OPENCLAW_SERVICE_MARKER</key>\n<string>openclaw</string>",
    );
    writeFileSync(join(folder, "bot.molt.node.plist"), "openclaw");
    machine.file("/Library/LaunchDaemons/ann.openclaw.plist", "openclaw");
    const found = otherServices(machine.open({ platform: "darwin" }), true);
    expect(found.map(({ label, scope }) => [label, scope])).toEqual([
      ["com.openclaw.gateway", "user"],
      ["ann.openclaw", "system"],
    ]);
    expect(found[1]?.cleanup[0]).toBe("sudo launchctl bootout system/ann.openclaw");
  });
});

test("the last words are the line that tells why, else the last one, else nothing", async () => {
  withSystemd(machine);
  const service = machine.open();
  const state = await service.backend.look();
  expect(await lastWords(service, state)).toBeUndefined();
  machine.tool("journalctl", "printf 'one\\nGateway start blocked: set gateway.mode=local\\n-- Boot --\\nmore\\n'");
  expect(await lastWords(service, state)).toBe("Gateway start blocked: set gateway.mode=local");
  machine.tool("journalctl", "printf 'one\\nmore\\n'");
  expect(await lastWords(service, state)).toBe("more");
  expect(machine.calls().at(-1)).toBe("journalctl --user -u openclaw-gateway.service -n 50 -o cat --no-pager -q");
});
