/** The set-up through its three doors: flags, RPC, and a real terminal (cli.md §2.3, protocol.md §13.13). */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLogger } from "../../packages/gateway/src/kernel/log.ts";
import { FrameLog } from "../../packages/gateway/src/server/frame-log.ts";
import { withGateway, type TestGateway } from "../support/gateway.ts";
import { compileCache, launcher, runCli, startGateway, type Home } from "../support/process.ts";

/** A person's home without any gateway in it. */
let home: Home;
beforeEach(() => {
  const path = mkdtempSync(join(tmpdir(), "openclaw-onboard-"));
  home = {
    path,
    state: join(path, ".openclaw"),
    env: { PATH: process.env.PATH ?? "", HOME: path, TMPDIR: path, NO_COLOR: "1", ...compileCache },
    children: new Set(),
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  };
});
afterEach(() => home.remove());

interface Written {
  gateway: {
    mode: string;
    port?: number;
    bind?: string;
    auth?: { mode?: string; token?: string; password?: string };
    tailscale?: { mode: string; resetOnExit?: boolean };
    remote?: { url: string; token?: string };
  };
  agents?: { defaults: { workspace: string; model?: { primary: string } } };
  wizard: Record<string, string>;
}
const configFile = () => join(home.state, "openclaw.json");
const config = () => JSON.parse(readFileSync(configFile(), "utf8")) as Written;
const dotenv = () => join(home.state, ".env");
const onboard = (flags: string, env: Record<string, string> = {}) =>
  runCli(home, ["onboard", "--non-interactive", "--accept-risk", ...flags.split(" ").filter(Boolean)], { env });

describe("from flags", () => {
  test("without any: local, loopback, a random token, the workspace with its first files", async () => {
    const ran = await onboard("--json");
    expect([ran.stderr, ran.code]).toEqual(["", 0]);
    expect(JSON.parse(ran.stdout)).toEqual({
      mode: "local",
      workspace: "~/.openclaw/workspace",
      authChoice: "skip",
      gateway: { port: 18_789, bind: "loopback", authMode: "token", tailscaleMode: "off" },
      installDaemon: false,
      skipSkills: true,
      skipHealth: true,
    });
    expect(config().gateway.auth?.token).toMatch(/^[0-9a-f]{48}$/);
    expect(config().wizard).toMatchObject({ lastRunCommand: "onboard", lastRunMode: "local" });
    expect(statSync(configFile()).mode & 0o777).toBe(0o600);
    expect(existsSync(join(home.state, "workspace", "AGENTS.md"))).toBe(true);
    expect(existsSync(dotenv())).toBe(false);
    expect((await runCli(home, ["config", "validate"])).code).toBe(0);
  });

  test("a second run changes nothing, whatever comments stand there", async () => {
    await onboard("");
    const text = readFileSync(configFile(), "utf8").replace("{", "{ // mine");
    writeFileSync(configFile(), text);
    expect((await onboard("")).stdout).toContain("Config OK: ~/.openclaw/openclaw.json");
    expect(readFileSync(configFile(), "utf8")).toBe(text);
  });

  test("a key goes to .env, closed to others, beside what stands there, and chooses the model", async () => {
    mkdirSync(home.state, { mode: 0o700 });
    writeFileSync(dotenv(), "# mine\nOTHER=1\nOPENAI_API_KEY=old\n", { mode: 0o644 });
    // The old key would be found; a new one for another provider is kept beside it.
    expect((await onboard("--anthropic-api-key sk-ant-canary")).code).toBe(0);
    expect(readFileSync(dotenv(), "utf8")).toBe(
      "# mine\nOTHER=1\nOPENAI_API_KEY=old\nANTHROPIC_API_KEY=sk-ant-canary\n",
    );
    expect(statSync(dotenv()).mode & 0o777).toBe(0o600);
    expect(readFileSync(configFile(), "utf8")).not.toContain("canary");
    expect(config().agents?.defaults.model?.primary).toMatch(/^anthropic\//);
    const gateway = await startGateway(home);
    const env = { OPENCLAW_GATEWAY_PORT: String(gateway.port) };
    const status = await runCli(home, ["models", "status", "--check"], { env });
    await gateway.stop();
    expect([status.stderr, status.code]).toEqual(["", 0]);
    expect(status.stdout + gateway.output()).not.toContain("canary");
  });

  test("a new key replaces the old one of the same name", async () => {
    await onboard("--openai-api-key sk-old");
    expect((await onboard("--openai-api-key sk-new")).stdout).not.toContain("wins");
    expect(readFileSync(dotenv(), "utf8")).toBe("OPENAI_API_KEY=sk-new\n");
    const ran = await onboard("--openai-api-key sk-newer", { OPENAI_API_KEY: "sk-of-the-shell" });
    expect(ran.stdout).toContain("OPENAI_API_KEY is also set in the environment, and wins there.");
    expect(ran.stdout).not.toContain("sk-");
  });

  test.each([
    ["--gateway-port 19555 --gateway-bind lan", { port: 19_555, bind: "lan" }],
    ["--gateway-token my-own-token", { auth: { mode: "token", token: "my-own-token" } }],
    ["--gateway-password pass-word", { auth: { mode: "password", password: "pass-word" } }],
    [
      "--tailscale funnel --gateway-password pass-word --tailscale-reset-on-exit",
      { tailscale: { mode: "funnel", resetOnExit: true }, auth: { mode: "password", password: "pass-word" } },
    ],
    ["--tailscale serve", { tailscale: { mode: "serve" } }],
  ])("%s is written", async (flags, wanted) => {
    const ran = await onboard(flags);
    expect([ran.stderr, ran.code]).toEqual(["", 0]);
    expect(config().gateway).toMatchObject(wanted);
    expect((await runCli(home, ["config", "validate"])).code).toBe(0);
  });

  test("a gateway elsewhere: its address and token, no workspace, no token of our own", async () => {
    const ran = await onboard("--mode remote --remote-url wss://far:18789 --remote-token far-token");
    expect([ran.stderr, ran.code]).toEqual(["", 0]);
    expect(config().gateway).toEqual({ mode: "remote", remote: { url: "wss://far:18789", token: "far-token" } });
    expect(config().agents).toBeUndefined();
    expect(existsSync(join(home.state, "workspace"))).toBe(false);
  });

  test("--reset starts over; the old text comes back from the history", async () => {
    await onboard("--gateway-port 19555 --gateway-token old-token");
    expect((await onboard("--reset")).code).toBe(0);
    expect(config().gateway.port).toBeUndefined();
    expect(config().gateway.auth?.token).toMatch(/^[0-9a-f]{48}$/);
    expect((await runCli(home, ["config", "restore", "2"])).code).toBe(0);
    expect(config().gateway).toMatchObject({ port: 19_555, auth: { token: "old-token" } });
  });

  test("a broken config is not touched, unless --reset says so", async () => {
    mkdirSync(home.state, { mode: 0o700 });
    writeFileSync(configFile(), "{ broken");
    const ran = await onboard("");
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("doctor --fix");
    expect(readFileSync(configFile(), "utf8")).toBe("{ broken");
    expect((await onboard("--reset")).code).toBe(0);
    expect(config().gateway.mode).toBe("local");
  });

  test("the development profile has its own place and port", async () => {
    const ran = await runCli(home, ["--dev", "onboard", "--non-interactive", "--accept-risk", "--json"]);
    expect(JSON.parse(ran.stdout)).toMatchObject({ workspace: "~/.openclaw/workspace-dev", gateway: { port: 19_001 } });
    expect(existsSync(join(home.path, ".openclaw-dev", "openclaw.json"))).toBe(true);
  });

  test.each([
    ["--gateway-port 70000", "--gateway-port: Give a port from 1 to 65535."],
    ["--mode remote", "--remote-url: Give an address"],
    ["--mode remote --remote-url http://x", "--remote-url: Give an address"],
    ["--remote-url ws://x", "need --mode remote"],
    ["--workspace relative/path", "--workspace: Give a whole path"],
    ["--tailscale funnel", "--gateway-password: A password is needed."],
    ["--tailscale serve --gateway-bind lan", "--tailscale needs --gateway-bind loopback"],
    ["--tailscale funnel --gateway-token t", "--tailscale funnel needs --gateway-auth password"],
    ["--gateway-bind custom", "gateway.customBindHost"],
    ["--gateway-token a --gateway-password b", "not both"],
    ["--anthropic-api-key a --openai-api-key b", "Give one key"],
    ["--auth-choice token --token x", "needs --token-provider"],
    ["--auth-choice nonsense", "--auth-choice: Choose one of"],
    ["--kimi-code-api-key x", "--kimi-code-api-key is not offered yet"],
    ["--install-daemon --skip-daemon", "not both"],
    ["--install-daemon --daemon-runtime bun", "needs Node"],
    ["--gateway-bind elsewhere", "loopback"],
  ])("%s is refused, and nothing is written", async (flags, message) => {
    const ran = await onboard(flags);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(message);
    expect(existsSync(home.state)).toBe(false);
  });

  test.each([
    ["onboard --non-interactive", "needs --accept-risk"],
    ["onboard", "This needs a terminal. Without one: openclaw onboard --non-interactive --accept-risk"],
    ["onboard --json", "--json needs --non-interactive"],
    ["configure", "This needs a terminal. Without one: openclaw config set"],
    ["config", "This needs a terminal. Without one: openclaw config set"],
    ["setup --wizard", "This needs a terminal."],
  ])("%s without a terminal says what to do instead", async (words, message) => {
    const ran = await runCli(home, words.split(" "));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(message);
    expect(existsSync(home.state)).toBe(false);
  });

  test("setup takes the address of a gateway elsewhere", async () => {
    const ran = await runCli(home, ["setup", "--mode", "remote", "--remote-url", "ws://far:18789"]);
    expect([ran.stderr, ran.code]).toEqual(["", 0]);
    expect(config().gateway).toEqual({ mode: "remote", remote: { url: "ws://far:18789" } });
  });
});

interface Turn {
  sessionId: string;
  done: boolean;
  status: string;
  error?: string;
  step?: { id: string; type: string; initialValue?: unknown; sensitive?: boolean; options?: { value: string }[] };
}

describe("over RPC", () => {
  const offline = { world: { fetch: () => Promise.reject(new Error("no network here")) } };
  const open = async (gateway: TestGateway) => {
    const wire = await gateway.connect();
    const call = async (method: string, params: Record<string, unknown>) => {
      const answer = await wire.request(method, params);
      if (!answer.ok) throw new Error(answer.error?.message);
      return answer.payload as unknown as Turn;
    };
    return call;
  };

  test("the steps come one by one, and the running gateway takes the result over", async () => {
    await withGateway(async (gateway) => {
      const call = await open(gateway);
      const answers: Record<string, unknown> = {
        risk: true,
        existing: "modify",
        provider: "openai",
        key: "sk-canary-rpc",
      };
      let turn = await call("wizard.start", { mode: "local" });
      const { sessionId } = turn;
      const seen: string[] = [];
      while (!turn.done && turn.step) {
        const { id, initialValue } = turn.step;
        seen.push(id);
        turn = await call("wizard.next", { sessionId, answer: { stepId: id, value: answers[id] ?? initialValue } });
      }
      expect(seen).toEqual([
        "risk",
        "existing",
        "flow",
        "workspace",
        "provider",
        "key",
        "model",
        "later",
        "apply",
        "summary",
      ]);
      expect(turn).toMatchObject({ done: true, status: "done" });
      expect(await call("wizard.status", { sessionId })).toEqual({ status: "done" });
      const text = readFileSync(join(gateway.home.state, "openclaw.json"), "utf8");
      expect(JSON.parse(text)).toMatchObject({ models: { providers: { openai: { apiKey: "sk-canary-rpc" } } } });
      expect(gateway.log.join("\n")).not.toContain("canary");
      await expect(call("wizard.next", { sessionId })).rejects.toThrow("wizard not running");
    }, offline);
  });

  test("one at a time; a stopped one writes nothing and makes room", async () => {
    await withGateway(async (gateway) => {
      const call = await open(gateway);
      const before = readFileSync(join(gateway.home.state, "openclaw.json"), "utf8");
      const { sessionId, step } = await call("wizard.start", {});
      expect(step).toMatchObject({ id: "risk", type: "confirm", initialValue: false });
      await expect(call("wizard.start", {})).rejects.toThrow("wizard already running");
      await expect(call("wizard.status", { sessionId: "other" })).rejects.toThrow("wizard not found");
      expect(await call("wizard.cancel", { sessionId })).toEqual({ status: "cancelled" });
      const next = await call("wizard.start", {});
      const declined = await call("wizard.next", {
        sessionId: next.sessionId,
        answer: { stepId: "risk", value: false },
      });
      expect(declined).toEqual({ done: true, status: "cancelled" });
      expect(readFileSync(join(gateway.home.state, "openclaw.json"), "utf8")).toBe(before);
    }, offline);
  });

  test("a wrong answer and an answer to another step leave the step as it is", async () => {
    await withGateway(async (gateway) => {
      const call = await open(gateway);
      const { sessionId } = await call("wizard.start", {});
      await call("wizard.next", { sessionId, answer: { stepId: "risk", value: true } });
      const wrong = await call("wizard.next", { sessionId, answer: { stepId: "existing", value: { deep: 1 } } });
      expect(wrong).toMatchObject({ done: false, status: "running", error: "Choose keep, modify or reset." });
      const other = await call("wizard.next", { sessionId, answer: { stepId: "risk", value: true } });
      expect(other).toMatchObject({ done: false, step: { id: "existing" } });
      expect(await call("wizard.next", { sessionId })).toMatchObject({ step: { id: "existing" }, status: "running" });
    }, offline);
  });
});

test("what is typed into the wizard is not in the log of frames", () => {
  const lines: string[] = [];
  const sinks = [(line: unknown) => void lines.push(JSON.stringify(line))];
  const log = new FrameLog(createLogger({ subsystem: "ws", sinks, now: () => 0 }));
  const params = { sessionId: "s", answer: { stepId: "key", value: "sk-canary" } };
  log.received("c", Buffer.from(JSON.stringify({ type: "req", id: "1", method: "wizard.next", params })));
  expect(lines).toHaveLength(1);
  expect(lines.join("\n")).not.toContain("canary");
});

const pty = await import("@lydell/node-pty").catch(() => undefined);

describe.skipIf(pty === undefined)("on a terminal of 80 columns", () => {
  /** Types an answer whenever its question has appeared. */
  function drive(words: string, script: readonly (readonly [question: string, keys: string])[]) {
    const terminal = pty?.spawn(launcher, words.split(" "), {
      cols: 80,
      rows: 30,
      cwd: home.path,
      // A proxy that is not there: no test asks a real provider.
      env: { ...home.env, TERM: "xterm", NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: "http://127.0.0.1:9" },
    });
    if (!terminal) throw new Error("no terminal");
    let output = "";
    let from = 0;
    const left = [...script];
    return new Promise<{ code: number; output: string }>((resolve) => {
      terminal.onData((text) => {
        output += text;
        const [question, keys] = left[0] ?? [];
        const at = question === undefined ? -1 : output.indexOf(question, from);
        if (at < 0 || question === undefined || keys === undefined) return;
        from = at + question.length;
        left.shift();
        terminal.write(keys);
      });
      const guard = setTimeout(() => terminal.kill("SIGKILL"), 12_000);
      terminal.onExit(({ exitCode }) => {
        clearTimeout(guard);
        resolve({ code: exitCode, output });
      });
    });
  }
  const enter = "\r";
  const down = "\u001b[B";

  test("the whole set-up, everything decided by hand", async () => {
    const { code, output } = await drive("onboard", [
      ["Go on?", "y"],
      ["How much do you want", down + enter],
      ["Where does the gateway", enter],
      ["Workspace", enter],
      ["Which model", enter],
      ["Port for", "\u007f\u007f\u007f\u007f\u007f19555" + enter],
      ["Tailscale", enter],
      ["Who can reach", enter],
      ["How do clients", enter],
      ["Token (empty", "typed-secret" + enter],
      ["Write ~/.openclaw", enter],
    ]);
    expect(output).toContain("Start it:");
    expect(code).toBe(0);
    expect(config().gateway).toMatchObject({ mode: "local", port: 19_555, auth: { token: "typed-secret" } });
    expect(output).not.toContain("typed-secret");
    // What moves the cursor begins a new piece; colours take no room.
    const pieces = stripVTControlCharacters(output.replace(/\u{1b}\[[0-9;?]*[A-HJKSTfhl]/gu, "\n")).split(/\r?\n/);
    expect(pieces.filter((piece) => [...piece].length > 80)).toEqual([]);
  });

  test("Ctrl-C ends with 130 and writes nothing, also at the last question", async () => {
    const { code } = await drive("onboard", [
      ["Go on?", "y"],
      ["How much do you want", enter],
      ["Where does the gateway", enter],
      ["Workspace", enter],
      ["Which model", enter],
      ["Write ~/.openclaw", "\u0003"],
    ]);
    expect(code).toBe(130);
    expect(existsSync(home.state)).toBe(false);
  });

  test("who does not accept the risk has changed nothing", async () => {
    const { code } = await drive("onboard", [["Go on?", "n"]]);
    expect(code).toBe(1);
    expect(existsSync(home.state)).toBe(false);
  });

  test("configure changes the part that is named and nothing else", async () => {
    await onboard("");
    const before = config();
    const { code } = await drive("configure --section workspace", [
      ["Workspace", "2" + enter],
      ["Write ~/.openclaw", enter],
    ]);
    expect(code).toBe(0);
    const { gateway, agents } = config();
    expect(gateway).toEqual(before.gateway);
    expect(agents?.defaults.workspace).toBe("~/.openclaw/workspace2");
  });

  test("configure refuses a broken config and says how to repair it", async () => {
    mkdirSync(home.state, { mode: 0o700 });
    writeFileSync(configFile(), '{ gateway: { port: "x" } }');
    const { code, output } = await drive("configure --section model", []);
    expect(code).toBe(1);
    expect(output).toContain("doctor --fix");
    expect(readFileSync(configFile(), "utf8")).toBe('{ gateway: { port: "x" } }');
  });

  test("a typed key is masked on the screen and kept in .env", async () => {
    const { code, output } = await drive("onboard", [
      ["Go on?", "y"],
      ["How much do you want", enter],
      ["Where does the gateway", enter],
      ["Workspace", enter],
      ["Which model", down + enter],
      ["API key", "sk-canary" + enter],
      ["Model of", "x" + enter],
      ["Write ~/.openclaw", enter],
    ]);
    expect(output).not.toContain("canary");
    expect(output).toContain("Done");
    expect(code).toBe(0);
    expect(readFileSync(dotenv(), "utf8")).toMatch(/^[A-Z_]+_API_KEY=sk-canary\n$/);
    expect(config().agents?.defaults.model?.primary).toMatch(/x$/);
  });
});
