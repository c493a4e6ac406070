/** The service on a machine that systemd boots: lingering, the system unit, the journal. `service.test.ts` has the verbs. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort, launcher, token } from "../support/process.ts";
import { hasSystemdUser } from "../support/systemd-user.ts";

const bootScript = join(import.meta.dirname, "..", "support", "systemd-boot.sh");
const bootMs = 120_000;
const hasLogind = existsSync("/lib/systemd/systemd-logind") && existsSync("/usr/bin/dbus-daemon");

/** Steps of the exercise, in order: each is one line of shell. */
const steps = (port: number): Record<string, string> => ({
  config: `install -d -m 0700 /root/.openclaw && printf '%s' '${JSON.stringify({ gateway: { mode: "local", port, auth: { token } } })}' >/root/.openclaw/openclaw.json`,
  "no session": `${launcher} gateway install --json`,
  linger: "loginctl enable-linger root; until [ -S /run/user/0/systemd/private ]; do sleep 0.1; done",
  install: `${launcher} gateway install --json`,
  status: `${launcher} gateway status --json`,
  active: "XDG_RUNTIME_DIR=/run/user/0 systemctl --user is-active openclaw-gateway",
  uninstall: `${launcher} gateway uninstall --json`,
  "linger lost": "rm /var/lib/systemd/linger/root",
  "install asks": `${launcher} gateway install --json; ls /var/lib/systemd/linger`,
  "other home": `HOME=/srv ${launcher} gateway install --force --json`,
  "uninstall again": `${launcher} gateway uninstall --json`,
  system: `${launcher} gateway install --system --json`,
  "system status": `${launcher} gateway status --json`,
  "system broken": `printf '{' >/root/.openclaw/openclaw.json; ${launcher} gateway restart --json`,
  journal: "journalctl --sync; journalctl -u openclaw-gateway.service -o cat --no-pager -q -n 20",
  "system gone": `${launcher} gateway uninstall --json; ls /etc/systemd/system | grep -c openclaw`,
});

describe.skipIf(!hasSystemdUser || !hasLogind)("on a machine that systemd boots", () => {
  const folder = mkdtempSync(join(tmpdir(), "openclaw-boot-"));
  const seen = new Map<string, string>();

  beforeAll(async () => {
    const script = Object.entries(steps(await freePort()))
      .map(([name, line]) => `echo '=== ${name}'\n${line}\n`)
      .join("");
    writeFileSync(join(folder, "exercise.sh"), script);
    const child = spawn(bootScript, [folder], { stdio: "ignore", detached: true });
    const late = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), bootMs);
    await new Promise((resolve) => child.once("exit", resolve));
    clearTimeout(late);
    const output = readFileSync(join(folder, "output"), "utf8");
    for (const part of output.split(/^=== /mu).slice(1)) {
      const end = part.indexOf("\n");
      seen.set(part.slice(0, end), part.slice(end + 1));
    }
  }, bootMs);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The JSON document of a step; what came on stderr stands around it. */
  const json = (step: string): Record<string, unknown> => {
    const text = seen.get(step) ?? "";
    expect(text).toContain("{\n");
    return JSON.parse(text.slice(text.indexOf("{\n"), text.lastIndexOf("\n}") + 2)) as Record<string, unknown>;
  };

  test("without a session it is said how to get one, and nothing is written", () => {
    expect(json("no session")).toMatchObject({
      ok: false,
      code: "no-user-bus",
      hints: ["sudo loginctl enable-linger root", expect.any(String)],
    });
  });

  test("with lingering the user service runs without a login, and status says so", () => {
    expect(json("install")).toMatchObject({ ok: true, result: "installed" });
    expect(json("install")).not.toHaveProperty("warnings");
    expect(json("status")).toMatchObject({
      verdict: { code: "ok" },
      service: { linger: "yes", loaded: true, runtime: { status: "running" } },
      rpc: { ok: true },
    });
    expect(seen.get("active")?.trim()).toBe("active");
    expect(json("uninstall")).toMatchObject({ ok: true, service: { loaded: false } });
  });

  test("install asks logind for lingering where it is off", () => {
    expect(json("install asks")).toMatchObject({ ok: true });
    expect(seen.get("install asks")?.trim().endsWith("root")).toBe(true);
  });

  test("a shell with another HOME than the manager's is told so", () => {
    expect(json("other home")).toMatchObject({ ok: false, code: "other-home" });
    expect(json("uninstall again")).toMatchObject({ ok: true });
  });

  test("a system service needs no session; its config error is in the journal and in the answer", () => {
    expect(json("system")).toMatchObject({
      ok: true,
      result: "installed",
      service: { label: "openclaw-gateway.service", loaded: true },
    });
    expect(json("system status")).toMatchObject({
      verdict: { code: "ok" },
      service: {
        scope: "system",
        path: "/etc/systemd/system/openclaw-gateway.service",
        runtime: { status: "running" },
      },
    });
    expect(json("system broken")).toMatchObject({ ok: false, code: "configuration" });
    expect(seen.get("journal")).toContain("JSON5 parse failed");
    expect(json("system gone")).toMatchObject({ ok: true, result: "uninstalled" });
    expect(seen.get("system gone")?.trim().endsWith("0")).toBe(true);
  });
});
