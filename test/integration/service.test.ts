/** The service on a real `systemd --user`: what the manager does with our unit, not what a fake says it would do. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort, token } from "../support/process.ts";
import { hasSystemdUser, SystemdUser } from "../support/systemd-user.ts";

interface Place {
  profile: string;
  port: number;
  unit: string;
  /** `--profile <name>` */
  words: string;
  config: string;
  file: string;
}

describe.skipIf(!hasSystemdUser)("on a real systemd --user", () => {
  let user: SystemdUser;
  beforeAll(async () => {
    user = await SystemdUser.start();
  });
  afterAll(() => user?.stop());

  const units = () => join(user.home, ".config", "systemd", "user");

  /** A profile of its own for each test, with a config the gateway starts on. */
  async function place(profile: string, more: Record<string, unknown> = {}): Promise<Place> {
    const port = await freePort();
    const { gateway, ...rest } = more;
    const config = user.configure(profile, {
      ...rest,
      logging: { file: join(user.home, `${profile}.log`) },
      agents: { defaults: { workspace: join(user.home, `workspace-${profile}`), skipBootstrap: true } },
      gateway: { mode: "local", port, auth: { token }, ...(gateway as object | undefined) },
    });
    const unit = `openclaw-gateway-${profile}.service`;
    return { profile, port, unit, words: `--profile ${profile}`, config, file: join(units(), unit) };
  }

  async function ok(words: string): Promise<string> {
    const ran = await user.openclaw(words);
    expect({ words, ...ran }).toMatchObject({ code: 0 });
    return ran.stdout;
  }
  const status = async ({ words }: Place) => JSON.parse(await ok(`${words} gateway status --json`));
  const pid = ({ unit }: Place) => user.property(unit, "MainPID");

  async function until(what: string, condition: () => Promise<boolean> | boolean, budgetMs = 15_000): Promise<void> {
    const deadline = performance.now() + budgetMs;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`never ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Waits between two starts are for machines, not for tests. */
  async function hurry({ unit, file }: Place): Promise<void> {
    mkdirSync(`${file}.d`, { recursive: true });
    writeFileSync(join(`${file}.d`, "hurry.conf"), "[Service]\nRestartSec=100ms\n");
    await user.run("systemctl --user daemon-reload");
    expect(await user.property(unit, "RestartUSec")).toBe("100ms");
  }

  test("an installed gateway is active, answers, and a second install changes nothing", async () => {
    const at = await place("one");
    const first = await user.openclaw(`${at.words} gateway install --json`);
    expect(JSON.parse(first.stdout)).toMatchObject({
      action: "install",
      ok: true,
      result: "installed",
      service: { loaded: true },
    });
    expect(await user.property(at.unit, "ActiveState")).toBe("active");
    expect(await user.property(at.unit, "StatusText")).toContain(`127.0.0.1:${at.port}`);
    expect(await ok(`${at.words} gateway health`)).toContain("OK");
    expect(statSync(at.file).mode & 0o077).toBe(0);
    const text = readFileSync(at.file, "utf8");
    expect(text).not.toContain(token);
    const verified = await user.run(`systemd-analyze --user verify ${at.file}`);
    expect(verified).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const before = await pid(at);
    const again = await ok(`${at.words} gateway install`);
    expect(again).toContain("Gateway service already enabled.");
    expect(again).toContain("Reinstall with: openclaw --profile one gateway install --force");
    expect(await pid(at)).toBe(before);
    expect(statSync(at.file).mtimeMs).toBeGreaterThan(0);
    expect((await status(at)).verdict.code).toMatch(/^ok/u);
  });

  test("a killed gateway is back by itself", async () => {
    const at = await place("killed");
    await ok(`${at.words} gateway install`);
    await hurry(at);
    const before = await pid(at);
    await user.run(`kill -9 ${before}`);
    await until(
      "came back",
      async () => (await pid(at)) !== before && (await user.property(at.unit, "ActiveState")) === "active",
    );
    expect(await ok(`${at.words} gateway health`)).toContain("OK");
    expect((await status(at)).service.runtime).toMatchObject({ status: "running", restarts: 1 });
  });

  test("on a broken config it ends with 78 and stays down; status says why; repaired, it starts", async () => {
    const at = await place("broken");
    await ok(`${at.words} gateway install`);
    await hurry(at);
    const good = readFileSync(at.config, "utf8");
    writeFileSync(at.config, "{ gateway: { mode: 'local', auth: { ");
    const refused = await user.openclaw(`${at.words} gateway restart --json`);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, code: "configuration" });
    expect(await user.property(at.unit, "ActiveState")).toBe("failed");
    expect(await user.property(at.unit, "ExecMainStatus")).toBe("78");
    const seen = await status(at);
    expect(seen.verdict).toMatchObject({ code: "configuration" });
    expect(seen.verdict.next).toEqual(["openclaw --profile broken doctor", "openclaw --profile broken gateway start"]);
    expect(seen.startProblem).toContain("JSON5 parse failed");
    // Long enough for the ten restarts it would have had without the exit code.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await user.property(at.unit, "NRestarts")).toBe("0");
    writeFileSync(at.config, good);
    const started = await user.openclaw(`${at.words} gateway start --json`);
    expect(JSON.parse(started.stdout)).toMatchObject({
      ok: true,
      result: "started",
      warnings: ["It had failed before with 78: configuration error."],
    });
    expect((await status(at)).rpc.ok).toBe(true);
  });

  test("a start limit that was reached is told, and the next start clears it", async () => {
    const at = await place("latched");
    await ok(`${at.words} gateway install`);
    await hurry(at);
    await ok(`${at.words} gateway stop`);
    // Closes what connects, so that a look at it takes no time.
    const stranger = createServer((socket) => socket.destroy()).listen(at.port, "127.0.0.1");
    await new Promise((resolve) => stranger.once("listening", resolve));
    const failed = await user.openclaw(`${at.words} gateway start --json`);
    expect(JSON.parse(failed.stdout)).toMatchObject({ ok: false, code: "start-failed" });
    await until("reached its limit", async () => (await user.property(at.unit, "ActiveState")) === "failed");
    const held = await status(at);
    expect(held.verdict.code).toBe("port-taken");
    await new Promise((resolve) => stranger.close(resolve));
    expect((await status(at)).verdict).toMatchObject({
      code: "crashed",
      next: [expect.stringContaining("gateway start"), expect.any(String)],
    });
    expect(await ok(`${at.words} gateway start`)).toContain("Started systemd service");
    expect((await status(at)).rpc.ok).toBe(true);
  });

  test("SIGUSR1 starts a new generation in the same process", async () => {
    const at = await place("usr1", { commands: { restart: true } });
    await ok(`${at.words} gateway install`);
    const before = await pid(at);
    await user.run(`systemctl --user kill --signal=SIGUSR1 --kill-who=main ${at.unit}`);
    const log = () => readFileSync(join(user.home, "usr1.log"), "utf8");
    await until("restarted in place", () => log().includes("restarted; listening on"));
    expect(await pid(at)).toBe(before);
    expect(await user.property(at.unit, "NRestarts")).toBe("0");
    expect(await ok(`${at.words} gateway health`)).toContain("OK");
  });

  test("stop keeps it down, start brings it back, restart gives it a new process", async () => {
    const at = await place("verbs");
    await ok(`${at.words} gateway install`);
    await hurry(at);
    expect(await ok(`${at.words} gateway stop`)).toBe(`Stopped systemd service: ${at.unit}\n`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await user.property(at.unit, "ActiveState")).toBe("inactive");
    expect((await status(at)).verdict.code).toBe("stopped");
    expect(await ok(`${at.words} gateway start`)).toBe(`Started systemd service: ${at.unit}\n`);
    const first = await pid(at);
    expect(await ok(`${at.words} gateway start`)).toContain(`already running (pid ${first})`);
    expect(await pid(at)).toBe(first);
    expect(await ok(`${at.words} gateway restart`)).toBe(`Restarted systemd service: ${at.unit}\n`);
    expect(await pid(at)).not.toBe(first);
  });

  test("a restart that waits lets the gateway end by itself, and starts the program anew", async () => {
    const at = await place("idle");
    await ok(`${at.words} gateway install`);
    const before = await pid(at);
    expect(await ok(`${at.words} gateway restart --when-idle`)).toContain("Restarted systemd service");
    expect(await pid(at)).not.toBe(before);
    const log = readFileSync(join(user.home, "idle.log"), "utf8");
    expect(log).toContain("signal SIGUSR2 received");
    expect(log).toContain("drained; shutting down");
    expect(await ok(`${at.words} gateway health`)).toContain("OK");
  });

  test("two profiles stand side by side, and uninstalling one leaves nothing of it and all of the other", async () => {
    const [a, b] = [await place("left"), await place("right")];
    await Promise.all([ok(`${a.words} gateway install`), ok(`${b.words} gateway install`)]);
    const [of, other] = [await pid(a), await pid(b)];
    expect(of).not.toBe(other);
    const removed = await user.openclaw(`${a.words} gateway uninstall --json`);
    expect(JSON.parse(removed.stdout)).toMatchObject({ ok: true, result: "uninstalled", service: { loaded: false } });
    expect(existsSync(a.file)).toBe(false);
    expect(readdirSync(join(units(), "default.target.wants"))).not.toContain(a.unit);
    expect((await user.run(`kill -0 ${of}`)).code).not.toBe(0);
    expect(await user.property(a.unit, "LoadState")).toBe("not-found");
    expect(existsSync(a.config)).toBe(true);
    expect(await pid(b)).toBe(other);
    expect(await ok(`${b.words} gateway health`)).toContain("OK");
    // Once more is fine, and what is not there cannot be started.
    expect(await ok(`${a.words} gateway uninstall`)).toContain("not found");
    expect(await ok(`${a.words} gateway stop`)).toContain("Gateway service disabled.");
    for (const verb of ["start", "restart"]) {
      const ran = await user.openclaw(`${a.words} gateway ${verb} --json`);
      expect(ran.code).toBe(1);
      expect(JSON.parse(ran.stdout)).toMatchObject({
        ok: false,
        result: "not-loaded",
        hints: [expect.stringContaining("gateway install"), expect.any(String)],
      });
    }
  });

  test("installs and restarts at the same time end with one gateway", async () => {
    const at = await place("crowd");
    const verbs = ["install", "install --force", "restart", "install", "restart", "install --force"];
    const ran = await Promise.all(verbs.map((verb) => user.openclaw(`${at.words} gateway ${verb} --json`)));
    // A restart before the first install finds nothing; everything else succeeds.
    for (const [n, { code, stdout }] of ran.entries()) {
      const outcome = JSON.parse(stdout);
      if (code !== 0) expect({ verb: verbs[n], ...outcome }).toMatchObject({ verb: "restart", result: "not-loaded" });
    }
    expect(await user.property(at.unit, "ActiveState")).toBe("active");
    expect(await ok(`${at.words} gateway health`)).toContain("OK");
    const left = await user.run(
      `cat $(systemctl --user show ${at.unit} --property=ControlGroup --value | sed "s|^|/sys/fs/cgroup|")/cgroup.procs`,
    );
    expect(left.stdout.trim().split("\n")).toEqual([await pid(at)]);
    expect(readdirSync(units()).filter((name) => name.includes("tmp"))).toEqual([]);
  });

  test("the set-up installs the service when it is asked to", async () => {
    const port = await freePort();
    const ran = await user.openclaw(
      `--profile setup onboard --non-interactive --accept-risk --gateway-port ${port} --install-daemon --json`,
    );
    expect({ ...ran }).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout)).toMatchObject({ installDaemon: true, service: { result: "installed" } });
    expect(await ok("--profile setup gateway health")).toContain("OK");
  });

  test("a gateway that cannot work is not installed, and nothing is written", async () => {
    const at = await place("unready", { gateway: { mode: "remote" } });
    const ran = await user.openclaw(`${at.words} gateway install --json`);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ ok: false, code: "configuration" });
    expect(existsSync(at.file)).toBe(false);
  });

  test("a token that only the shell has is kept beside the config, never in the unit", async () => {
    const at = await place("tokenless", { gateway: { auth: {} } });
    const ran = await user.openclaw(`${at.words} gateway install --token ${token} --json`);
    expect({ ...ran }).toMatchObject({ code: 0 });
    const kept = join(user.home, ".openclaw-tokenless", ".env");
    expect(readFileSync(kept, "utf8")).toBe(`OPENCLAW_GATEWAY_TOKEN=${token}\n`);
    expect(statSync(kept).mode & 0o077).toBe(0);
    expect(readFileSync(at.file, "utf8")).not.toContain(token);
    expect((await status(at)).rpc.ok).toBe(true);
  });
});
