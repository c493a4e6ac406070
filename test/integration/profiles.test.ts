/** Profiles and the development profile (lifecycle.md §13): several gateways of one person side by side, each in its own place. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { spawn, type ChildProcess } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { compileCache, freePort, launcher, runCli, type Home } from "../support/process.ts";

/** A person's home without any gateway in it. */
let home: Home;
const running: ChildProcess[] = [];
beforeEach(() => {
  const path = mkdtempSync(join(tmpdir(), "openclaw-profiles-"));
  const env = { PATH: process.env.PATH ?? "", HOME: path, TMPDIR: path, NO_COLOR: "1", ...compileCache };
  home = {
    path,
    state: join(path, ".openclaw"),
    env,
    children: new Set(),
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  };
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(stop));
  home.remove();
});

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

/** Starts a gateway with these words and resolves with its output once it listens. */
function start(words: string, env: Record<string, string> = {}): Promise<{ child: ChildProcess; output: string }> {
  const child = spawn(launcher, words.split(" "), {
    cwd: home.path,
    env: { ...home.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  let output = "";
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      output += String(chunk);
      if (/talk to it: .*\n/u.test(output)) resolve({ child, output });
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("exit", (code) => reject(new Error(`ended before it listened (${code}):\n${output}`)));
  });
}

const at = (...parts: string[]) => join(home.path, ...parts);
const parsed = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
const run = (words: string, env: Record<string, string> = {}) => runCli(home, words.split(" "), { env });

test("main, rescue and dev run at once, each with its own port, state, workspace, token and log", async () => {
  const ports = [await freePort(), await freePort(), await freePort()].map(String);
  const profiles = [
    ["", ".openclaw", "workspace", "openclaw-2"],
    ["--profile rescue ", ".openclaw-rescue", "workspace-rescue", "openclaw-rescue-2"],
    ["--dev ", ".openclaw-dev", "workspace-dev", "openclaw-dev-2"],
  ] as const;
  for (const [flags] of profiles) expect((await run(`${flags}setup`)).code).toBe(0);
  const outputs = await Promise.all(profiles.map(([flags], i) => start(`${flags}gateway --port ${ports[i]}`)));

  const tokens = new Set<unknown>();
  for (const [i, [flags, state, workspace, log]] of profiles.entries()) {
    expect(existsSync(at(state, "openclaw.db"))).toBe(true);
    expect(existsSync(at(".openclaw", workspace, "AGENTS.md"))).toBe(true);
    const config = parsed(at(state, "openclaw.json")) as { gateway: { auth: { token: string } } };
    tokens.add(config.gateway.auth.token);
    // Each command line reaches its own gateway, and the suggestions name the profile.
    const health = await run(`${flags}gateway call health --json`, { OPENCLAW_GATEWAY_PORT: ports[i] ?? "" });
    expect([health.stderr, health.code]).toEqual(["", 0]);
    expect(outputs[i]?.output).toContain(`talk to it: openclaw ${flags}agent `);
    const logs = readdirSync(at("openclaw")).filter((name) => name.startsWith(log));
    expect(logs).toHaveLength(1);
    const lines = readFileSync(at("openclaw", logs[0] ?? ""), "utf8");
    expect(lines).toContain(`listening on ws://127.0.0.1:${ports[i]}`);
    for (const other of ports) if (other !== ports[i]) expect(lines).not.toContain(`:${other}`);
  }
  expect(readdirSync(at("openclaw"))).toHaveLength(3);
  expect(tokens.size).toBe(3);
  // The token of one profile opens no other.
  const wrong = await run("--profile rescue gateway call health", { OPENCLAW_GATEWAY_PORT: ports[0] ?? "" });
  expect(wrong.stderr).toContain("unauthorized: gateway token mismatch");
  // Stopping one leaves the others alone.
  await stop(running[1] as ChildProcess);
  expect((await run("--dev gateway call health --json", { OPENCLAW_GATEWAY_PORT: ports[2] ?? "" })).code).toBe(0);
  expect((await run("gateway call health --json", { OPENCLAW_GATEWAY_PORT: ports[0] ?? "" })).code).toBe(0);
});

test("--dev gateway --dev makes a config and a workspace, and leaves the main profile alone", async () => {
  const port = String(await freePort());
  const { output, child } = await start("--dev gateway --dev --verbose", { OPENCLAW_GATEWAY_PORT: port });
  expect(output).toContain("Dev config ready: ~/.openclaw-dev/openclaw.json\n");
  expect(output).toContain("Dev workspace ready: ~/.openclaw/workspace-dev\n");
  expect(output).toContain(`browser ${Number(port) + 2}, canvas ${Number(port) + 4}`);
  const file = at(".openclaw-dev", "openclaw.json");
  expect(parsed(file)).toEqual({
    gateway: {
      mode: "local",
      bind: "loopback",
      auth: { mode: "token", token: expect.stringMatching(/^[0-9a-f]{48}$/u) as string },
    },
    agents: {
      defaults: { workspace: "~/.openclaw/workspace-dev", skipBootstrap: true },
      list: [
        {
          id: "dev",
          default: true,
          workspace: "~/.openclaw/workspace-dev",
          identity: { name: "C3-PO", theme: "protocol droid", emoji: "🤖" },
        },
      ],
    },
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const files = readdirSync(at(".openclaw", "workspace-dev")).filter((name) => name.endsWith(".md"));
  expect(files).toEqual(expect.arrayContaining(["AGENTS.md", "IDENTITY.md", "SOUL.md", "TOOLS.md", "USER.md"]));
  expect(files).not.toContain("BOOTSTRAP.md");
  expect(existsSync(at(".openclaw", "openclaw.json"))).toBe(false);

  // Found again as it is, and reached by the dev profile.
  const agents = await run("--dev agents list --json", { OPENCLAW_GATEWAY_PORT: port });
  expect(agents.stdout).toContain("C3-PO");
  const text = readFileSync(file, "utf8");
  await stop(child);
  await start("--dev gateway --dev", { OPENCLAW_GATEWAY_PORT: port });
  expect(readFileSync(file, "utf8")).toBe(text);
});

test("the flag after the command takes the active profile as it is, and adds nothing to a workspace that exists", async () => {
  expect((await run("setup")).code).toBe(0);
  const before = readFileSync(at(".openclaw", "openclaw.json"), "utf8");
  rmSync(at(".openclaw", "workspace", "IDENTITY.md"));
  const { output } = await start("gateway --dev", { OPENCLAW_GATEWAY_PORT: String(await freePort()) });
  expect(output).toContain("Dev config ready: ~/.openclaw/openclaw.json\n");
  expect(readFileSync(at(".openclaw", "openclaw.json"), "utf8")).toBe(before);
  expect(existsSync(at(".openclaw", "workspace", "IDENTITY.md"))).toBe(false);
});

test("without anything set the dev profile listens on 19001 and says so to its commands", async () => {
  const { stdout } = await run("--dev gateway status --json --no-probe");
  const { gateway } = JSON.parse(stdout) as { gateway: { port: number } };
  expect(gateway.port).toBe(19_001);
});

test.each([
  ["~/.Trash", [".Trash"], ".Trash"],
  ["the desktop's trash", [".local", "share", "Trash"], ".local/share/Trash/files"],
  ["a folder of its own", undefined, ".openclaw-trash"],
] as const)(
  "--dev --reset moves config, sessions and workspace to %s and begins anew",
  async (_name, present, trash) => {
    if (present) mkdirSync(at(...present), { recursive: true });
    const port = String(await freePort());
    const env = { OPENCLAW_GATEWAY_PORT: port };
    const first = await start("--dev gateway --dev", env);
    const before = parsed(at(".openclaw-dev", "openclaw.json"));
    mkdirSync(at(".openclaw-dev", "credentials"));
    writeFileSync(at(".openclaw", "workspace-dev", "mine.txt"), "work");

    const refused = await run("--dev gateway --dev --reset", env);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      "A gateway is running on ~/.openclaw-dev. Stop it before --reset: openclaw --dev gateway stop\n",
    ]);
    expect(parsed(at(".openclaw-dev", "openclaw.json"))).toEqual(before);

    await stop(first.child);
    const { output } = await start("--dev gateway --reset", env);
    expect(output).toMatch(/Moved to the trash: ~\/\.openclaw-dev\/openclaw\.json \(now ~\//u);
    expect(parsed(at(".openclaw-dev", "openclaw.json"))).not.toEqual(before);
    expect(existsSync(at(".openclaw-dev", "credentials"))).toBe(false);
    expect(existsSync(at(".openclaw", "workspace-dev", "mine.txt"))).toBe(false);
    const moved = readdirSync(at(...trash.split("/")));
    expect(moved.map((name) => name.replace(/-\d{4}-.*$/u, "")).toSorted()).toEqual(
      expect.arrayContaining(["credentials", "openclaw.db", "openclaw.json", "workspace-dev"]),
    );
    const workspace = moved.find((name) => name.startsWith("workspace-dev")) ?? "";
    expect(readFileSync(at(...trash.split("/"), workspace, "mine.txt"), "utf8")).toBe("work");
    if (trash.includes("share"))
      expect(readdirSync(at(".local", "share", "Trash", "info"))).toContain(`${workspace}.trashinfo`);
  },
);

test.each([
  ["gateway --reset", {}, 1, "Use --reset with --dev.\n"],
  [
    "--profile rescue gateway --dev --reset",
    {},
    1,
    "--reset moves a development gateway away, but the active profile is rescue. Use: openclaw --dev gateway --dev --reset\n",
  ],
  [
    "gateway --dev --reset",
    {},
    1,
    "--reset moves a development gateway away, but the active profile is the main one. Use: openclaw --dev gateway --dev --reset\n",
  ],
  ["--dev --profile rescue health", {}, 2, "[openclaw] Cannot combine --dev with --profile\n"],
  ["--profile a/b health", {}, 2, '[openclaw] Invalid --profile "a/b": use letters, digits, "_" and "-"\n'],
  ["--profile", {}, 2, "[openclaw] --profile needs a name\n"],
] as const)("%s is refused, and nothing is made", async (words, env, code, text) => {
  const ran = await run(words, env);
  expect([ran.code, ran.stderr]).toEqual([code, text]);
  expect(readdirSync(home.path)).toEqual([]);
});

test("what the environment says wins over the profile flag", async () => {
  const env = { OPENCLAW_STATE_DIR: at("elsewhere"), OPENCLAW_GATEWAY_PORT: "20001" };
  const ran = await run("--dev setup", env);
  expect(ran.code).toBe(0);
  expect(existsSync(at("elsewhere", "openclaw.json"))).toBe(true);
  expect(existsSync(at(".openclaw-dev"))).toBe(false);
  const status = await run("--dev gateway status --json --no-probe", env);
  expect((JSON.parse(status.stdout) as { gateway: { port: number } }).gateway.port).toBe(20_001);
});

test("the profile default is the profile without a name", async () => {
  expect((await run("--profile default setup")).code).toBe(0);
  expect(existsSync(at(".openclaw", "openclaw.json"))).toBe(true);
  expect(existsSync(at(".openclaw", "workspace", "AGENTS.md"))).toBe(true);
});
