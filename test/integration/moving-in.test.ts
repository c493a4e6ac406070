/** Moving in from OpenClaw 2026.2 and out again: the recorded state directory, paired clients, kills, folders that lie. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exportSessions } from "../../packages/gateway/src/assembly/export.ts";
import { importState, type ImportOptions } from "../../packages/gateway/src/assembly/import.ts";
import { systemWorld } from "../../packages/gateway/src/kernel/world.ts";
import { openGateway } from "../support/gateway.ts";
import { contentOf, copyRecordedState, importedRows, makeOldState, pairOldDevice } from "../support/old-state.ts";
import { makeHome, type Home } from "../support/process.ts";
import { seededRandom } from "../support/random.ts";
import { makeDevice, Wire } from "../support/wire.ts";

/** What the gateway itself writes into its state directory. */
const own = [
  "backups",
  "openclaw.db",
  "openclaw.db-wal",
  "openclaw.db-shm",
  "gateway.lock.db",
  "status.json",
  "logs",
  "workspace",
];
const remote = { headers: { "X-Forwarded-For": "1.2.3.4" } };
const main = join(import.meta.dirname, "..", "..", "packages", "gateway", "src", "main.ts");

async function withHome(body: (home: Home) => Promise<void>): Promise<void> {
  const home = makeHome();
  try {
    await body(home);
  } finally {
    home.remove();
  }
}

const moveIn = (home: Home, options: ImportOptions = {}) =>
  importState(options, { ...systemWorld(home.env), cwd: () => home.path });

/** The command line from source. Resolves with the exit code or the signal, and what was printed. */
function command(
  home: Home,
  args: string[],
  onStart?: (kill: () => void) => void,
): Promise<{ end: number | string; stdout: string; stderr: string }> {
  const node = ["--conditions=openclaw-source", main, ...args];
  const child = spawn(process.execPath, node, { env: home.env, cwd: home.path });
  onStart?.(() => child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ end: code ?? signal ?? "unknown", stdout, stderr }));
  });
}

/** Calls `kill` some time after the import began to write. */
function killDuring(state: string, afterMs: number, kill: () => void): void {
  const names = () =>
    readdirSync(join(state)).length +
    (existsSync(join(state, "backups")) ? readdirSync(join(state, "backups")).length : 0);
  const idle = names();
  const look = setInterval(() => {
    if (names() === idle) return;
    clearInterval(look);
    setTimeout(kill, afterMs);
  }, 5);
  // A run that ends by itself leaves nothing to look for.
  setTimeout(() => clearInterval(look), 15_000).unref();
}

describe("the recorded state directory", () => {
  test("is taken over in place, and its files are as they were, byte for byte", () =>
    withHome(async (home) => {
      copyRecordedState(home.state);
      const before = contentOf(home.state);
      const report = await moveIn(home);
      expect(report.taken).toEqual({ sessions: 2, earlier: 1, entries: 12, devices: 1, tokens: 2, nodes: 1 });
      expect(report.skipped.map(({ path }) => path).sort()).toEqual([
        "agents/main/agent/models.json",
        "cron/jobs.json",
        "exec-approvals.json",
      ]);
      expect(report.warnings).toEqual([]);
      expect(contentOf(home.state, own)).toEqual(before);
      for (const path of [
        "devices/paired.json",
        "agents/main/sessions/sessions.json",
        "agents/main/sessions/fixture-1.jsonl",
      ]) {
        expect(readFileSync(join(report.backup ?? "", path))).toEqual(readFileSync(join(home.state, path)));
      }
      expect(statSync(report.backup ?? "").mode & 0o777).toBe(0o700);
      const again = await moveIn(home);
      expect(again).toMatchObject({
        taken: { sessions: 0, earlier: 0, entries: 0, devices: 0 },
        before: 5,
        warnings: [],
      });
      expect(readdirSync(join(home.state, "backups"))).toHaveLength(1);
    }));

  test("shows its conversations in the gateway", () =>
    withHome(async (home) => {
      copyRecordedState(home.state);
      await moveIn(home);
      const gateway = await openGateway({ home });
      try {
        const client = await gateway.connect();
        const listed = await client.call("sessions.list", { includeDerivedTitles: true });
        expect(listed.sessions).toMatchObject([
          {
            key: "agent:main:main",
            lastChannel: "webchat",
            model: "mock-1",
            totalTokens: 10,
            updatedAt: 1_795_205_362_154,
          },
          { key: "agent:main:fixture-label", label: "Fixture" },
        ]);
        const history = await client.call("chat.history", { sessionKey: "main" });
        expect(JSON.stringify(history.messages)).toContain("Remember the blue key.");
        expect(history.messages).toHaveLength(4);
        const devices = await client.call("device.pair.list", {});
        expect(devices.paired).toMatchObject([{ displayName: "Fixture node", roles: ["operator", "node"] }]);
        expect(JSON.stringify(devices)).not.toContain("f191fac1f588404c84cd3cee6c2962c3");
        await client.close();
      } finally {
        await gateway.stop();
      }
    }));

  test("is announced by a start until it was imported", () =>
    withHome(async (home) => {
      copyRecordedState(home.state);
      const start = async () => {
        const gateway = await openGateway({ home });
        await gateway.stop();
        return gateway.log.filter((line) => line.includes("openclaw sessions import"));
      };
      expect(await start()).toHaveLength(1);
      await moveIn(home);
      expect(await start()).toEqual([]);
    }));
});

test("a client paired with 2026.2 connects with its old token, and a removed device does not come back", () =>
  withHome(async (home) => {
    const [device, other] = [makeDevice(), makeDevice()];
    const deviceToken = randomBytes(16).toString("hex");
    const scopes = ["operator.admin", "operator.approvals", "operator.pairing"];
    pairOldDevice(home.state, device, deviceToken, scopes);
    expect((await moveIn(home)).taken).toMatchObject({ devices: 1, tokens: 1 });
    const first = await openGateway({ home });
    try {
      const client = await Wire.connect(first.url, { device, deviceToken, scopes }, remote);
      expect(client.hello.auth).toMatchObject({ deviceToken, role: "operator" });
      await client.close();
      await expect(Wire.connect(first.url, { device: other, deviceToken, scopes }, remote)).rejects.toThrow();
      const admin = await first.connect({ scopes });
      await admin.call("device.pair.remove", { deviceId: device.id });
      await admin.close();
    } finally {
      await first.stop();
    }
    expect(await moveIn(home)).toMatchObject({ taken: { devices: 0 }, before: 1 });
    const second = await openGateway({ home });
    try {
      await expect(Wire.connect(second.url, { device, deviceToken, scopes }, remote)).rejects.toThrow();
    } finally {
      await second.stop();
    }
  }));

test("while a gateway runs, import and export are refused with its name and the command that stops it", () =>
  withHome(async (home) => {
    copyRecordedState(home.state);
    const gateway = await openGateway({ home });
    try {
      const out = join(home.path, "out");
      for (const refused of [moveIn(home), exportSessions({ keys: "all", out }, systemWorld(home.env))]) {
        await expect(refused).rejects.toThrow(
          new RegExp(
            `A gateway is running \\(pid ${gateway.world.pid}, .*:${gateway.port}.*openclaw gateway stop`,
            "su",
          ),
        );
      }
      expect(existsSync(join(home.state, "backups"))).toBe(false);
      expect(existsSync(out)).toBe(false);
      // A dry run needs no lock.
      expect((await moveIn(home, { dryRun: true })).taken.sessions).toBe(2);
    } finally {
      await gateway.stop();
    }
  }));

test("a dry run changes nothing", () =>
  withHome(async (home) => {
    copyRecordedState(home.state);
    const before = contentOf(home.state);
    const report = await moveIn(home, { dryRun: true });
    expect(report).toMatchObject({ dryRun: true, taken: { sessions: 2, earlier: 1, entries: 12, devices: 1 } });
    expect(report.backup).toBeUndefined();
    expect(contentOf(home.state)).toEqual(before);
  }));

test("torn lines are reported by number, links are not followed, and what is no state is refused", () =>
  withHome(async (home) => {
    copyRecordedState(home.state);
    const sessions = join(home.state, "agents", "main", "sessions");
    writeFileSync(join(home.path, "secret.jsonl"), '{"type":"session","version":3,"id":"secret"}\n');
    symlinkSync(join(home.path, "secret.jsonl"), join(sessions, "linked.jsonl"));
    mkdirSync(join(sessions, "folder.jsonl"));
    const whole = readFileSync(join(sessions, "fixture-1.jsonl"), "utf8");
    writeFileSync(join(sessions, "fixture-1.jsonl"), `${whole}{"type":"message","id":"tor`);
    const report = await moveIn(home);
    expect(report.warnings).toEqual(["agents/main/sessions/fixture-1.jsonl line 7: not JSON"]);
    expect(report.taken.entries).toBe(12);
    expect(report.skipped).toContainEqual({
      path: "agents/main/sessions/linked.jsonl",
      reason: "a link; links are not followed",
    });
    expect(report.skipped).toContainEqual({ path: "agents/main/sessions/folder.jsonl", reason: "not a file" });
    await expect(moveIn(home, { from: "nowhere" })).rejects.toThrow("does not exist");
    mkdirSync(join(home.path, "empty"));
    await expect(moveIn(home, { from: "empty" })).rejects.toThrow("holds no OpenClaw state");
    await expect(moveIn(home, { key: "main" })).rejects.toThrow("single transcript");
  }));

test("an import that is killed at any time goes on and ends with the same rows", async () => {
  const seed = Number(process.env.OPENCLAW_TEST_SEED ?? 20_261_121);
  const random = seededRandom(seed);
  const [whole, broken] = [makeHome(), makeHome()];
  try {
    for (const home of [whole, broken]) {
      makeOldState(home.state, { sessions: 400 });
      pairOldDevice(home.state, makeDevice("01".repeat(32)), "a".repeat(32), ["operator.admin"]);
    }
    const before = contentOf(broken.state);
    const began = performance.now();
    await moveIn(whole);
    const takesMs = performance.now() - began;
    let [kills, end]: [number, number | string] = [0, "none"];
    while (kills < 3 && end !== 0) {
      // The first one early: on a busy machine one import takes a multiple of the other.
      const afterMs = (random() * takesMs) / (kills === 0 ? 12 : 2);
      ({ end } = await command(broken, ["sessions", "import"], (kill) => killDuring(broken.state, afterMs, kill)));
      if (end === "SIGKILL") kills++;
    }
    expect([0, "SIGKILL"]).toContain(end);
    expect(kills).toBeGreaterThan(0);
    await moveIn(broken);
    expect(importedRows(broken.state), `seed ${seed}, ${kills} kills`).toEqual(importedRows(whole.state));
    expect(contentOf(broken.state, own)).toEqual(before);
    const backups = readdirSync(join(broken.state, "backups"));
    expect(backups.filter((name) => name.endsWith(".partial"))).toEqual([]);
  } finally {
    whole.remove();
    broken.remove();
  }
}, 60_000);

test("what is exported and imported into a fresh home is the same", async () => {
  const [from, to] = [makeHome(), makeHome()];
  try {
    copyRecordedState(from.state);
    await moveIn(from);
    const out = join(from.path, "out");
    const exported = await command(from, ["sessions", "export", "--all", "--out", out, "--json"]);
    expect(JSON.parse(exported.stdout)).toMatchObject({ ok: true, sessions: 2, earlier: 1, entries: 12 });
    for (const path of ["agents/main/sessions/sessions.json", "agents/main/sessions/fixture-1.jsonl"]) {
      expect(statSync(join(out, path)).mode & 0o777).toBe(0o600);
    }
    const imported = await command(to, ["sessions", "import", out, "--json"]);
    expect(JSON.parse(imported.stdout)).toMatchObject({
      ok: true,
      taken: { sessions: 2, earlier: 1, entries: 12 },
      skipped: [],
    });
    const rows = (home: Home) => {
      const { sessions, entries, usage } = importedRows(home.state) as Record<string, { json?: string }[]>;
      return {
        sessions: sessions?.map(({ json, ...row }) => ({ ...row, entry: JSON.parse(json ?? "") as unknown })),
        entries,
        usage,
      };
    };
    expect(rows(to)).toEqual(rows(from));
    const again = await command(from, ["sessions", "export", "--all", "--out", out]);
    expect(again).toMatchObject({ end: 1, stdout: "" });
    expect(again.stderr).toContain("is not empty");
  } finally {
    from.remove();
    to.remove();
  }
});

test("one transcript goes out to stdout and comes in as a file", () =>
  withHome(async (home) => {
    copyRecordedState(home.state);
    await moveIn(home);
    const { stdout } = await command(home, ["sessions", "export", "main"]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(8);
    const unknown = await command(home, ["sessions", "export", "nobody"]);
    expect(unknown).toMatchObject({ end: 1, stdout: "", stderr: "No session found: nobody\n" });
    const file = join(home.path, "main.jsonl");
    writeFileSync(file, stdout);
    rmSync(join(home.state, "openclaw.db"));
    const report = await moveIn(home, { from: file, key: "copy" });
    expect(report.taken).toMatchObject({ sessions: 1, entries: 7 });
    const { sessions } = importedRows(home.state) as { sessions: { key: string }[] };
    expect(sessions.map(({ key }) => key)).toEqual(["agent:main:copy"]);
  }));
