import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStateLock } from "../../store/index.ts";
import { healthyInstallation, template, version, type Installation } from "./doctor.fixture.ts";
import { checks } from "./index.ts";

let from: string;
beforeAll(async () => {
  from = await template();
});
afterAll(() => rmSync(from, { recursive: true }));

let here: Installation;
beforeEach(async () => {
  here = await healthyInstallation(from);
});
afterEach(() => here.remove());

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const codes = (report: { findings: readonly { code: string }[] }): string[] => report.findings.map(({ code }) => code);
const aMinuteAgo = (path: string): void => utimesSync(path, new Date(0), new Date(0));

const bot = "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const withTelegram = (telegram: Record<string, unknown>): void =>
  here.change((document) => Object.assign(document, { channels: { telegram } }));

interface Fault {
  code: string;
  seed(): void | Promise<void>;
  /** Needs `--force`, or `--generate-gateway-token`. */
  with?: "force" | "generateToken";
  /** Beyond the finding being gone. */
  after?(): void;
}

const repairable: Fault[] = [
  {
    code: "state-missing",
    seed: () => rmSync(here.state, { recursive: true }),
    after: () => expect(mode(here.state)).toBe("700"),
  },
  { code: "state-mode", seed: () => chmodSync(here.state, 0o755), after: () => expect(mode(here.state)).toBe("700") },
  {
    code: "config-mode",
    seed: () => chmodSync(here.config, 0o644),
    after: () => expect(mode(here.config)).toBe("600"),
  },
  {
    code: "config-copies-mode",
    seed: () => {
      copyFileSync(here.config, `${here.config}.bak.1`);
      chmodSync(`${here.config}.bak.1`, 0o664);
    },
    after: () => expect(mode(`${here.config}.bak.1`)).toBe("600"),
  },
  {
    code: "dotenv-mode",
    seed: () => writeFileSync(join(here.state, ".env"), "OPENAI_API_KEY=x", { mode: 0o644 }),
    after: () => expect(mode(join(here.state, ".env"))).toBe("600"),
  },
  {
    code: "private-files-mode",
    seed: () => chmodSync(join(here.state, "openclaw.db"), 0o640),
    after: () => expect(mode(join(here.state, "openclaw.db"))).toBe("600"),
  },
  {
    code: "log-mode",
    seed: () => {
      mkdirSync(join(here.home, "tmp", "openclaw"), { mode: 0o700 });
      writeFileSync(join(here.home, "tmp", "openclaw", "openclaw-2026-02-13.log"), "x", { mode: 0o644 });
    },
    after: () => expect(mode(join(here.home, "tmp", "openclaw", "openclaw-2026-02-13.log"))).toBe("600"),
  },
  {
    code: "config-missing",
    seed: () => rmSync(here.config),
    after: () => expect(JSON.parse(here.read())).toMatchObject({ gateway: { mode: "local" } }),
  },
  {
    code: "config-old-name",
    seed: () => renameSync(here.config, join(here.state, "clawdbot.json")),
    after: () => expect(existsSync(join(here.state, "clawdbot.json"))).toBe(true),
  },
  {
    code: "config-unparsable",
    seed: () => {
      copyFileSync(here.config, `${here.config}.bak`);
      here.write("{ gateway: { mode: ");
    },
    after: () => expect(here.read()).toBe(readFileSync(`${here.config}.bak`, "utf8")),
  },
  {
    code: "config-unknown-key",
    seed: () =>
      here.change((document) =>
        Object.assign(document, { gatway: { port: 1 }, gateway: { ...document.gateway, prot: 1 } }),
      ),
    after: () => expect(here.read()).not.toMatch(/gatway|prot/),
  },
  {
    code: "config-legacy-key",
    seed: () => here.change((document) => Object.assign(document, { telegram: { enabled: false } })),
    after: () => expect(JSON.parse(here.read())).toMatchObject({ channels: { telegram: { enabled: false } } }),
  },
  {
    code: "config-leftover",
    seed: () => {
      writeFileSync(`${here.config}.77.0a-1b.tmp`, "{");
      aMinuteAgo(`${here.config}.77.0a-1b.tmp`);
    },
    after: () => expect(existsSync(`${here.config}.77.0a-1b.tmp`)).toBe(false),
  },
  {
    code: "gateway-mode",
    seed: () => here.change((document) => delete document.gateway?.mode),
    after: () => expect(JSON.parse(here.read())).toMatchObject({ gateway: { mode: "local" } }),
  },
  {
    code: "auth-missing",
    seed: () => here.change((document) => delete document.gateway?.auth),
    after: () =>
      expect(JSON.parse(here.read())).toMatchObject({
        gateway: { auth: { mode: "token", token: expect.stringMatching(/^[0-9a-f]{48}$/) as string } },
      }),
  },
  {
    code: "auth-weak",
    with: "generateToken",
    seed: () => here.change((document) => Object.assign(document.gateway ?? {}, { auth: { token: "changeme" } })),
    after: () => expect(here.read()).not.toContain("changeme"),
  },
  {
    code: "bind-address",
    seed: () => here.change((document) => Object.assign(document.gateway ?? {}, { bind: "custom" })),
    after: () => expect(JSON.parse(here.read())).toMatchObject({ gateway: { bind: "loopback" } }),
  },
  {
    code: "status-file",
    seed: () => writeFileSync(join(here.state, "status.json"), '{"pid":', { mode: 0o600 }),
    after: () => expect(existsSync(join(here.state, "status.json"))).toBe(false),
  },
  {
    code: "device-identity",
    seed: () => {
      mkdirSync(join(here.state, "identity"), { mode: 0o700 });
      writeFileSync(join(here.state, "identity", "device.json"), "{}", { mode: 0o600 });
    },
    after: () => expect(existsSync(join(here.state, "identity", "device.json"))).toBe(false),
  },
  {
    code: "store-damaged",
    with: "force",
    seed: () =>
      writeFileSync(join(here.state, "openclaw.db"), "this is no database, whatever its name says ".repeat(200), {
        mode: 0o600,
      }),
    after: () => expect(existsSync(join(here.state, "openclaw.db"))).toBe(false),
  },
  {
    code: "old-layout",
    seed: () => {
      const sessions = join(here.state, "agents", "main", "sessions");
      mkdirSync(sessions, { recursive: true });
      writeFileSync(
        join(sessions, "sessions.json"),
        JSON.stringify({ "agent:main:main": { sessionId: "s1", updatedAt: 1 } }),
      );
    },
    after: () => expect(existsSync(join(here.state, "agents", "main", "sessions", "sessions.json"))).toBe(true),
  },
  {
    code: "workspace-missing",
    seed: () => rmSync(here.workspace, { recursive: true }),
    after: () => expect(existsSync(join(here.workspace, "AGENTS.md"))).toBe(true),
  },
  {
    code: "workspace-files",
    seed: () => rmSync(join(here.workspace, "TOOLS.md")),
    after: () => expect(existsSync(join(here.workspace, "TOOLS.md"))).toBe(true),
  },
  {
    code: "workspace-mode",
    seed: () => chmodSync(here.workspace, 0o777),
    after: () => expect(mode(here.workspace)).toBe("755"),
  },
];

describe("a fault that can be repaired", () => {
  test.each(repairable)("$code is found without being touched, and gone after the repair", async (fault) => {
    await fault.seed();
    const before = here.print();
    const found = await here.doctor();
    expect(codes(found)).toContain(fault.code);
    expect(found.repairs).toEqual([]);
    expect(here.print()).toEqual(before);

    const fixed = await here.doctor({ fix: true, ...(fault.with ? { [fault.with]: true } : {}) });
    expect(fixed.repairs.filter(({ ok }) => !ok)).toEqual([]);
    expect(fixed.repairs.map(({ code }) => code)).toContain(fault.code);
    expect(codes(fixed)).not.toContain(fault.code);
    fault.after?.();
    expect((await here.doctor()).findings.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test("is repaired only with the flag that fits", async () => {
    here.change((document) => Object.assign(document.gateway ?? {}, { auth: { token: "changeme" } }));
    writeFileSync(join(here.state, "openclaw.db"), "no database ".repeat(500), { mode: 0o600 });
    const report = await here.doctor({ fix: true });
    expect(report.repairs).toEqual([]);
    expect(codes(report)).toEqual(expect.arrayContaining(["auth-weak", "store-damaged"]));
  });

  test("is repaired after a yes, once asked per check, and left after a no", async () => {
    chmodSync(here.config, 0o644);
    chmodSync(here.state, 0o755);
    const asked: string[] = [];
    const report = await here.doctor({
      confirm: (check) => {
        asked.push(check.id);
        return Promise.resolve(check.id === "config-mode");
      },
    });
    expect(asked).toEqual(["state-mode", "config-mode"]);
    expect([mode(here.config), mode(here.state), codes(report).includes("state-mode")]).toEqual(["600", "755", true]);
  });

  test("keeps what it replaces, readable by the owner only", async () => {
    copyFileSync(here.config, `${here.config}.bak`);
    here.write("{ broken");
    const { backup = "" } = await here.doctor({ fix: true });
    expect(readFileSync(join(backup, "openclaw.json"), "utf8")).toBe("{ broken");
    expect([mode(backup), mode(join(backup, "openclaw.json"))]).toEqual(["700", "600"]);
  });

  test("that several keys share is one write, comments stay", async () => {
    here.write(
      '// mine\n{ gateway: { mode: "local", auth: { token: "0123456789abcdef0123456789abcdef" } }, // why\n  agent: { workspace: "~/.openclaw/workspace" }, oops: 1, oops2: 2 }\n',
    );
    const report = await here.doctor({ fix: true });
    expect(report.repairs.filter(({ ok }) => !ok)).toEqual([]);
    expect(here.read()).toMatch(/^\/\/ mine/);
    expect(here.read()).not.toMatch(/oops|agent:/);
    expect(here.read()).toContain("// why");
    expect(report.config.verdict).toBe("ok");
  });

  test("a repair that fails is told, and the others go on", async () => {
    here.change((document) => delete document.gateway?.mode);
    chmodSync(here.config, 0o644);
    const managed = await here.doctor({
      fix: true,
      world: { ...here.world, env: { ...here.world.env, OPENCLAW_NIX_MODE: "1" } },
    });
    expect(managed.repairs.map(({ code, ok }) => [code, ok])).toEqual([
      ["config-mode", true],
      ["gateway-mode", false],
    ]);
  });
});

const reported: { code: string; seed(): void | Promise<void> }[] = [
  {
    code: "config-invalid",
    seed: () => here.change((document) => Object.assign(document.gateway ?? {}, { port: "many" })),
  },
  {
    code: "remote-url",
    seed: () => here.change((document) => Object.assign(document.gateway ?? {}, { mode: "remote" })),
  },
  {
    code: "config-warning",
    seed: () =>
      here.change((document) =>
        Object.assign(document, {
          agents: { list: [{ id: "main" }] },
          bindings: [{ agentId: "ghost", match: { channel: "telegram" } }],
        }),
      ),
  },
  {
    code: "dangerous-switch",
    seed: () =>
      here.change((document) =>
        Object.assign(document.gateway ?? {}, { controlUi: { dangerouslyDisableDeviceAuth: true } }),
      ),
  },
  { code: "unclean-end", seed: () => here.status({ state: "running" }) },
  { code: "clock", seed: () => here.status({ writtenAt: here.world.now() + 10 * 86_400_000 }) },
  { code: "state-directories", seed: () => mkdirSync(join(here.home, ".clawdbot", "agents"), { recursive: true }) },
  {
    code: "crash-record",
    seed: () => {
      mkdirSync(join(here.state, "crashes"), { mode: 0o700 });
      writeFileSync(
        join(here.state, "crashes", "crash-1.json"),
        JSON.stringify({ time: new Date(here.world.now()).toISOString(), error: "Error: boom\n    at x" }),
        { mode: 0o600 },
      );
    },
  },
  { code: "log-folder", seed: () => symlinkSync(here.home, join(here.home, "tmp", "openclaw")) },
  {
    code: "model-key",
    seed: () =>
      here.change((document) =>
        Object.assign(document, { agents: { defaults: { model: { primary: "openai/some-model" } } } }),
      ),
  },
  { code: "channel-incomplete", seed: () => withTelegram({}) },
  { code: "channel-shared-session", seed: () => withTelegram({ botToken: bot, allowFrom: [1, 2] }) },
  { code: "channel-open", seed: () => withTelegram({ botToken: bot, dmPolicy: "open", allowFrom: ["*"] }) },
];

describe("a fault that only a person can repair", () => {
  test.each(reported)("$code is found, and --fix changes nothing about it", async ({ code, seed }) => {
    await seed();
    const before = here.print();
    const report = await here.doctor({ fix: true, force: true });
    const finding = report.findings.find((found) => found.code === code);
    expect(finding).toMatchObject({ fixable: false });
    expect(finding?.fix).not.toBe("");
    expect(here.print()).toEqual(before);
  });

  test("auth-differs: config and environment name different tokens, and neither is shown", async () => {
    const env = { ...here.world.env, OPENCLAW_GATEWAY_TOKEN: "canary-of-the-environment" };
    const report = await here.doctor({ world: { ...here.world, env } });
    expect(codes(report)).toContain("auth-differs");
    expect(JSON.stringify(report)).not.toContain("canary-of-the-environment");
  });

  test("auth-missing: a bind beyond loopback without a password says that everybody could enter", async () => {
    here.change((document) => Object.assign(document.gateway ?? {}, { bind: "lan", auth: { mode: "password" } }));
    const report = await here.doctor({ fix: true });
    expect(report.findings.find(({ code }) => code === "auth-missing")).toMatchObject({
      severity: "error",
      fixable: false,
      title: "gateway.bind is lan, and there is no password.",
    });
  });

  test("port-busy: names who holds the port", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const report = await here.doctor({
      world: { ...here.world, env: { ...here.world.env, OPENCLAW_GATEWAY_PORT: String(port) } },
    });
    server.close();
    const found = report.findings.find(({ code }) => code === "port-busy");
    expect(found?.title).toContain(`Port ${port} is already in use`);
    if (process.platform === "linux") expect(found?.title).toContain(`pid ${process.pid} `);
  });

  test("runtime-version: an older runtime is named", async () => {
    expect(codes(await here.doctor({ world: { ...here.world, nodeVersion: "v22.1.0" } }))).toContain("runtime-version");
  });

  test("store-version: a store of a newer version is left alone", async () => {
    const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
    const database = new DatabaseSync(join(here.state, "openclaw.db"));
    database.exec("INSERT INTO migration (id, at, additive) VALUES ('from-the-future', 1, 0)");
    database.close();
    const report = await here.doctor({ fix: true, force: true });
    expect(report.findings.find(({ code }) => code === "store-version")?.cause).toContain("from-the-future");
    expect(existsSync(join(here.state, "openclaw.db"))).toBe(true);
  });
});

describe("while a gateway runs", () => {
  test("its store is not touched, and what differs from this command is told", async () => {
    await here.status({
      state: "running",
      version: "0.9.0",
      configPath: "/elsewhere/openclaw.json",
      port: 4_242,
      problems: [{ part: "store", message: "disk is slow" }],
    });
    const lock = openStateLock(here.state);
    const report = await here.doctor({ fix: true });
    lock.release();
    expect(report.gateway).toEqual({ running: true, pid: 1, port: 4_242 });
    expect(codes(report).filter((code) => code.startsWith("running") || code.startsWith("gateway"))).toEqual([
      "running-differs",
      "running-differs",
      "running-differs",
      "gateway-problem",
    ]);
    expect(report.skipped).toEqual(["the store is checked while no gateway uses it"]);
    expect(report.repairs).toEqual([]);
  });
});

describe("a healthy installation", () => {
  test("is left byte for byte as it is, times included, with every flag", async () => {
    const before = here.print();
    const report = await here.doctor({ fix: true, force: true, deep: true, generateToken: true });
    expect(report.findings.filter(({ severity }) => severity !== "info")).toEqual([]);
    expect(report.repairs).toEqual([]);
    expect(report.skipped).toEqual([]);
    expect(report.backup).toBeUndefined();
    expect(here.print()).toEqual(before);
  });
});

test("a parse error that quotes the file shows no secret", async () => {
  here.write('{ gateway: { auth: { token: "sk-canary0123456789abcdef" "x" } } }');
  expect(JSON.stringify(await here.doctor())).not.toContain("canary0123456789");
});

test("every check has a code of its own and says what it looks at; at least thirty look", () => {
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  expect(checks.length).toBeGreaterThanOrEqual(30);
  for (const check of checks)
    expect([check.id, check.summary !== "", check.fix === undefined]).toEqual([
      check.id,
      true,
      check.repair === undefined,
    ]);
  expect(version).toBe("1.0.0");
});

test("what it suggests reaches the profile it looked at", async () => {
  const world = { ...here.world, env: { ...here.world.env, OPENCLAW_PROFILE: "rescue" } };
  const { findings } = await here.doctor({ world });
  expect(findings.find(({ code }) => code === "config-missing")?.fix).toBe("openclaw --profile rescue setup");
});
