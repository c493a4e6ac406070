import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { VERSION } from "../kernel/version.ts";
import { answering, at, cli, gateway, home, withHome, writeConfig } from "./fake-terminal.ts";
import type { Probe } from "./probe.ts";
import { differences } from "./status-differences.ts";
import type { Target } from "./target.ts";
import { displayWidth } from "./terminal/style.ts";

withHome();

const state = () => join(home, ".openclaw");
const down = { OPENCLAW_GATEWAY_PORT: "1" };
const aMinuteAgo = 1_770_000_000_000 - 60_000;
const logLine = (level: string, message: string) =>
  JSON.stringify({
    0: '{"subsystem":"gateway"}',
    1: message,
    _meta: { logLevelName: level },
    time: new Date(aMinuteAgo).toISOString(),
  });

/** What a gateway leaves behind: status file, log, crash record. */
function leaveBehind(more: Record<string, unknown> = {}): void {
  mkdirSync(join(state(), "crashes"), { recursive: true });
  const logFile = join(home, "gateway.log");
  writeFileSync(
    logFile,
    [
      logLine("INFO", "started"),
      logLine("ERROR", "model refused OPENAI-SECRET-VALUE-1"),
      logLine("INFO", "later"),
    ].join("\n"),
  );
  const status = {
    pid: 77,
    version: VERSION,
    port: 1,
    state: "running",
    writtenAt: aMinuteAgo,
    logFile,
    configPath: join(state(), "openclaw.json"),
    problems: [{ part: "store", message: "slow disk" }],
  };
  writeFileSync(join(state(), "status.json"), JSON.stringify({ ...status, ...more }));
  writeFileSync(
    join(state(), "crashes", `crash-${aMinuteAgo}.json`),
    JSON.stringify({ time: new Date(aMinuteAgo).toISOString(), error: "Error: boom\n    at x" }),
  );
}

const running = {
  status: {
    model: { ref: "offline/echo", configured: false, auth: "none needed" },
    localModels: [{ name: "Ollama", models: ["m"], command: "openclaw models set ollama/m" }],
    runs: { active: 1, waiting: 2 },
    connections: 3,
    problems: [{ part: "models", message: "the key was refused" }],
    queuedSystemEvents: ["private words"],
    sessions: { count: 4, defaults: { model: "echo" }, recent: [], byAgent: [] },
    uptimeMs: 7_200_000,
  },
  "agents.list": { defaultId: "main", agents: [{ id: "main" }] },
};

describe("with the gateway up", () => {
  test("model, runs, problems and the credential in use are on the page", async () => {
    const fake = await gateway(answering(running));
    const { out } = await cli("status", { env: at(fake) });
    const hash = createHash("sha256").update("T").digest("hex").slice(0, 8);
    expect(out).toContain("no model configured (offline/echo repeats what you say)");
    expect(out).toContain("Ollama runs here: openclaw models set ollama/m");
    expect(out).toContain("1 running, 2 waiting");
    expect(out).toContain("models: the key was refused");
    expect(out).toContain(`token from OPENCLAW_GATEWAY_TOKEN (sha256 ${hash}…)`);
    expect(out).toContain("Next: choose a model: openclaw models set <provider/model>");
    expect(out).not.toContain("private words");
  });

  test("a token of the config is named by its key, a password without any digits of its hash", async () => {
    writeConfig(JSON.stringify({ gateway: { auth: { token: "from-the-config" } } }));
    const fake = await gateway(answering(running));
    const env = { OPENCLAW_GATEWAY_PORT: String(fake.port) };
    expect((await cli("status", { env })).out).toContain("token from config gateway.auth.token (sha256 ");
    writeConfig(JSON.stringify({ gateway: { auth: { password: "from-the-config" } } }));
    const { out } = await cli("status", { env });
    expect(out).toMatch(/Auth +password from config gateway\.auth\.password$/m);
    expect(out).not.toContain("from-the-config");
  });

  test("a secret that is easy to guess is told where others can reach the gateway, and nowhere else", async () => {
    const fake = await gateway(answering(running));
    const env = { OPENCLAW_GATEWAY_PORT: String(fake.port) };
    const shown = async (bind: string, auth: object) => {
      writeConfig(JSON.stringify({ gateway: { bind, auth } }));
      return (await cli("status", { env })).out;
    };
    expect(await shown("lan", { token: "only-twenty-3-chars-xyz" })).toMatch(
      /the token is weak\. It has 23 characters; 24 are wanted on this bind\. openclaw\s+doctor says what to do/u,
    );
    expect(await shown("lan", { mode: "password", password: "elevenchars" })).toContain("the password is weak");
    expect(await shown("lan", { token: "twenty-four-chars-token-" })).not.toContain("is weak");
    expect(await shown("loopback", { token: "only-twenty-3-chars-xyz" })).not.toContain("is weak");
  });

  test("another config path or version than the gateway's is told", async () => {
    const fake = await gateway(
      answering({ ...running, status: { ...running.status, configPath: "/elsewhere/openclaw.json" } }),
    );
    const { out } = await cli("status --json", { env: at(fake) });
    const { differences } = JSON.parse(out) as { differences: { what: string; gateway: string }[] };
    expect(differences.map(({ what }) => what)).toContain("config path");
    expect((await cli("status", { env: at(fake) })).out).toMatch(
      /config path differs: this command ~\/\.openclaw\/openclaw\.json, the gateway \/elsewhere/,
    );
  });

  test("no line of a table is wider than the terminal, and no value is cut", async () => {
    const long = join(home, "a".repeat(70), "openclaw.json");
    const fake = await gateway(answering(running));
    const { out } = await cli("status", {
      env: at(fake, { OPENCLAW_CONFIG_PATH: long, NO_COLOR: "1" }),
      tty: true,
      columns: 80,
    });
    for (const line of out.split("\n").filter((text) => /^[│┌└├]/.test(text)))
      expect(displayWidth(line)).toBeLessThanOrEqual(80);
    expect(out.replace(/[│\s]/g, "")).toContain("a".repeat(70));
  });
});

describe("with the gateway down", () => {
  test("what it left behind is shown with its age, exit 0", async () => {
    leaveBehind();
    for (const words of ["status", "gateway status"]) {
      const { code, out } = await cli(words, { env: down });
      expect(code).toBe(0);
      expect(out).toContain("Last known (1m ago): running, and did not say that it stopped");
      expect(out).toContain("Last crash (1m ago): Error: boom");
      expect(out).toContain("Last gateway error (1m ago): model refused");
      expect(out).toContain("store: slow disk");
    }
    expect(JSON.parse((await cli("status --json", { env: down })).out)).toMatchObject({
      gateway: { reachable: false },
      lastKnown: { pid: 77, ageMs: 60_000, crash: { error: "Error: boom" } },
    });
  });

  test("another port than the one it last had is told", async () => {
    leaveBehind({ port: 19_001 });
    expect((await cli("status", { env: down })).out).toContain("port differs: this command 1, the gateway 19001");
  });

  test.each(['{"pid":', "", "[]", "null"])("a status file that says %j changes nothing but the text", async (text) => {
    mkdirSync(state());
    writeFileSync(join(state(), "status.json"), text);
    expect((await cli("status", { env: down })).code).toBe(0);
    expect((await cli("gateway status --json", { env: down })).code).toBe(0);
  });

  test("--all shows the end of the log, and neither secrets of config and environment nor escapes", async () => {
    leaveBehind();
    writeFileSync(
      join(home, "gateway.log"),
      [logLine("INFO", "\u001b[31mred OPENAI-SECRET-VALUE-1 and the-token-of-the-config"), "raw"].join("\n"),
    );
    writeConfig(JSON.stringify({ gateway: { auth: { token: "the-token-of-the-config" } } }));
    const { out } = await cli("status --all", { env: { ...down, OPENAI_API_KEY: "OPENAI-SECRET-VALUE-1" } });
    expect(out).toContain("last 2 lines");
    expect(out).toContain("red *** and ***");
    expect(out).not.toMatch(/OPENAI-SECRET|the-token-of|\u001b/);
  });
});

describe("gateway status", () => {
  test("--json has the agreed parts, and says honestly that no service is known", async () => {
    const fake = await gateway(answering(running));
    const { out } = await cli("gateway status --json", { env: at(fake) });
    expect(JSON.parse(out)).toMatchObject({
      service: { loaded: false, command: null, runtime: { status: "unknown" } },
      config: { cli: { exists: false, valid: true } },
      gateway: { port: fake.port, auth: { kind: "token", from: "OPENCLAW_GATEWAY_TOKEN" } },
      rpc: { ok: true },
      legacyServices: [],
      extraServices: [],
    });
  });

  test("--no-probe does not connect", async () => {
    const fake = await gateway(answering(running));
    const { code, out } = await cli("gateway status --no-probe --json", { env: at(fake) });
    expect([code, fake.peers.length, "rpc" in (JSON.parse(out) as object)]).toEqual([0, 0, false]);
  });

  test("names who holds the port when what answers there is no gateway", async () => {
    const { createServer } = await import("node:http");
    const server = createServer((_request, response) => void response.end("hello"));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { code, out } = await cli("gateway status --json", { env: { OPENCLAW_GATEWAY_PORT: String(port) } });
    server.close();
    const answer = JSON.parse(out) as {
      port: { status: string; listeners: { pid: number }[]; hints: string[] };
      rpc: { ok: boolean };
    };
    expect([code, answer.rpc.ok, answer.port.status]).toEqual([0, false, "busy"]);
    if (process.platform === "linux") expect(answer.port.listeners[0]?.pid).toBe(process.pid);
    expect(answer.port.hints.length).toBeGreaterThan(0);
  });
});

describe("looking", () => {
  test.each([
    "status",
    "status --all --deep",
    "gateway status --deep",
    "logs",
    "doctor",
    "doctor --json --non-interactive",
  ])("%s leaves every file as it is, up or down", async (words) => {
    leaveBehind();
    writeConfig(JSON.stringify({ gateway: { mode: "local", auth: { token: "0123456789abcdef0123456789abcdef" } } }));
    const print = () =>
      readdirSync(home, { recursive: true, withFileTypes: true }).map((entry) => {
        const path = join(entry.parentPath, entry.name);
        const { mode, mtimeMs, size } = statSync(path);
        return [path, mode, mtimeMs, size];
      });
    const before = print();
    await cli(words, { env: down });
    const fake = await gateway(answering(running));
    await cli(words, { env: at(fake) });
    expect(print()).toEqual(before);
  });

  const elsewhere = "/elsewhere/openclaw.json";
  test.each([
    ["another config", { snapshot: { configPath: elsewhere } }, {}, ["config path"]],
    ["another state directory", { snapshot: { stateDir: "/elsewhere" } }, {}, ["state dir"]],
    ["another version", { server: { version: "1.2.3", connId: "c" } }, {}, ["version"]],
    [
      "another profile",
      { snapshot: { configPath: join("/h", ".openclaw", "openclaw.json"), stateDir: "/h/.openclaw" } },
      { OPENCLAW_PROFILE: "rescue" },
      ["config path", "state dir"],
    ],
  ] as const)("%s of the gateway is marked", (_what, hello, env, expected) => {
    const config = {
      path: env && "OPENCLAW_PROFILE" in env ? "/h/.openclaw-rescue/openclaw.json" : "/h/openclaw.json",
      stateDir: "/h",
      port: 1,
    };
    const target = { local: true, config } as unknown as Target;
    const base = { server: { version: VERSION, connId: "c" }, snapshot: {} };
    const result = { ok: true, answers: {}, hello: { ...base, ...hello } } as unknown as Probe;
    expect(differences(target, result, undefined).map(({ what }) => what)).toEqual(expected);
    expect(differences({ ...target, local: false }, result, undefined).every(({ what }) => what === "version")).toBe(
      true,
    );
  });
});
