import { Type } from "typebox";
import { describe, expect, test } from "vitest";
import { createLogger, silentLogger } from "../../kernel/log.ts";
import { parseArguments } from "./arguments.ts";
import { allowedTools, type ToolPolicyConfig, type ToolRules } from "./policy.ts";
import { textResult, tool, type ToolResult } from "./tool.ts";
import { toolsMethods } from "./tools.methods.ts";
import { Tools } from "./tools.ts";
import type { ToolsConfig } from "./tools.config.ts";
import { textOf, toolContext, toolsConfig } from "./tools.fixture.ts";

const all = [
  "read",
  "write",
  "edit",
  "exec",
  "process",
  "web_fetch",
  "sessions_list",
  "sessions_send",
  "session_status",
  "agents_list",
  "message",
  "cron",
  "apply_patch",
  "custom",
];
const names = (
  global: ToolPolicyConfig,
  agent?: ToolPolicyConfig,
  more: { provider?: string; model?: string; narrower?: ToolRules[] } = {},
) =>
  allowedTools({
    tools: all,
    provider: more.provider ?? "openai",
    model: more.model ?? "gpt-x",
    global,
    agent,
    narrower: more.narrower ?? [],
  });

describe("tool policy", () => {
  test("without rules every tool is there, in order", () => {
    expect(names({})).toEqual(all);
    expect(names({ profile: "full" })).toEqual(all);
    expect(names({ allow: [], deny: [] })).toEqual(all);
  });

  test.each<[string, ToolPolicyConfig, string[]]>([
    ["minimal", { profile: "minimal" }, ["session_status"]],
    ["messaging", { profile: "messaging" }, ["sessions_list", "sessions_send", "session_status", "message"]],
    [
      "coding",
      { profile: "coding" },
      ["read", "write", "edit", "exec", "process", "sessions_list", "sessions_send", "session_status", "apply_patch"],
    ],
    ["alsoAllow adds to a profile", { profile: "minimal", alsoAllow: ["web_fetch"] }, ["web_fetch", "session_status"]],
    ["deny wins over allow", { allow: ["read", "exec"], deny: ["exec"] }, ["read"]],
    ["deny wins over a profile", { profile: "minimal", deny: ["*"] }, []],
    ["groups and case", { allow: ["Group:FS", "EXEC"] }, ["read", "write", "edit", "exec", "apply_patch"]],
    ["aliases; exec allows apply_patch", { allow: ["bash"] }, ["exec", "apply_patch"]],
    ["denying exec denies apply_patch too", { allow: ["group:runtime", "read"], deny: ["bash"] }, ["read", "process"]],
    ["wildcards", { allow: ["sessions_*"] }, ["sessions_list", "sessions_send"]],
    ["a wildcard is no regular expression", { allow: ["r.ad", "re*"] }, ["read"]],
    [
      "group:openclaw is everything built in but fs and runtime",
      { allow: ["group:openclaw"] },
      ["web_fetch", "sessions_list", "sessions_send", "session_status", "agents_list", "message", "cron"],
    ],
    ["a profile and an allow list narrow each other", { profile: "coding", allow: ["read", "web_fetch"] }, ["read"]],
    ["a known name that is not built is no typo", { allow: ["browser"] }, []],
  ])("%s", (_name, rules, expected) => {
    expect(names(rules)).toEqual(expected);
  });

  test("an allow list of unknown names only is ignored with a warning, one known name makes it count", () => {
    const warnings: string[] = [];
    const request = { tools: all, provider: "p", model: "m", warn: (text: string) => void warnings.push(text) };
    expect(allowedTools({ ...request, global: { allow: ["raed"] } })).toEqual(all);
    expect(warnings).toEqual(["tools.allow names no tool this gateway knows and is ignored: raed"]);
    expect(allowedTools({ ...request, global: { allow: ["raed", "write"] } })).toEqual(["write"]);
    expect(allowedTools({ ...request, global: { profile: "codign" } })).toEqual(all);
    expect(warnings[1]).toContain('profile "codign" is unknown');
  });

  test("rules per provider and model narrow further, the model's wins, without regard to case", () => {
    const global: ToolPolicyConfig = {
      byProvider: { OpenAI: { deny: ["exec"] }, "openai/gpt-X": { allow: ["read"] } },
    };
    expect(names(global)).toEqual(["read"]);
    expect(names(global, undefined, { model: "other" })).not.toContain("exec");
    expect(names(global, undefined, { provider: "anthropic" })).toEqual(all);
    expect(names({ profile: "coding", byProvider: { openai: { profile: "minimal" } } })).toEqual(["session_status"]);
  });

  test("every layer may only narrow", () => {
    expect(names({ deny: ["exec"] }, { allow: ["exec", "read"] })).toEqual(["read"]);
    expect(names({ allow: ["read", "write"] }, { deny: ["write"] })).toEqual(["read"]);
    expect(names({}, { byProvider: { openai: { allow: ["read"] } } })).toEqual(["read"]);
    expect(
      names({ allow: ["read", "write"] }, {}, { narrower: [{ allow: ["group:fs"] }, { deny: ["read"] }] }),
    ).toEqual(["write"]);
    const matrix: ToolRules[] = [
      {},
      { allow: ["group:fs"] },
      { deny: ["read"] },
      { allow: ["exec"], deny: ["process"] },
      { profile: "coding" },
      { deny: ["*"] },
    ];
    for (const global of matrix)
      for (const agent of matrix)
        for (const last of matrix) {
          const result = names(global, agent, { narrower: [last] });
          const bare = names({ ...global, ...(agent.profile ? { profile: agent.profile } : {}) });
          expect(result.every((name) => bare.includes(name))).toBe(true);
        }
  });

  test("an agent's own profile replaces the global one", () => {
    expect(names({ profile: "minimal" }, { profile: "messaging" })).toContain("message");
  });
});

const run = { agentId: "main", provider: "p", model: "m", owner: true, origin: "operator" as const, sessionKey: "k" };
const probe = (
  change: { ownerOnly?: boolean; polls?: boolean; run?: (args: { n?: number }) => Promise<ToolResult> } = {},
) =>
  tool({
    name: "probe",
    description: "d",
    params: Type.Object({ n: Type.Optional(Type.Integer()) }),
    effects: false,
    run: async () => textResult("ran"),
    ...change,
  });
const box = (one = probe(), change: (tools: ToolsConfig) => void = () => {}) =>
  new Tools({ log: silentLogger, config: toolsConfig(change), tools: [one] });

describe("Tools", () => {
  test("owner-only tools are removed for others and refused when called all the same", async () => {
    const one = probe({ ownerOnly: true });
    expect(box(one).forRun(run).length).toBe(1);
    expect(box(one).forRun({ ...run, owner: false })).toEqual([]);
    expect((await box(one).call(one, {}, toolContext("/", { owner: false }))).isError).toBe(true);
  });

  test("a tool that throws, rejects or throws nonsense yields an error result", async () => {
    for (const run of [
      () => {
        throw new Error("broke");
      },
      () => Promise.reject(new Error("broke")),
      () => Promise.reject("broke"),
    ]) {
      const one = probe({ run });
      const result = await box(one).call(one, {}, toolContext("/"));
      expect(result).toMatchObject({ isError: true });
      expect(textOf(result)).toBe("probe: broke");
    }
  });

  test("a tool that does not listen to the abort does not hold the run", async () => {
    const one = probe({ run: () => new Promise(() => {}) });
    const controller = new AbortController();
    const running = box(one).call(one, {}, toolContext("/", { signal: controller.signal }));
    controller.abort();
    expect(textOf(await running)).toContain("aborted");
  });

  test("text beyond 200,000 characters is cut with a notice", async () => {
    const one = probe({
      run: async () => ({
        content: [
          { type: "text", text: "a".repeat(150_000) },
          { type: "text", text: "b".repeat(150_000) },
        ],
      }),
    });
    const result = await box(one).call(one, {}, toolContext("/"));
    expect(textOf(result).length).toBeLessThan(200_200);
    expect(textOf(result)).toContain("100000 were left out");
  });

  test("the fifth identical call of a run is refused, another run and other arguments are not", async () => {
    const one = probe();
    const tools = box(one);
    const call = (n: number, runId = "r") => tools.call(one, { n }, toolContext("/", { runId }));
    for (let i = 0; i < 4; i++) expect((await call(1)).isError).toBeUndefined();
    expect(textOf(await call(1))).toContain("5 times with the same arguments");
    expect((await call(1)).isError).toBe(true);
    expect((await call(2)).isError).toBeUndefined();
    expect((await call(1, "other")).isError).toBeUndefined();
    const off = box(one, (config) => void (config.loopDetection.enabled = false));
    for (let i = 0; i < 9; i++) expect((await off.call(one, {}, toolContext("/"))).isError).toBeUndefined();
  });

  test("polling may go on while its result changes", async () => {
    let n = 0;
    const one = probe({ polls: true, run: async () => textResult(n < 20 ? `step ${n++}` : "stuck") });
    const tools = box(one);
    const results: boolean[] = [];
    for (let i = 0; i < 30; i++) results.push((await tools.call(one, {}, toolContext("/"))).isError === true);
    expect(results.slice(0, 20)).not.toContain(true);
    expect(results.at(-1)).toBe(true);
  });

  test("two tools of one name, an alias as name and an unchecked schema do not start", () => {
    const options = { log: silentLogger, config: toolsConfig() };
    expect(() => new Tools({ ...options, tools: [probe(), probe()] })).toThrow("two tools");
    expect(() => new Tools({ ...options, tools: [{ ...probe(), name: "bash" }] })).toThrow("alias");
    expect(
      () =>
        new Tools({
          ...options,
          tools: [{ ...probe(), params: Type.Object({ a: Type.String({ format: "email", contentEncoding: "x" }) }) }],
        }),
    ).toThrow("not checked");
  });

  test("a policy warning is logged once", () => {
    const lines: string[] = [];
    const log = createLogger({ subsystem: "t", sinks: [(line) => void lines.push(line.message)], now: () => 0 });
    const tools = new Tools({ log, config: toolsConfig((config) => void (config.allow = ["tpyo"])), tools: [probe()] });
    tools.forRun(run);
    tools.forRun(run);
    expect(lines.length).toBe(1);
  });

  test("tools.catalog lists tools by group with the profiles that hold them", () => {
    const methods = toolsMethods(box(), { defaultId: () => "main", has: (id) => id === "main" });
    const catalog = methods["tools.catalog"]({});
    expect(catalog).toMatchObject({
      agentId: "main",
      groups: [{ id: "other", tools: [{ id: "probe", defaultProfiles: ["full"] }] }],
    });
    expect(() => methods["tools.catalog"]({ agentId: "x" })).toThrow('unknown agent id "x"');
  });
});

describe("arguments", () => {
  const schema = Type.Object({
    path: Type.String({ minLength: 1 }),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 5 })),
    mode: Type.Optional(Type.Enum(["a", "b"])),
    flag: Type.Optional(Type.Boolean()),
    list: Type.Optional(Type.Array(Type.String(), { maxItems: 2 })),
    either: Type.Optional(Type.Union([Type.Literal("x"), Type.Integer()])),
    map: Type.Optional(Type.Record(Type.String(), Type.String())),
  });
  test.each<[Record<string, unknown>, Record<string, unknown>]>([
    [{ file_path: "p" }, { path: "p" }],
    [{ path: "p", file_path: "q" }, { path: "p" }],
    [
      { path: "p", count: "3" },
      { path: "p", count: 3 },
    ],
    [
      { path: "p", flag: "true" },
      { path: "p", flag: true },
    ],
    [
      { path: "p", list: "one" },
      { path: "p", list: ["one"] },
    ],
    [
      { path: "p", list: '["a","b"]' },
      { path: "p", list: ["a", "b"] },
    ],
    [{ path: "p", count: null }, { path: "p" }],
    [{ path: "p", unknown: 1 }, { path: "p" }],
    [{ path: 5 }, { path: "5" }],
    [
      { path: "p", either: 7 },
      { path: "p", either: 7 },
    ],
    [
      { path: "p", map: '{"k":"v"}' },
      { path: "p", map: { k: "v" } },
    ],
  ])("%j is taken as %j", (given, expected) => {
    expect(parseArguments(schema, given)).toEqual({ ok: true, args: expected });
  });

  test.each<[unknown, string]>([
    [{}, '"path" is required'],
    [{ path: "" }, '"path" must not be empty'],
    [{ path: null }, '"path" must be a string'],
    [{ path: "p", count: 0 }, '"count" must be at least 1'],
    [{ path: "p", count: 1.5 }, '"count" must be a whole number'],
    [{ path: "p", count: "3x" }, '"count" must be a number'],
    [{ path: "p", mode: "c" }, '"mode" must be one of "a", "b"'],
    [{ path: "p", list: ["a", "b", "c"] }, '"list" must have at most 2 items'],
    [{ path: "p", list: [{}] }, '"list[0]" must be a string'],
    [{ path: "p", map: { k: {} } }, '"map.k" must be a string'],
    [{ path: "p", either: "y" }, '"either" must be "x", or "either" must be a number'],
    ["text", "arguments must be a JSON object"],
    [null, "arguments must be a JSON object"],
    [[], "arguments must be a JSON object"],
  ])("%j is refused: %s", (given, problem) => {
    expect(parseArguments(schema, given)).toEqual({ ok: false, problem });
  });

  test("names such as __proto__ change no prototype", () => {
    const given = JSON.parse('{"path":"p","__proto__":{"polluted":1},"map":{"__proto__":"x"}}') as unknown;
    const parsed = parseArguments(schema, given);
    expect(parsed.ok && (parsed.args as { polluted?: number }).polluted).toBeUndefined();
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
