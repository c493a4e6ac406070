import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemWorld } from "../kernel/world.ts";
import { commands } from "./commands.ts";
import { fakeGateway } from "../../../client/src/fake-gateway.ts";
import type { FakeGateway, Peer, Request } from "../../../client/src/fake-gateway.ts";
import type { Io } from "./io.ts";
import { runCli } from "./run-cli.ts";
import { displayWidth } from "./terminal/style.ts";
import { VERSION } from "./version.ts";

let home = "";
const cleanups: (() => unknown)[] = [];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "openclaw-cli-"));
});
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
  rmSync(home, { recursive: true, force: true });
});

interface Run {
  code: number;
  out: string;
  err: string;
  env: Record<string, string | undefined>;
}

interface Setting {
  env?: Record<string, string>;
  tty?: boolean;
  columns?: number;
  /** Divides every delay. */
  speed?: number;
  /** Gets the function that presses Ctrl-C. */
  onReady?: (interrupt: () => void) => void;
}

async function cli(words: string, setting: Setting = {}): Promise<Run> {
  return cliArgs(words.split(" ").filter(Boolean), setting);
}

async function cliArgs(argv: readonly string[], { env = {}, tty = false, columns, speed = 1, onReady }: Setting = {}): Promise<Run> {
  let out = "";
  let err = "";
  const world = systemWorld({ HOME: home, ...env });
  let timers = 0;
  const interrupts = new Set<() => void>();
  const io: Io = {
    stdout: { write: (text) => void (out += text), isTTY: tty, columns },
    stderr: { write: (text) => void (err += text), isTTY: tty, columns },
    env: { HOME: home, ...env },
    platform: "linux",
    pid: 1,
    cwd: () => home,
    homedir: () => home,
    hostname: () => "box",
    now: () => 1_770_000_000_000,
    monotonic: () => performance.now(),
    after(ms, run) {
      timers += 1;
      const handle = setTimeout(run, ms / speed);
      return () => clearTimeout(handle);
    },
    random: () => 0.5,
    uuid: () => "00000000-0000-4000-8000-000000000001",
    addresses: () => [],
    onInterrupt(run) {
      interrupts.add(run);
      return () => void interrupts.delete(run);
    },
    endOnBrokenPipe: true,
    world: async () => world,
  };
  onReady?.(() => {
    for (const run of [...interrupts]) run();
  });
  const code = await runCli(argv, io);
  expect(interrupts.size).toBe(0);
  expect(timers).toBeLessThan(100);
  return { code, out, err, env: io.env };
}

async function gateway(onRequest: (request: Request, peer: Peer) => boolean | void = () => {}): Promise<FakeGateway> {
  const fake = await fakeGateway(onRequest);
  cleanups.push(() => fake.close());
  return fake;
}

const at = (fake: FakeGateway, extra: Record<string, string> = {}) => ({
  OPENCLAW_GATEWAY_PORT: String(fake.port),
  OPENCLAW_GATEWAY_TOKEN: "T",
  ...extra,
});

/** Answers by method name. */
const answering = (answers: Record<string, unknown>) => (request: Request, peer: Peer) => {
  if (Object.hasOwn(answers, request.method)) peer.answer(request, answers[request.method]);
  else if (request.method !== "connect") peer.refuse(request, { code: "INVALID_REQUEST", message: `unknown method: ${request.method}` });
};

describe("words of the command line", () => {
  test.each(["--version", "-V", "-v", "--dev --version"])("%s prints only the version", async (words) => {
    expect(await cli(words)).toMatchObject({ code: 0, out: `${VERSION}\n`, err: "" });
  });

  test.each([
    ["nope", "error: unknown command 'nope'\n"],
    ["gateway nope", "error: unknown command 'nope'\n"],
    ["healt", "error: unknown command 'healt'\n(Did you mean health?)\n"],
    ["health --x", "error: unknown option '--x'\n"],
    ["status --foo=1", "error: unknown option '--foo'\n"],
    ["sessions -z", "error: unknown option '-z'\n"],
    ["--what health", "error: unknown option '--what'\n"],
    ["gateway call", "error: missing required argument 'method'\n"],
    ["gateway call a b", "error: too many arguments for 'gateway call': expected 1, got 2\n"],
    ["health --timeout", "error: option '--timeout <ms>' argument missing\n"],
    ["health --json=1", "error: option '--json' takes no value\n"],
    ["health --timeout zero", "Invalid --timeout: use a whole number, 1 or more\n"],
    ["gateway --port 1 health", "error: options of 'gateway health' go after it: openclaw gateway health …\n"],
    ["gateway --auth none", 'Invalid --auth (use "token" or "password")\n'],
    ["gateway --bind x", 'Invalid --bind (use "loopback", "lan", "tailnet", "auto", or "custom")\n'],
    ["gateway --tailscale x", 'Invalid --tailscale (use "off", "serve", or "funnel")\n'],
    ["gateway --ws-log x", 'Invalid --ws-log (use "auto", "full", or "compact")\n'],
    ["gateway --port 0", "Invalid port\n"],
    ["gateway --reset", "Use --reset with --dev.\n"],
    ["agent --agent main", "Message (--message) is required\n"],
    ["agent --message hi", "Pass --to <E.164>, --session-id, or --agent to choose a session\n"],
    ["devices revoke", "Pass --device <id> and --role <role>; see them with: openclaw devices list\n"],
    ["config get a..b", "Invalid config path: a..b\n"],
    ["config get a.__proto__", "Invalid config path: a.__proto__\n"],
    ["completion --shell tcsh", "Invalid --shell: use bash, zsh, fish\n"],
  ])("%j is refused with exit 1", async (words, text) => {
    expect(await cli(words)).toMatchObject({ code: 1, out: "", err: text });
  });

  test.each([
    ["--dev --profile a health", "[openclaw] Cannot combine --dev with --profile\n"],
    ["--profile", "[openclaw] --profile needs a name\n"],
    ["--profile a/b health", '[openclaw] Invalid --profile "a/b": use letters, digits, "_" and "-"\n'],
  ])("%j is refused with exit 2", async (words, text) => {
    expect(await cli(words)).toMatchObject({ code: 2, out: "", err: text });
  });

  test("profile flags set what is unset, and only before the command word", async () => {
    expect((await cli("--dev config file")).env).toMatchObject({
      OPENCLAW_PROFILE: "dev",
      OPENCLAW_STATE_DIR: join(home, ".openclaw-dev"),
      OPENCLAW_GATEWAY_PORT: "19001",
    });
    expect((await cli("--profile rescue config file")).out).toBe(`${join(home, ".openclaw-rescue", "openclaw.json")}\n`);
    expect((await cli("--profile=default config file")).out).toBe(`${join(home, ".openclaw", "openclaw.json")}\n`);
    expect((await cli("--dev config file", { env: { OPENCLAW_GATEWAY_PORT: "7" } })).env.OPENCLAW_GATEWAY_PORT).toBe("7");
    expect((await cli("config file --dev")).code).toBe(1);
  });

  test("dotenv files fill what is unset: the folder's first, then the state directory's", async () => {
    mkdirSync(join(home, ".openclaw"));
    writeFileSync(join(home, ".env"), "export A='x y' # note\nB=1\nC=kept\nnot a line\n");
    writeFileSync(join(home, ".openclaw", ".env"), 'B=2\nD="z"\n');
    expect((await cli("config file", { env: { C: "given" } })).env).toMatchObject({ A: "x y", B: "1", C: "given", D: "z" });
  });
});

describe("help", () => {
  test.each([80, 60, 120])("every help page stays within %i columns", async (columns) => {
    for (const words of ["--help", ...commands.map((row) => `${row.path} --help`)]) {
      const { code, out, err } = await cli(words, { tty: true, columns, env: { NO_COLOR: "1" } });
      expect([code, err]).toEqual([0, ""]);
      const long = out.split("\n").filter((line) => displayWidth(line) > columns && !/openclaw |http/.test(line));
      expect(long).toEqual([]);
      expect(out).toMatch(/^Usage: openclaw /);
      expect(out).toMatch(/Docs: https:\/\/docs\.openclaw\.ai\/cli/);
    }
  });

  test("a group without subcommand prints its help on stderr, exit 1", async () => {
    const { code, out, err } = await cli("devices");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/Usage: openclaw devices <command>/);
  });

  test("help works with a broken config and names options in order", async () => {
    mkdirSync(join(home, ".openclaw"));
    writeFileSync(join(home, ".openclaw", "openclaw.json"), "{{{");
    const { code, out } = await cli("help gateway call");
    expect(code).toBe(0);
    expect(out.indexOf("--expect-final")).toBeLessThan(out.indexOf("--params"));
    expect(out).toMatch(/visible to other/);
  });

  test.each(["bash", "zsh", "fish"])("completion for %s knows every command and option", async (shell) => {
    const { code, out } = await cli(`completion --shell ${shell}`);
    expect(code).toBe(0);
    for (const row of commands) {
      expect(out).toContain(row.path.split(" ").at(-1));
      for (const option of row.options ?? []) expect(out).toContain(option.name);
    }
  });
});

describe("reaching the gateway", () => {
  test("a gateway that is down is told in the common words", async () => {
    const env = { OPENCLAW_GATEWAY_PORT: "1" };
    const { code, out, err } = await cli("health", { env });
    expect([code, out]).toEqual([1, ""]);
    expect(err.split("\n")).toEqual([
      "gateway closed (1006 abnormal closure (no close frame)): connect ECONNREFUSED 127.0.0.1:1",
      "Gateway target: ws://127.0.0.1:1",
      "Source: local loopback",
      "Config: ~/.openclaw/openclaw.json (missing)",
      "Bind: loopback",
      "Hint: the gateway is not running here. Start it with openclaw gateway",
      "",
    ]);
    expect(readdirSync(home)).toEqual([]);
  });

  test.each(["health", "gateway health", "gateway call health", "sessions", "models", "models list", "agents", "devices list", "system presence"])(
    "%s --json answers one document and exit 1 when the gateway is down",
    async (words) => {
      const { code, out } = await cli(`${words} --json`, { env: { OPENCLAW_GATEWAY_PORT: "1" } });
      expect(code).toBe(1);
      expect(JSON.parse(out)).toMatchObject({ ok: false, url: "ws://127.0.0.1:1", closeCode: 1006 });
    },
  );

  test.each(["status", "gateway status"])("%s exits 0 when the gateway is down, and says so", async (words) => {
    const env = { OPENCLAW_GATEWAY_PORT: "1" };
    const text = await cli(words, { env });
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/not reachable|RPC probe: failed/);
    const { code, out, err } = await cli(`${words} --json`, { env });
    expect([code, err]).toEqual([0, ""]);
    JSON.parse(out);
  });

  test("a broken config does not hide the gateway: the verdict is shown, stdout stays JSON", async () => {
    mkdirSync(join(home, ".openclaw"));
    writeFileSync(join(home, ".openclaw", "openclaw.json"), "{ gateway: ");
    const fake = await gateway(answering({ status: {} }));
    const { code, out, err } = await cli("gateway status --json", { env: at(fake) });
    expect([code, err]).toEqual([0, ""]);
    const status = JSON.parse(out) as { config: { cli: { valid: boolean } }; rpc: { ok: boolean } };
    expect([status.config.cli.valid, status.rpc.ok]).toEqual([false, true]);
  });

  test("a wrong token shows the gateway's own words", async () => {
    const message = "unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)";
    const fake = await gateway((request, peer) => {
      peer.refuse(request, { code: "INVALID_REQUEST", message });
      return true;
    });
    const { code, err } = await cli("health", { env: at(fake) });
    expect(code).toBe(1);
    expect(err.split("\n")[0]).toBe(`gateway closed (1008 policy violation): ${message}`);
    expect(err).toMatch(/Hint: this command found a token/);
    expect(err).not.toMatch(/\bT\b.*secret/);
  });

  test("with a shared secret on loopback no device is presented and no file is made", async () => {
    const fake = await gateway(answering({ health: { ok: true } }));
    expect((await cli("gateway call health --json", { env: at(fake) })).code).toBe(0);
    expect(fake.peers[0]?.requests[0]?.params).not.toHaveProperty("device");
    expect(fake.peers[0]?.requests[0]?.params).toMatchObject({
      client: { id: "cli", mode: "cli", version: VERSION },
      scopes: ["operator.admin", "operator.read", "operator.write", "operator.approvals", "operator.pairing"],
      auth: { token: "T" },
    });
    expect(readdirSync(home)).toEqual([]);
  });

  test("without a secret the device key is made, private, and presented", async () => {
    const fake = await gateway(answering({ health: { ok: true } }));
    const env = { OPENCLAW_GATEWAY_PORT: String(fake.port) };
    expect((await cli("gateway call health --json", { env })).code).toBe(0);
    expect(fake.peers[0]?.requests[0]?.params).toHaveProperty("device.signature");
    expect(readdirSync(join(home, ".openclaw", "identity"))).toEqual(["device.json"]);
  });

  test("a pairing refusal names the two commands that help", async () => {
    const fake = await gateway((request, peer) => {
      peer.refuse(request, { code: "NOT_PAIRED", message: "pairing required", details: { requestId: "r" } });
      return true;
    });
    const { err } = await cli("health", { env: { OPENCLAW_GATEWAY_PORT: String(fake.port), OPENCLAW_PROFILE: "rescue" } });
    expect(err).toMatch(/openclaw --profile rescue devices list, then openclaw --profile rescue devices approve <requestId>/);
  });

  test("a stored secret never goes to a typed host", async () => {
    const { code, err } = await cli("gateway call health --url ws://192.0.2.1:9", { env: { OPENCLAW_GATEWAY_TOKEN: "SECRET" } });
    expect(code).toBe(1);
    expect(err).toMatch(/gateway url override requires explicit credentials/);
    expect(err).not.toContain("SECRET");
  });

  test("remote mode without an address says what to set", async () => {
    mkdirSync(join(home, ".openclaw"));
    writeFileSync(join(home, ".openclaw", "openclaw.json"), '{"gateway":{"mode":"remote"}}');
    const { code, err } = await cli("health");
    expect(code).toBe(1);
    expect(err).toMatch(/^gateway remote mode misconfigured: gateway\.remote\.url missing\nConfig: /);
  });

  test("a silent gateway is given up at the deadline", async () => {
    const fake = await gateway(() => true);
    const { code, err } = await cli("gateway call health --timeout 30", { env: at(fake) });
    expect(code).toBe(1);
    expect(err).toMatch(/^Gateway call failed: Error: gateway timeout after 30ms\nGateway target: /);
  });

  test("Ctrl-C ends the wait with 130 and nothing on stdout", async () => {
    let interrupt = () => {};
    const fake = await gateway((request) => {
      if (request.method === "health") interrupt();
    });
    const { code, out, err } = await cli("health", { env: at(fake), onReady: (run) => (interrupt = run) });
    expect([code, out, err]).toEqual([130, "", ""]);
  });
});

describe("gateway call", () => {
  test("prints the payload alone with --json, and sends the parameters", async () => {
    const fake = await gateway(answering({ "sessions.list": { count: 0 } }));
    const env = at(fake);
    const { code, out, err } = await cliArgs(["gateway", "call", "sessions.list", "--params", '{"limit":5}', "--json"], { env });
    expect([code, err, JSON.parse(out)]).toEqual([0, "", { count: 0 }]);
    expect(fake.peers[0]?.requests[1]?.params).toEqual({ limit: 5 });
    expect((await cli("gateway call sessions.list", { env })).out).toBe('Gateway call: sessions.list\n{\n  "count": 0\n}\n');
  });

  test("an unknown method fails with the gateway's text", async () => {
    const fake = await gateway(answering({}));
    const { code, out, err } = await cli("gateway call nope", { env: at(fake) });
    expect([code, out, err]).toEqual([1, "", "Gateway call failed: Error: unknown method: nope\n"]);
  });

  test.each(["x", "[1]", "3"])("parameters %s fail before connecting", async (params) => {
    const fake = await gateway();
    const { code, err } = await cli(`gateway call health --params ${params}`, { env: at(fake) });
    expect(code).toBe(1);
    expect(err).toMatch(/^Gateway call failed: --params/);
    expect(fake.peers).toHaveLength(0);
  });

  test("--expect-final waits past the accepted answer", async () => {
    const fake = await gateway((request, peer) => {
      if (request.method !== "agent") return;
      peer.answer(request, { status: "accepted" });
      peer.answer(request, { status: "ok" });
    });
    expect(JSON.parse((await cli("gateway call agent --json", { env: at(fake) })).out)).toEqual({ status: "accepted" });
    expect(JSON.parse((await cli("gateway call agent --expect-final --json", { env: at(fake) })).out)).toEqual({ status: "ok" });
  });
});

describe("agent", () => {
  const final = (text: string, extra = {}) => ({ runId: "k", status: "ok", summary: "completed", result: { payloads: [{ text, mediaUrl: null, ...extra }], meta: {} } });
  const says = (texts: readonly string[], answer: unknown) => (request: Request, peer: Peer) => {
    if (request.method !== "agent") return;
    const runId = request.params.idempotencyKey;
    peer.answer(request, { runId, status: "accepted", acceptedAt: 1 });
    texts.forEach((text, i) => {
      peer.event("agent", { runId, stream: "assistant", data: { text, delta: "" }, sessionKey: "agent:main:main", seq: i + 1, ts: 1 }, i + 1);
    });
    peer.event("agent", { runId: "other", stream: "assistant", data: { text: "not mine" }, seq: 1, ts: 1 }, 50);
    peer.answer(request, answer);
  };
  const ask = ["agent", "--agent", "main", "--message", "hi"];

  test("prints the final text, and media as MEDIA lines, when stdout is no terminal", async () => {
    const fake = await gateway(says(["He", "Hello"], final("Hello", { mediaUrls: ["/tmp/a.png"] })));
    const { code, out, err } = await cliArgs(ask, { env: at(fake) });
    expect([code, out, err]).toEqual([0, "Hello\nMEDIA:/tmp/a.png\n", ""]);
    expect(fake.peers[0]?.requests[1]?.params).toEqual({ message: "hi", agentId: "main", timeout: 600, idempotencyKey: "00000000-0000-4000-8000-000000000001" });
  });

  test("streams on a terminal and does not repeat itself", async () => {
    const fake = await gateway(says(["He", "Hello", "Let me look", "Let me look. Done"], final("Let me look. Done")));
    const { out } = await cliArgs(ask, { env: at(fake), tty: true });
    expect(out).toBe("Hello\nLet me look. Done\n");
  });

  test("control sequences from a model never reach the terminal, cut in two or not", async () => {
    const evil = "a\u001b[31mb\u001b]0;title\u0007c\u009b2Jd\u001b]8;;http://x\u001b\\e\r\n\u0008f";
    const fake = await gateway(says(["a\u001b[3", evil], final(evil)));
    for (const tty of [true, false]) {
      const { out } = await cliArgs(ask, { env: at(fake), tty });
      expect(out).toBe("abcde\nf\n");
    }
    const { out } = await cliArgs([...ask, "--json"], { env: at(fake) });
    expect(out).not.toMatch(/[\u001b\u0080-\u009f]/);
  });

  test("an empty reply and a failed run are told", async () => {
    const empty = await gateway(says([], { status: "ok", result: { payloads: [] } }));
    expect(await cliArgs(ask, { env: at(empty) })).toMatchObject({ code: 0, out: "No reply from agent.\n" });
    const failing = await gateway((request, peer) => {
      if (request.method === "agent") peer.refuse(request, { code: "UNAVAILABLE", message: "provider is down" }, { status: "error" });
    });
    expect(await cliArgs(ask, { env: at(failing) })).toMatchObject({ code: 1, out: "", err: "Error: provider is down\n" });
  });

  test("an unknown agent names the command that lists them", async () => {
    const fake = await gateway((request, peer) => {
      if (request.method === "agent") peer.refuse(request, { code: "INVALID_REQUEST", message: 'invalid agent params: unknown agent id "zz"' });
    });
    const { err } = await cliArgs(["agent", "--agent", "zz", "--message", "hi"], { env: at(fake) });
    expect(err).toMatch(/openclaw agents list/);
  });

  test("Ctrl-C aborts the run of its session and exits 130", async () => {
    let interrupt = () => {};
    const fake = await gateway((request, peer) => {
      const runId = request.params.idempotencyKey;
      if (request.method === "agent") {
        peer.answer(request, { runId, status: "accepted" });
        peer.event("agent", { runId, stream: "lifecycle", data: { phase: "start" }, sessionKey: "agent:main:x", seq: 1, ts: 1 }, 1);
        peer.event("agent", { runId, stream: "assistant", data: { text: "on it" }, sessionKey: "agent:main:x", seq: 2, ts: 1 }, 2);
        peer.answer({ id: "none", method: "", params: {} }, {});
        setImmediate(() => interrupt());
      }
      if (request.method === "chat.abort") peer.answer(request, { ok: true, aborted: true, runIds: [runId] });
    });
    const { code } = await cliArgs(ask, { env: at(fake), tty: true, onReady: (run) => (interrupt = run) });
    expect(code).toBe(130);
    const abort = fake.peers[0]?.requests.find((request) => request.method === "chat.abort");
    expect(abort?.params).toMatchObject({ runId: "00000000-0000-4000-8000-000000000001" });
  });
});

describe("lists", () => {
  const now = 1_770_000_000_000;
  const answers = {
    health: {
      ok: true,
      ts: now,
      durationMs: 3,
      channels: { whatsapp: { linked: true, authAgeMs: 720_000 }, telegram: { configured: false } },
      channelOrder: ["whatsapp", "telegram"],
      channelLabels: { whatsapp: "WhatsApp", telegram: "Telegram" },
      agents: [{ agentId: "main", isDefault: true, heartbeat: { every: "30m" }, sessions: { path: "/s.db", count: 2 } }],
      sessions: { recent: [{ key: "agent:main:main", updatedAt: now - 60_000 }] },
    },
    status: { sessions: { count: 1, defaults: { model: "echo" }, recent: [], byAgent: [] }, channelSummary: ["WhatsApp: linked"] },
    "sessions.list": {
      path: "/s.db",
      count: 1,
      defaults: { modelProvider: "offline", model: "echo", contextTokens: 1000 },
      sessions: [{ key: "agent:main:main", kind: "direct", updatedAt: now - 60_000, totalTokens: 500, model: "echo" }],
    },
    "models.list": { models: [{ id: "echo", name: "Echo", provider: "offline" }, { id: "b", name: "B", provider: "x", input: ["text", "image"] }] },
    "agents.list": { defaultId: "main", mainKey: "main", scope: "per-sender", agents: [{ id: "main", identity: { name: "Claw", emoji: "🦞" } }] },
    "device.pair.list": { pending: [{ requestId: "r1", deviceId: "d".repeat(64), role: "operator", ts: now - 5_000 }], paired: [] },
    "device.pair.approve": { requestId: "r1", device: { deviceId: "d1" } },
    "device.token.rotate": { deviceId: "d", role: "operator", token: "new-token", scopes: [] },
    "system-presence": [{ host: "box", mode: "gateway", version: "1", platform: "linux", ts: now, reason: "self" }],
    "system-event": { ok: true },
    "config.get": { path: "/c.json", exists: true, valid: true, issues: [], config: { gateway: { port: 1, auth: { token: "SECRET" } } } },
  };

  test.each([
    ["health", ["WhatsApp: linked (auth age 12m)", "Telegram: not configured", "Agents: main (default)", "Heartbeat interval: 30m (main)", "Session store (main): /s.db (2 entries)", "- agent:main:main (1m ago)"]],
    ["gateway health", ["Gateway Health", "OK (3ms)", "WhatsApp: linked (auth age 12m)", "Telegram: not configured"]],
    ["system event --text hi", ["ok"]],
    ["devices approve r1", ["Approved d1"]],
    ["devices rotate --device d --role operator", ["New operator token of d: new-token"]],
    ["models status --plain", ["offline/echo"]],
    ["models list --plain", ["offline/echo", "x/b"]],
  ])("%s", async (words, lines) => {
    const fake = await gateway(answering(answers));
    const { code, out } = await cli(words, { env: at(fake) });
    expect([code, out.trimEnd().split("\n")]).toEqual([0, lines]);
  });

  test.each(["health", "status", "status --all", "sessions", "models", "models list", "agents", "devices list", "system presence", "gateway status", "gateway probe", "gateway health"])(
    "%s: no escape without colour, JSON alone with --json, width kept on a terminal",
    async (words) => {
      const fake = await gateway(answering(answers));
      const plain = await cli(words, { env: at(fake, { NO_COLOR: "1" }), tty: true, columns: 80 });
      expect(plain.code).toBe(0);
      expect(plain.out).not.toContain("\u001b");
      expect(plain.out).not.toContain("SECRET");
      for (const line of plain.out.split("\n").filter((text) => /^[│┌└├]/.test(text))) expect(displayWidth(line)).toBeLessThanOrEqual(80);
      const { code, out, err } = await cli(`${words} --json`, { env: at(fake) });
      expect([code, err]).toEqual([0, ""]);
      expect(out).not.toContain("SECRET");
      JSON.parse(out);
    },
  );

  test("colour appears on a terminal, and goes with --no-color", async () => {
    const fake = await gateway(answering(answers));
    expect((await cli("sessions", { env: at(fake), tty: true })).out).toContain("\u001b[38;2;255;90;45m");
    expect((await cli("sessions --no-color", { env: at(fake), tty: true })).out).not.toContain("\u001b");
    expect((await cli("sessions", { env: at(fake, { FORCE_COLOR: "1" }) })).code).toBe(0);
  });

  test("sessions --json keeps its shape", async () => {
    const fake = await gateway(answering(answers));
    const { out } = await cli("sessions --json --active 60", { env: at(fake) });
    expect(JSON.parse(out)).toMatchObject({ path: "/s.db", count: 1, activeMinutes: 60, sessions: [{ key: "agent:main:main", kind: "direct", ageMs: 60_000, model: "echo", contextTokens: 1000 }] });
    expect(fake.peers[0]?.requests[1]?.params).toMatchObject({ activeMinutes: 60 });
  });

  test("models status --check fails while no model is configured", async () => {
    const fake = await gateway(answering(answers));
    expect((await cli("models status --check", { env: at(fake) })).code).toBe(1);
  });
});

describe("config", () => {
  const write = (text: string) => {
    mkdirSync(join(home, ".openclaw"), { recursive: true });
    writeFileSync(join(home, ".openclaw", "openclaw.json"), text);
  };

  test("get prints scalars raw, the rest as JSON, with variables replaced", async () => {
    write("{ // comment\n gateway: { port: 5, auth: { token: '${MY_TOKEN}' } }, agents: { list: [{ id: 'a' }] } }");
    const env = { MY_TOKEN: "tt" };
    expect((await cli("config get gateway.port", { env })).out).toBe("5\n");
    expect((await cli("config get gateway.auth.token", { env })).out).toBe("tt\n");
    expect((await cli("config get gateway.auth.token --json", { env })).out).toBe('"tt"\n');
    expect((await cli("config get agents.list[0].id", { env })).out).toBe("a\n");
    expect((await cli("config get agents.list.0", { env })).out).toBe('{\n  "id": "a"\n}\n');
    expect(await cli("config get gateway.nope", { env })).toMatchObject({ code: 1, err: "Config path not found: gateway.nope\n" });
    expect(await cli("config get toString", { env })).toMatchObject({ code: 1 });
  });

  test("an invalid file is named with the problem and the command that helps", async () => {
    write("{ gateway");
    const { code, err } = await cli("config get gateway.port");
    expect(code).toBe(1);
    expect(err).toMatch(/^Config invalid\nFile: .*openclaw\.json\nProblem:\n {2}- JSON5 parse failed: .*\nRun: openclaw doctor --fix\n$/s);
  });
});

describe("logs", () => {
  const line = JSON.stringify({ 0: '{"subsystem":"gateway"}', 1: "hello \u001b[31mred", _meta: { date: "2026-01-02T03:04:05.000Z", logLevelName: "WARN", name: '{"subsystem":"gateway"}' }, time: "2026-01-02T03:04:05.000Z" });
  const tail = { file: "/tmp/x.log", cursor: 10, size: 10, lines: [line, "raw \u001b[2Jtext"], truncated: true, reset: false };

  test("text is plain without a terminal, controls removed", async () => {
    const fake = await gateway(answering({ "logs.tail": tail }));
    const { code, out, err } = await cli("logs --limit 5", { env: at(fake) });
    expect([code, out]).toEqual([0, "Log file: /tmp/x.log\n2026-01-02T03:04:05.000Z warn gateway hello red\nraw text\n"]);
    expect(err).toBe("Log tail truncated (increase --max-bytes).\n");
    expect(fake.peers[0]?.requests[1]?.params).toEqual({ limit: 5, maxBytes: 250_000 });
  });

  test("JSON is one object per line", async () => {
    const fake = await gateway(answering({ "logs.tail": tail }));
    const { out } = await cli("logs --json", { env: at(fake) });
    const types = out.trim().split("\n").map((text) => (JSON.parse(text) as { type: string }).type);
    expect(types).toEqual(["meta", "notice", "log", "raw"]);
  });

  test("following passes the cursor on and survives a cut connection", async () => {
    let interrupt = () => {};
    let looks = 0;
    const fake = await gateway((request, peer) => {
      if (request.method !== "logs.tail") return;
      looks += 1;
      if (looks === 2) return peer.socket.terminate();
      peer.answer(request, { ...tail, cursor: 10 + looks, truncated: false, lines: [`line ${looks}`] });
      if (looks === 4) interrupt();
    });
    const follow = { env: at(fake), speed: 20, onReady: (run: () => void) => (interrupt = run) };
    const { code, out, err } = await cli("logs --follow --interval 100", follow);
    expect(code).toBe(130);
    expect(out).toBe("Log file: /tmp/x.log\nline 1\nline 3\n");
    expect(err).toBe("Connection lost; trying again.\nConnected again.\n");
    expect(fake.peers[1]?.requests[1]?.params).toMatchObject({ cursor: 11 });
  });

  test("with the gateway down the local file is read, with a word about it", async () => {
    mkdirSync(join(home, ".openclaw"));
    const file = join(home, "gateway.log");
    writeFileSync(file, `one\ntwo\nthree\n`);
    writeFileSync(join(home, ".openclaw", "openclaw.json"), JSON.stringify({ logging: { file }, gateway: { port: 1 } }));
    const { code, out, err } = await cli("logs --limit 2");
    expect([code, out]).toEqual([0, `Log file: ${file}\ntwo\nthree\n`]);
    expect(err).toMatch(/Gateway not reachable; reading/);
  });

  test("without a file the failure is one object on stderr with --json", async () => {
    const { code, out, err } = await cli("logs --json", { env: { OPENCLAW_GATEWAY_PORT: "1" } });
    expect([code, out]).toEqual([1, ""]);
    expect(JSON.parse(err)).toMatchObject({ type: "error", message: "Gateway not reachable. Is it running and accessible?", details: { url: "ws://127.0.0.1:1" } });
  });
});
