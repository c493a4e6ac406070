import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { diffConfig, readConfig, reloadPlan } from "../config/index.ts";
import { fakeWorld } from "../kernel/fake-world.ts";
import { declared } from "./sections.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sections-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const read = (document: unknown) => {
  const file = join(folder, "openclaw.json");
  writeFileSync(file, JSON.stringify(document));
  return readConfig(file, fakeWorld(), declared);
};
const issues = (document: unknown): string[] => read(document).issues.map((issue) => `${issue.path}: ${issue.message}`);

/** lifecycle.md §7.4, row by row: what a change of the key needs. */
test.each([
  ["meta.lastTouchedAt", "none"],
  ["wizard.lastRunAt", "none"],
  ["gateway.remote.url", "live"],
  ["gateway.reload.mode", "live"],
  ["hooks.gmail.account", "hooks gmail"],
  ["hooks.token", "hooks"],
  ["agents.defaults.heartbeat.every", "heartbeat"],
  ["cron.enabled", "cron"],
  ["browser.headless", "browser"],
  ["web.heartbeatSeconds", "whatsapp"],
  ["channels.whatsapp.allowFrom", "live"],
  ["channels.whatsapp.groups.*.requireMention", "live"],
  ["channels.whatsapp.enabled", "whatsapp"],
  ["channels.whatsapp.accounts.work", "whatsapp"],
  ["channels.whatsapp.accounts.work.authDir", "whatsapp"],
  ["channels.whatsapp.accounts.work.enabled", "whatsapp"],
  ["channels.whatsapp.accounts.work.allowFrom", "live"],
  ["channels.telegram.botToken", "telegram"],
  ["channels.telegram.accounts.a.dmPolicy", "telegram"],
  ["channels.discord.token", "discord"],
  ["logging.level", "live"],
  ["models.providers.x.baseUrl", "live"],
  ["agents.list", "live"],
  ["tools.exec.timeoutSec", "live"],
  ["bindings", "live"],
  ["messages.queue.mode", "live"],
  ["session.reset.mode", "live"],
  ["talk.voiceId", "live"],
  ["skills.load.watch", "live"],
  ["ui.seamColor", "live"],
  ["commands.restart", "live"],
  ["commands.native", "telegram"],
  ["plugins.allow", "restart"],
  ["gateway.port", "restart"],
  ["gateway.auth.token", "restart"],
  ["discovery.mdns.mode", "restart"],
  ["canvasHost.port", "restart"],
  ["env.vars.X", "restart"],
  ["broadcast.strategy", "restart"],
  ["channels.unknown", "restart"],
])("a change of %s needs: %s", (path, wanted) => {
  const plan = reloadPlan([path], declared);
  const got = plan.live.length
    ? "live"
    : plan.restart.length
      ? "restart"
      : plan.ignored.length
        ? "none"
        : [...plan.services.keys()].join(" ");
  expect(got).toBe(wanted);
});

test("the example of config.md and one of everything later are legal", () => {
  expect(
    issues({
      gateway: { mode: "local", port: 18_789, auth: { mode: "token", token: "t" } },
      channels: {
        defaults: { groupPolicy: "allowlist", heartbeat: { showOk: true } },
        whatsapp: {
          dmPolicy: "allowlist",
          allowFrom: ["+15555550123"],
          groups: { "*": { requireMention: true } },
          accounts: { work: { authDir: "~/x" } },
        },
        telegram: {
          botToken: "1:a",
          customCommands: [{ command: "x", description: "y" }],
          accounts: { second: { tokenFile: "~/t" } },
          groups: { "-100": { topics: { "1": { enabled: true } } } },
        },
        discord: { anything: 1 },
      },
      bindings: [{ agentId: "main", match: { channel: "telegram", peer: { kind: "direct", id: "1" } } }],
      broadcast: { strategy: "parallel", "+1": ["main"] },
      hooks: {
        enabled: true,
        token: "x",
        mappings: [{ match: { path: "gh" }, action: "agent" }],
        gmail: { account: "a@b" },
      },
      cron: { enabled: false },
      browser: { profiles: { work: { cdpPort: 18_801, color: "#0066CC" } } },
      canvasHost: { port: 18_793 },
      discovery: { mdns: { mode: "off" } },
      plugins: { entries: { x: { enabled: true, config: { any: 1 } } } },
      env: { vars: { A: "b" }, C: "d", shellEnv: { enabled: false } },
      agents: {
        defaults: {
          heartbeat: { every: "30m", activeHours: { start: "08:00", end: "24:00" } },
          sandbox: { mode: "off" },
          memorySearch: { query: { hybrid: { vectorWeight: 0.7 } } },
        },
      },
      tools: { web: { search: { apiKey: "k" } }, media: { audio: { models: [{ type: "cli", command: "w" }] } } },
      auth: { profiles: { "a:b": { provider: "a", mode: "oauth" } }, order: { a: ["a:b"] } },
    }),
  ).toEqual([]);
});

test("the rules between keys name what is wrong", () => {
  expect(issues({ channels: { telgram: {} } })[0]).toContain('unknown channel "telgram"');
  expect(issues({ channels: { acme: {} }, plugins: { entries: { acme: {} } } })).toEqual([]);
  expect(issues({ channels: { telegram: { dmPolicy: "open" } } })[0]).toContain("channels.telegram.allowFrom");
  expect(issues({ channels: { telegram: { dmPolicy: "open", allowFrom: ["*"] } } })).toEqual([]);
  expect(issues({ channels: { telegram: { webhookUrl: "https://x" } } })[0]).toContain("webhookSecret");
  expect(issues({ tools: { allow: ["a"], alsoAllow: ["b"] } })[0]).toContain("both allow and alsoAllow");
  expect(issues({ agents: { defaults: { heartbeat: { every: "soon" } } } })[0]).toContain("expected a duration");
  expect(issues({ agents: { defaults: { heartbeat: { activeHours: { end: "25:00" } } } } })[0]).toContain(
    "activeHours.end",
  );
  expect(issues({ agents: { list: [{ id: "a", identity: { avatar: "../x.png" } }] } })[0]).toContain("avatar");
  expect(issues({ agents: { list: [{ id: "a" }, { id: "A" }] } })[0]).toContain("used twice");
  expect(issues({ browser: { profiles: { Work: { color: "#000000" } } } })).toHaveLength(2);
  expect(issues({ hooks: { enabled: true } })[0]).toContain("hooks.token");
  expect(issues({ ui: { seamColor: "red" } })[0]).toContain("ui.seamColor");
});

test("legacy keys load with their values moved, and are named", () => {
  const snapshot = read({ gateway: { token: "t" }, telegram: { botToken: "1:a" } });
  expect(snapshot.verdict).toBe("ok");
  expect(snapshot.config).toMatchObject({
    gateway: { auth: { token: "t" } },
    channels: { telegram: { botToken: "1:a" } },
  });
  expect(snapshot.legacyIssues.map((issue) => issue.path)).toEqual(["telegram", "gateway.token"]);
});

test("a config of a newer program loads with a warning", () => {
  const { warnings } = read({ meta: { lastTouchedVersion: "2999.1.1" } });
  expect(warnings[0]?.message).toMatch(
    /^Config was last written by a newer OpenClaw \(2999\.1\.1\); current version is /u,
  );
});

test("the same document judged twice differs in nothing", () => {
  const document = {
    agents: { list: [{ id: "a" }] },
    models: { providers: { x: { baseUrl: "http://h", models: [{ id: "m" }] } } },
  };
  expect(diffConfig(read(document).config, read(document).config)).toEqual([]);
});
