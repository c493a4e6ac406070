/** `--force` (lifecycle.md §5.2): real listeners, the real lsof, and scripted ones for what cannot be arranged. */
import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort as freeThePort } from "../../packages/gateway/src/assembly/force.ts";
import { createLogger } from "../../packages/gateway/src/kernel/log.ts";
import { systemWorld, type World } from "../../packages/gateway/src/kernel/world.ts";
import { freePort, makeHome, runCli, startGateway, type Home } from "../support/process.ts";

let home: Home;
let folder: string;
let started: ChildProcess[];
beforeEach(() => {
  home = makeHome();
  folder = mkdtempSync(join(tmpdir(), "openclaw-force-"));
  started = [];
});
afterEach(() => {
  for (const child of started) child.kill("SIGKILL");
  home.remove();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
});

interface Listening {
  child: ChildProcess;
  pid: number;
  exited: Promise<string>;
}

/** A process of its own that listens. */
async function listener(
  port: number,
  options: { host?: string; stubborn?: boolean; uid?: number } = {},
): Promise<Listening> {
  const script = `
    ${options.stubborn ? "process.on('SIGTERM', () => {});" : ""}
    require("node:net").createServer().listen(${port}, ${JSON.stringify(options.host ?? "127.0.0.1")}, () => console.log("up"));`;
  const child = spawn(process.execPath, ["-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
  });
  started.push(child);
  const exited = new Promise<string>((resolve) =>
    child.once("exit", (code, signal) => resolve(signal ?? String(code))),
  );
  await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
  return { child, pid: child.pid ?? 0, exited };
}

/** The rooms of `--force` alone, as if a process of another family asked. */
async function force(
  port: number,
  options: { world?: Partial<World>; lsof?: string; kill?: (pid: number, signal: NodeJS.Signals) => void } = {},
): Promise<string[]> {
  const lines: string[] = [];
  const world: World = { ...systemWorld(), pid: 4_000_000, ...options.world };
  const log = createLogger({
    subsystem: "gateway",
    sinks: [(line) => lines.push(`${line.level} ${line.message}`)],
    now: world.now,
  });
  await freeThePort({
    port,
    world,
    log,
    ...(options.lsof ? { places: [options.lsof] } : {}),
    ...(options.kill ? { kill: options.kill } : {}),
  }).catch((error: Error) => {
    lines.push(`refused ${error.message}`);
  });
  return lines;
}

/** An executable that says what the test wants. */
function scripted(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

test("a stranger on the port is stopped, named, and the gateway starts", async () => {
  const port = await freePort();
  const stranger = await listener(port);
  const gateway = await startGateway(home, { port, args: ["--force"] });
  expect(await stranger.exited).toBe("SIGTERM");
  expect(gateway.output()).toContain(`force: killed pid ${stranger.pid} (`);
  expect(gateway.output()).toContain(` on port ${port}`);
  expect(gateway.output()).toMatch(/force: waited \d+ms for port \d+ to free/u);
  expect(await gateway.stop()).toBe(0);
});

test("our own gateway of the same state directory ends cleanly and the new one takes over", async () => {
  const port = await freePort();
  const first = await startGateway(home, { port });
  const second = await startGateway(home, { port, args: ["--force"] });
  expect(await first.exited).toBe(0);
  expect(second.output()).toContain(`force: killed pid ${first.pid} (`);
  expect(await second.stop()).toBe(0);
});

test("a free port is said to be free", async () => {
  const port = await freePort();
  const gateway = await startGateway(home, { port, args: ["--force"] });
  expect(gateway.output()).toContain(`force: no listeners on port ${port}`);
  expect(await gateway.stop()).toBe(0);
});

test("a gateway of this state directory on another port is reported, not stopped", async () => {
  const first = await startGateway(home);
  const ran = await runCli(home, ["gateway", "--port", String(await freePort()), "--force"]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(`gateway already running (pid ${first.pid}`);
  expect(first.child.exitCode).toBe(null);
  expect(await first.stop()).toBe(0);
});

test("without lsof nothing is touched and the exit is 1", async () => {
  const port = await freePort();
  const stranger = await listener(port);
  const lines = await force(port, { world: { env: { PATH: folder } }, lsof: join(folder, "none") });
  expect(lines).toEqual(["refused Force: Error: lsof not found; required for --force"]);
  expect(stranger.child.exitCode).toBe(null);
});

test("an lsof that fails is fatal, and says what it said", async () => {
  const lsof = scripted("lsof", 'echo "lsof: no pwd entry" >&2; exit 2');
  expect(await force(1, { lsof })).toEqual(["refused Force: Error: lsof failed (exit 2): lsof: no pwd entry"]);
});

test("lsof is called exactly as documented, and found on PATH last", async () => {
  scripted("lsof", `echo "$@" > ${folder}/asked; exit 1`);
  const lines = await force(4242, { lsof: join(folder, "none"), world: { env: { PATH: folder } } });
  expect(lines).toEqual(["info force: no listeners on port 4242"]);
  expect(readFileSync(join(folder, "asked"), "utf8")).toBe("-nP -iTCP:4242 -sTCP:LISTEN -FpFc\n");
});

test("two listeners of one port, one of them on IPv6 only, both go", async () => {
  const port = await freePort();
  const [one, two] = [await listener(port), await listener(port, { host: "::1" })];
  const lines = await force(port);
  expect(await Promise.all([one.exited, two.exited])).toEqual(["SIGTERM", "SIGTERM"]);
  for (const { pid } of [one, two]) expect(lines.filter((line) => line.includes(`killed pid ${pid} `))).toHaveLength(1);
});

test("one that ignores SIGTERM is killed after 700 ms, within the two seconds", async () => {
  const port = await freePort();
  const stubborn = await listener(port, { stubborn: true });
  const began = performance.now();
  const lines = await force(port);
  expect(await stubborn.exited).toBe("SIGKILL");
  expect(lines).toContain(`warn force: escalated to SIGKILL while freeing port ${port}`);
  expect(performance.now() - began).toBeGreaterThan(650);
  expect(lines.at(-1)).toMatch(/^info force: waited \d+ms for port \d+ to free$/u);
});

test("a port that stays busy ends the start with the pids", async () => {
  const port = await freePort();
  const stubborn = await listener(port, { stubborn: true });
  const sent: string[] = [];
  const lines = await force(port, { kill: (pid, signal) => void sent.push(`${signal} ${pid}`) });
  expect(sent).toEqual([`SIGTERM ${stubborn.pid}`, `SIGKILL ${stubborn.pid}`]);
  expect(lines.at(-1)).toBe(`refused Force: Error: port ${port} still has listeners after --force: ${stubborn.pid}`);
});

test("this process, its ancestors and its children are never stopped", async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const sent: number[] = [];
  const kill = (pid: number) => void sent.push(pid);
  expect((await force(port, { world: { pid: process.pid }, kill })).at(-1)).toContain(`(pid ${process.pid}, `);
  server.close();
  const child = await listener(await freePort());
  const lsof = scripted("lsof", `printf 'p${child.pid}\\ncnode\\n'`);
  expect((await force(1, { world: { pid: process.pid }, kill, lsof })).at(-1)).toContain("one of its family");
  expect(sent).toEqual([]);
});

test("another user's process is named, not stopped", async () => {
  const port = await freePort();
  // Another uid needs root; elsewhere the same is told by a scripted ps.
  const other = process.getuid?.() === 0 ? await listener(port, { uid: 65_534 }) : await listener(port);
  const path = process.getuid?.() === 0 ? process.env.PATH : `${folder}:${process.env.PATH}`;
  if (process.getuid?.() !== 0) scripted("ps", 'case "$*" in *uid=*) echo "0 root";; *) exec /bin/ps "$@";; esac');
  const env = { ...process.env, PATH: path ?? "" };
  const spawnIn: World["spawn"] = (command, args, options) => spawn(command, [...args], { ...options, env });
  const lines = await force(port, { world: { env, spawn: spawnIn } });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(
    `refused Force: Error: port ${port} is held by another user's process (pid ${other.pid}, `,
  );
  expect(other.child.exitCode).toBe(null);
});

test("a pid that was given to another process meanwhile gets no signal", async () => {
  const bystander = await listener(await freePort());
  const lsof = scripted(
    "lsof",
    `if [ -e ${folder}/twice ]; then exit 1; fi; touch ${folder}/twice; printf 'p${bystander.pid}\\ncnode\\n'`,
  );
  // The start time that was remembered differs from the one seen before the signal.
  scripted("ps", `case "$*" in *lstart*) date +%N;; *uid=*) echo "${process.getuid?.()} me";; esac`);
  const env = { PATH: `${folder}:${process.env.PATH}` };
  const spawnIn: World["spawn"] = (command, args, options) => spawn(command, [...args], { ...options, env });
  const sent: number[] = [];
  const lines = await force(1, {
    lsof,
    world: { platform: "darwin", env, spawn: spawnIn },
    kill: (pid) => void sent.push(pid),
  });
  expect(sent).toEqual([]);
  expect(lines.filter((line) => line.includes("killed"))).toEqual([]);
});
