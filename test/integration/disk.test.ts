/** A disk without room and a config somebody else owns, for real: a small file system in memory, and a process without rights.
 *  Both need the superuser, who runs the proof of every push; without him these tests fail instead of claiming anything. */
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { moveToTrash } from "../../packages/gateway/src/assembly/trash.ts";
import { systemWorld } from "../../packages/gateway/src/kernel/world.ts";
import { configFile, hashOf, readText } from "../support/config-file.ts";
import { freePort, makeHome, runCli, startGateway, token, type Home, type Ran } from "../support/process.ts";
import { Wire } from "../support/wire.ts";

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0).toReversed()) step();
});

/** A home on a file system of its own. */
function smallHome(kilobytes: number, config: Record<string, unknown> = {}): Home {
  const home = makeHome(config);
  undo.push(() => home.remove());
  const text = readText(home);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k,mode=700`, "openclaw-test", home.path]);
  undo.push(() => {
    for (const child of home.children) child.kill("SIGKILL");
    execFileSync("umount", ["--lazy", home.path]);
  });
  mkdirSync(home.state, { mode: 0o700 });
  writeFileSync(configFile(home), text, { mode: 0o600 });
  return home;
}

const ballast = (home: Home) => join(home.path, "ballast");
/** Takes the last free byte. */
function fill(home: Home): void {
  for (const chunk of [65_536, 4_096, 1]) {
    for (;;) {
      try {
        writeFileSync(ballast(home), Buffer.alloc(chunk), { flag: "a" });
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
        break;
      }
    }
  }
  expect(statfsSync(home.path).bavail).toBe(0);
}
const free = (home: Home) => rmSync(ballast(home));
/** Everything that lies in the state directory, but not what a gateway writes all the time. */
const listing = (home: Home) =>
  readdirSync(home.state)
    .filter((name) => !/db|log|status|boots/u.test(name))
    .sort();

const full = /cannot be written \(ENOSPC\).*The disk is full: free some space and try again\./su;

test("on a disk of one megabyte that is full every config command says so, ends with 1, and changes nothing", async () => {
  const home = smallHome(1_024);
  const set = ["config", "set", "agents.defaults.timeoutSeconds"];
  expect(await runCli(home, [...set, "700"])).toMatchObject({ code: 0 });
  const before = readText(home);
  const files = listing(home);
  fill(home);
  const lines = [
    [...set, "800"],
    [...set, "800", "--json"],
    ["config", "unset", "agents.defaults.timeoutSeconds"],
    ["config", "restore", "2"],
    ["models", "set", "openai/gpt-5"],
  ];
  for (const line of lines) {
    const { code, stdout, stderr } = await runCli(home, line);
    expect({ line, code }).toEqual({ line, code: 1 });
    expect(stdout + stderr).toMatch(full);
    expect(readText(home)).toBe(before);
    expect(listing(home)).toEqual(files);
  }
  // Reading goes on.
  expect(await runCli(home, ["config", "get", "agents.defaults.timeoutSeconds"])).toMatchObject({
    code: 0,
    stdout: "700\n",
  });
  expect((await runCli(home, ["doctor"])).stdout).toContain("Free some space");
  free(home);
  expect(await runCli(home, [...set, "800"])).toMatchObject({ code: 0 });
  expect(readText(home)).toBe(before.replace("700", "800"));
}, 60_000);

test("a gateway whose disk is full refuses what it cannot keep, answers all else, and goes on by itself once there is room", async () => {
  const home = smallHome(4_096);
  const gateway = await startGateway(home);
  const wire = await Wire.connect(gateway.url, { token });
  const say = (message: string) => wire.final("agent", { message, sessionKey: "main", idempotencyKey: message });
  expect(await say("kept")).toMatchObject({ ok: true });
  const before = readText(home);
  fill(home);
  const raw = before.replace('"agents":{', '"agents":{"list":[{"id":"main"}],');
  expect(raw).not.toBe(before);
  const set = () => wire.request("config.set", { raw, baseHash: hashOf(before) });
  const refused = await set();
  expect(refused).toMatchObject({ ok: false, error: { code: "UNAVAILABLE" } });
  expect(refused.error?.message).toMatch(full);
  expect(await runCli(home, ["config", "set", "agents.defaults.timeoutSeconds", "800"])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(full) as string,
  });
  expect(await say("lost ".repeat(20_000))).toMatchObject({
    ok: false,
    error: {
      code: "UNAVAILABLE",
      details: { code: "DISK_FULL" },
      message: expect.stringContaining("Free some space") as string,
    },
  });
  expect(readText(home)).toBe(before);
  expect(await wire.call("health", {})).toMatchObject({ ok: true });
  expect(JSON.stringify(await wire.call("chat.history", { sessionKey: "main" }))).toContain("kept");
  free(home);
  expect(await set()).toMatchObject({ ok: true });
  await expect.poll(async () => (await say("again")).ok, { timeout: 10_000 }).toBe(true);
  const history = JSON.stringify(await wire.call("chat.history", { sessionKey: "main" }));
  expect(history).toContain("kept");
  expect(history).toContain("again");
  expect(history).not.toContain("lost lost");
  expect(await gateway.stop()).toBe(0);
}, 60_000);

test("a start on a full disk ends with 1 and names disk and next step, without a stack", async () => {
  const home = smallHome(1_024);
  fill(home);
  const { code, stdout, stderr } = await runCli(home, ["gateway", "--port", String(await freePort())]);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /Gateway failed to start: The store \S+openclaw\.db cannot be opened: the disk is full\. .*Free some space, then start again\./u,
  );
  expect(stdout + stderr).not.toMatch(/\n\s+at /u);
}, 30_000);

/** A copy of the built program that everybody can reach: the checkout may be closed to others. */
let program: string;
beforeAll(() => {
  program = mkdtempSync(join(tmpdir(), "openclaw-open-"));
  cpSync(join(import.meta.dirname, "../../packages/gateway/dist"), program, { recursive: true });
  writeFileSync(join(program, "package.json"), '{"type":"module"}');
  execFileSync("chmod", ["-R", "a+rX", program]);
});
afterAll(() => rmSync(program, { recursive: true, force: true }));

/** Runs it as a user without rights. */
async function asNobody(home: Home, args: string[]): Promise<Ran> {
  const drop = "process.setgroups([]);process.setgid(65534);process.setuid(65534)";
  const child = spawn(
    process.execPath,
    ["--import", `data:text/javascript,${drop}`, join(program, "main.js"), ...args],
    { cwd: home.path, env: home.env, stdio: ["ignore", "pipe", "pipe"] },
  );
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | string>((resolve) =>
    child.once("close", (status, signal) => resolve(status ?? signal ?? "unknown")),
  );
  return { code, stdout, stderr };
}

/** Owned by the user without rights, except what `foreign` names. */
function nobodysHome(foreign: (home: Home) => void): Home {
  const home = makeHome();
  undo.push(() => home.remove());
  for (const path of [home.path, home.state, configFile(home)]) chownSync(path, 65_534, 65_534);
  foreign(home);
  return home;
}

test.each<[string, (home: Home) => void, RegExp]>([
  [
    "a config file that is read-only",
    (home) => chmodSync(configFile(home), 0o400),
    /openclaw\.json is read-only for this user \(EACCES\)\. Nothing was written\. Run this as its owner/u,
  ],
  [
    "a config file of somebody else",
    (home) => {
      chownSync(configFile(home), 0, 0);
      chmodSync(configFile(home), 0o644);
    },
    /openclaw\.json is read-only for this user \(EACCES\)\. Nothing was written\. Run this as its owner/u,
  ],
  [
    "a state directory of somebody else",
    (home) => {
      chownSync(home.state, 0, 0);
      chmodSync(home.state, 0o755);
    },
    /\.openclaw cannot be written \(EACCES\)\. Nothing was changed\. Run this as its owner/u,
  ],
])(
  "%s stays as it is for a user without rights, who is told why and what to do",
  async (_, foreign, told) => {
    const home = nobodysHome(foreign);
    const before = readText(home);
    const files = readdirSync(home.state).sort();
    for (const line of [
      ["config", "set", "agents.defaults.timeoutSeconds", "800"],
      ["config", "unset", "gateway.mode"],
    ]) {
      const { code, stderr } = await asNobody(home, line);
      expect({ line, code }).toEqual({ line, code: 1 });
      expect(stderr).toMatch(told);
    }
    expect(readText(home)).toBe(before);
    expect(readdirSync(home.state).sort()).toEqual(files);
    expect(await asNobody(home, ["config", "get", "gateway.mode"])).toMatchObject({ code: 0, stdout: "local\n" });
    expect(readFileSync(configFile(home), "utf8")).toBe(before);
  },
  30_000,
);

test("what does not fit into the trash of another file system stays where it was, and leaves nothing half there", () => {
  const home = smallHome(64);
  const elsewhere = mkdtempSync(join(tmpdir(), "openclaw-large-"));
  undo.push(() => rmSync(elsewhere, { recursive: true, force: true }));
  const path = join(elsewhere, "state");
  mkdirSync(path);
  for (let n = 0; n < 10; n++) writeFileSync(join(path, `part-${n}`), Buffer.alloc(16_384, n));
  const trash = join(home.path, ".local/share/Trash");
  for (const part of ["files", "info"]) mkdirSync(join(trash, part), { recursive: true });
  const world = systemWorld({ HOME: home.path });
  expect(() => moveToTrash(path, { ...world, platform: "linux" })).toThrow(
    `${path} cannot be moved to ${join(trash, "files")} (ENOSPC). Nothing was removed.`,
  );
  expect(readdirSync(path)).toHaveLength(10);
  expect([...readdirSync(join(trash, "files")), ...readdirSync(join(trash, "info"))]).toEqual([]);
});
