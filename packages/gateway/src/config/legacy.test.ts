import * as fc from "fast-check";
import { expect, test } from "vitest";
import { legacyRules, migrateLegacy, type Json } from "./legacy.ts";

/** Every row of config.md §9: name, before, after. */
const rows: readonly [string, Json, Json][] = [
  ...["whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams"].map((id): [string, Json, Json] => [
    id,
    { [id]: { enabled: true } },
    { channels: { [id]: { enabled: true } } },
  ]),
  [
    "a channel that is there already wins, and is completed",
    { telegram: { enabled: true, name: "old" }, channels: { telegram: { name: "new" } } },
    { channels: { telegram: { name: "new", enabled: true } } },
  ],
  [
    "routing.allowFrom",
    { routing: { allowFrom: ["+1"] }, channels: { whatsapp: {} } },
    { channels: { whatsapp: { allowFrom: ["+1"] } } },
  ],
  ["routing.allowFrom without WhatsApp", { routing: { allowFrom: ["+1"] } }, {}],
  [
    "routing.groupChat.requireMention",
    {
      routing: { groupChat: { requireMention: false } },
      whatsapp: {},
      channels: { imessage: { groups: { "*": { requireMention: true } } } },
    },
    {
      channels: {
        imessage: { groups: { "*": { requireMention: true } } },
        whatsapp: { groups: { "*": { requireMention: false } } },
      },
    },
  ],
  [
    "telegram.requireMention",
    { telegram: { requireMention: true } },
    { channels: { telegram: { groups: { "*": { requireMention: true } } } } },
  ],
  [
    "routing.groupChat.*",
    { routing: { groupChat: { mentionPatterns: ["x"], historyLimit: 5 } } },
    { messages: { groupChat: { mentionPatterns: ["x"], historyLimit: 5 } } },
  ],
  [
    "routing.bindings",
    {
      routing: {
        bindings: [{ agentId: "a", match: { provider: "telegram", accountID: "x", peer: { kind: "dm", id: "1" } } }],
      },
    },
    { bindings: [{ agentId: "a", match: { channel: "telegram", accountId: "x", peer: { kind: "direct", id: "1" } } }] },
  ],
  [
    "routing.agents and routing.defaultAgentId",
    {
      routing: {
        defaultAgentId: "b",
        agents: {
          a: { mentionPatterns: ["@a"], sandbox: { mode: "all", tools: { deny: ["exec"] } } },
          b: { name: "B", subagents: { tools: { allow: ["read"] } } },
        },
      },
    },
    {
      agents: {
        list: [
          {
            id: "a",
            groupChat: { mentionPatterns: ["@a"] },
            sandbox: { mode: "all" },
            tools: { sandbox: { tools: { deny: ["exec"] } } },
          },
          { id: "b", name: "B", subagents: {}, tools: { subagents: { tools: { allow: ["read"] } } }, default: true },
        ],
      },
    },
  ],
  [
    "routing.agentToAgent",
    { routing: { agentToAgent: { enabled: true } } },
    { tools: { agentToAgent: { enabled: true } } },
  ],
  [
    "routing.queue",
    { routing: { queue: { mode: "steer", byProvider: { telegram: "collect" } } } },
    { messages: { queue: { mode: "steer", byChannel: { telegram: "collect" } } } },
  ],
  [
    "routing.transcribeAudio",
    { routing: { transcribeAudio: { command: ["whisper", "{{MediaPath}}"], timeoutSeconds: 9 } } },
    {
      tools: {
        media: { audio: { models: [{ type: "cli", command: "whisper", args: ["{{MediaPath}}"], timeoutSeconds: 9 }] } },
      },
    },
  ],
  [
    "audio.transcription",
    { audio: { transcription: { command: ["whisper"] } } },
    { tools: { media: { audio: { models: [{ type: "cli", command: "whisper" }] } } } },
  ],
  ["audio.transcription with a command that is none", { audio: { transcription: { command: "rm -rf" } } }, {}],
  [
    "session.sendPolicy.rules[].match.provider",
    { session: { sendPolicy: { rules: [{ action: "deny", match: { provider: "slack", chatType: "dm" } }] } } },
    { session: { sendPolicy: { rules: [{ action: "deny", match: { channel: "slack", chatType: "direct" } }] } } },
  ],
  ["identity", { identity: { name: "Claw" } }, { agents: { list: [{ id: "main", identity: { name: "Claw" } }] } }],
  [
    "identity goes to the default agent",
    { identity: { name: "Claw" }, agents: { list: [{ id: "a" }, { id: "b", default: true }] } },
    { agents: { list: [{ id: "a" }, { id: "b", default: true, identity: { name: "Claw" } }] } },
  ],
  [
    "agent.*",
    {
      agent: {
        workspace: "~/w",
        tools: { deny: ["x"] },
        elevated: { enabled: false },
        bash: { timeoutSec: 5 },
        sandbox: { mode: "all", tools: { allow: ["read"] } },
        subagents: { maxConcurrent: 2, tools: { deny: ["write"] } },
      },
    },
    {
      tools: {
        deny: ["x"],
        elevated: { enabled: false },
        exec: { timeoutSec: 5 },
        sandbox: { tools: { allow: ["read"] } },
        subagents: { tools: { deny: ["write"] } },
      },
      agents: { defaults: { workspace: "~/w", sandbox: { mode: "all" }, subagents: { maxConcurrent: 2 } } },
    },
  ],
  [
    "agent.model and its companions",
    {
      agent: {
        model: "a/b",
        modelFallbacks: ["c/d"],
        imageModel: "e/f",
        imageModelFallbacks: ["g/h"],
        allowedModels: ["a/b"],
        modelAliases: { quick: "a/b", other: "x/y" },
      },
    },
    {
      agents: {
        defaults: {
          model: { primary: "a/b", fallbacks: ["c/d"] },
          imageModel: { primary: "e/f", fallbacks: ["g/h"] },
          models: { "a/b": { alias: "quick" }, "x/y": { alias: "other" } },
        },
      },
    },
  ],
  ["tools.bash", { tools: { bash: { timeoutSec: 3 } } }, { tools: { exec: { timeoutSec: 3 } } }],
  ["messages.tts.enabled", { messages: { tts: { enabled: true } } }, { messages: { tts: { auto: "always" } } }],
  ["messages.tts.enabled off", { messages: { tts: { enabled: false } } }, { messages: { tts: { auto: "off" } } }],
  ["gateway.token", { gateway: { token: "t" } }, { gateway: { auth: { token: "t", mode: "token" } } }],
  [
    "gateway.token beside a new one",
    { gateway: { token: "t", auth: { token: "n" } } },
    { gateway: { auth: { token: "n", mode: "token" } } },
  ],
  [
    'auth.profiles["anthropic:claude-cli"].mode',
    { auth: { profiles: { "anthropic:claude-cli": { provider: "anthropic", mode: "token" } } } },
    { auth: { profiles: { "anthropic:claude-cli": { provider: "anthropic", mode: "oauth" } } } },
  ],
  [
    "clawd",
    { browser: { defaultProfile: "clawd", profiles: { clawd: { cdpPort: 1, driver: "clawd" } } } },
    { browser: { defaultProfile: "openclaw", profiles: { openclaw: { cdpPort: 1, driver: "openclaw" } } } },
  ],
  [
    "session.resetByType.dm",
    { session: { resetByType: { dm: { mode: "idle" } } } },
    { session: { resetByType: { direct: { mode: "idle" } } } },
  ],
  ["browser.controlUrl and controlToken", { browser: { controlUrl: "u", controlToken: "t" } }, { browser: {} }],
  ["bridge", { bridge: { port: 1 } }, {}],
];

test.each(rows)("%s is migrated in memory, and said so", (_name, before, after) => {
  const frozen = JSON.stringify(before);
  const { document, issues, changes } = migrateLegacy(before);
  expect(document).toEqual(after);
  expect(JSON.stringify(before)).toBe(frozen);
  expect(changes.length).toBeGreaterThan(0);
  expect(issues.length).toBeGreaterThan(0);
  for (const issue of issues) expect(issue.message).toMatch(/ \(auto-migrated on load\)\.$/u);
  // What came out needs nothing more.
  expect(migrateLegacy(document).changes).toEqual([]);
});

test("a value at the target is never overwritten", () => {
  const { document, changes } = migrateLegacy({
    routing: { groupChat: { historyLimit: 5 } },
    messages: { groupChat: { historyLimit: 9 } },
  });
  expect(document).toEqual({ messages: { groupChat: { historyLimit: 9 } } });
  expect(changes).toEqual(["Removed routing.groupChat.historyLimit (messages.groupChat.historyLimit already set)."]);
});

test("a document of today is handed on as it is", () => {
  const document = { gateway: { mode: "local" }, channels: { telegram: {} }, agents: { defaults: { model: "a/b" } } };
  expect(migrateLegacy(document).document).toBe(document);
});

test("whatever stands at the old keys, migrating neither throws nor pollutes prototypes", () => {
  const junk = fc.oneof(
    fc.anything({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value) ?? "null") as unknown),
    fc.constantFrom(null, 1, "x", [], {}),
  );
  const keys = [...new Set(legacyRules.flatMap((rule) => rule.old.split(/[.[]/u)[0] ?? []))];
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom(...keys, "agents", "channels", "messages", "tools"),
        fc.oneof(
          junk,
          fc.dictionary(
            fc.constantFrom(
              "bindings",
              "agents",
              "tools",
              "model",
              "profiles",
              "list",
              "groupChat",
              "tts",
              "whatsapp",
              "defaults",
            ),
            junk,
          ),
        ),
      ),
      (document) => {
        migrateLegacy(document as Json);
        expect(({} as Json).polluted).toBeUndefined();
      },
    ),
    { numRuns: 500 },
  );
});
