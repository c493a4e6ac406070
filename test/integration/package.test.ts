/** What `npm pack` makes of the gateway is all that is needed: installed for everybody in an empty home, it sets up, serves, answers
 *  a turn and tells its status. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../support/process.ts";
import { root } from "../../scripts/root.ts";
import { stagePackage } from "../../scripts/package.ts";

/** Without optional parts. */
const maxInstalledBytes = 15 * 1024 * 1024;

const temp = mkdtempSync(join(tmpdir(), "openclaw-package-"));
const prefix = join(temp, "prefix");
const home = join(temp, "home");
const env = {
  HOME: home,
  TMPDIR: temp,
  // The Node that runs this test, then what npm itself needs.
  PATH: [join(prefix, "bin"), dirname(process.execPath), process.env.PATH ?? ""].join(":"),
  NO_COLOR: "1",
  npm_config_cache: join(temp, "cache"),
  npm_config_update_notifier: "false",
};
let gateway: ChildProcess | undefined;

function run(
  command: string,
  args: string[],
  more: Record<string, string> = {},
): { code: number | null; out: string; err: string } {
  const ran = spawnSync(command, args, { cwd: temp, env: { ...env, ...more }, encoding: "utf8", timeout: 60_000 });
  return { code: ran.status, out: ran.stdout, err: ran.stderr };
}

beforeAll(() => {
  mkdirSync(home);
  mkdirSync(prefix);
  const staged = join(temp, "staged");
  stagePackage(staged);
  const packed = run("npm", ["pack", staged, "--pack-destination", temp, "--json"]);
  expect({ ...packed, out: "" }).toMatchObject({ code: 0 });
  const tarball = join(temp, readdirSync(temp).find((name) => name.endsWith(".tgz")) ?? "missing");
  const installed = run("npm", [
    "install",
    "-g",
    "--prefix",
    prefix,
    "--omit=optional",
    "--offline",
    "--no-audit",
    "--no-fund",
    tarball,
  ]);
  expect(installed).toMatchObject({ code: 0 });
}, 120_000);
afterAll(async () => {
  if (gateway && gateway.exitCode === null) {
    const gone = new Promise((resolve) => gateway?.once("exit", resolve));
    gateway.kill("SIGTERM");
    await gone;
  }
  rmSync(temp, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
});

function bytesOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesOf(path) : lstatSync(path).size);
  }, 0);
}

test("one package is installed, without sources or tests, and it is small", () => {
  const modules = join(prefix, "lib", "node_modules");
  expect(readdirSync(modules)).toEqual(["@openclaw"]);
  const folder = join(modules, "@openclaw", "gateway");
  expect(
    readdirSync(folder)
      .filter((name) => name !== "node_modules")
      .sort(),
  ).toEqual(["bin", "dist", "package.json"]);
  expect(bytesOf(prefix)).toBeLessThan(maxInstalledBytes);
});

test("it sets up, serves, answers a turn and tells its status", async () => {
  expect(run("openclaw", ["--version"]).out).toMatch(/^\d+\.\d+\.\d+\n$/u);
  expect(run("openclaw", ["setup", "--non-interactive"])).toMatchObject({ code: 0 });
  const port = String(await freePort());
  gateway = spawn("openclaw", ["gateway", "--port", port], { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      output += String(chunk);
      if (output.includes(`:${port} (PID`)) resolve();
    };
    gateway?.stdout?.on("data", hear);
    gateway?.stderr?.on("data", hear);
    gateway?.once("exit", () => reject(new Error(`it ended:\n${output}`)));
  });
  const at = { OPENCLAW_GATEWAY_PORT: port };
  const turn = run("openclaw", ["agent", "--agent", "main", "--message", "hello from the package", "--json"], at);
  expect(turn).toMatchObject({ code: 0 });
  expect(turn.out).toContain("hello from the package");
  const status = run("openclaw", ["gateway", "status", "--json"], at);
  expect(status).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse(status.out)).toMatchObject({ rpc: { ok: true } });
});

const canUnshare = process.platform === "linux" && process.getuid?.() === 0;

/** What the image does, without an engine: PID 1, another account, nothing writable but a volume and a temporary folder, and of
 *  settings only a token (R-CON-1, R-CON-3). */
test.skipIf(!canUnshare)(
  "it serves as PID 1 of a container with a volume and a token, and stops at SIGTERM",
  async () => {
    const image = readFileSync(join(root, "Dockerfile"), "utf8");
    const words = (/^CMD (\[.*\])$/mu.exec(image)?.[1] ?? "[]") as string;
    const [data, scratch] = [join(temp, "data"), join(temp, "scratch")];
    for (const folder of [data, scratch]) mkdirSync(folder);
    chownSync(data, 1000, 1000);
    chmodSync(temp, 0o755);
    const port = String(await freePort());
    const script = `mount --bind ${data} ${data} && mount -t tmpfs -o mode=1777 tmpfs ${scratch} && mount -o remount,bind,ro / && exec setpriv --reuid=1000 --regid=1000 --clear-groups openclaw "$@"`;
    const began = performance.now();
    const child = spawn(
      "unshare",
      [
        "--mount",
        "--propagation",
        "private",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "sh",
        "-c",
        script,
        "sh",
        ...(JSON.parse(words) as string[]),
        "--port",
        port,
      ],
      {
        cwd: data,
        env: {
          ...env,
          HOME: data,
          TMPDIR: scratch,
          OPENCLAW_STATE_DIR: join(data, ".openclaw"),
          OPENCLAW_GATEWAY_TOKEN: "token-of-the-container-0123456789",
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let output = "";
    const exited = new Promise<number | string | null>((resolve) =>
      child.once("exit", (code, signal) => resolve(code ?? signal)),
    );
    try {
      await new Promise<void>((resolve, reject) => {
        const hear = (chunk: Buffer) => {
          output += String(chunk);
          if (output.includes(`:${port} (PID 1)`)) resolve();
        };
        child.stdout.on("data", hear);
        child.stderr.on("data", hear);
        child.once("exit", () => reject(new Error(`it ended:\n${output}`)));
      });
      expect(performance.now() - began).toBeLessThan(10_000);
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
      const turn = run("openclaw", ["agent", "--agent", "main", "--message", "in a box", "--json"], {
        OPENCLAW_GATEWAY_PORT: port,
        OPENCLAW_GATEWAY_TOKEN: "token-of-the-container-0123456789",
      });
      expect(turn.out).toContain("in a box");
      expect(lstatSync(join(data, ".openclaw")).uid).toBe(1000);
      // Signals reach PID 1 of a namespace from outside by its number there.
      const [inside = ""] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
      process.kill(Number(inside), "SIGTERM");
      expect(await exited).toBe(0);
    } finally {
      child.kill("SIGKILL");
    }
  },
);
