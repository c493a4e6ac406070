import { expect, test } from "vitest";
import { makeBench } from "./agents.fixture.ts";
import { normalizeAgentId } from "./directory.ts";

test.each([
  ["Main", "main"],
  ["  My Agent! ", "my-agent"],
  ["../../etc", "etc"],
  ["__x__", "x__"],
  ["", "main"],
  ["ü", "main"],
  ["a".repeat(80), "a".repeat(64)],
])("the id %j becomes %j", (given, id) => {
  expect(normalizeAgentId(given)).toBe(id);
});

test("without a list there is one agent, main, with the shared workspace", () => {
  const { agents } = makeBench({ config: { agents: { defaults: { workspace: "/srv/space" } } } });
  expect(agents.directory.list()).toEqual(["main"]);
  expect(agents.directory.workspace("main")).toBe("/srv/space");
  expect(agents.directory.agentDir("main")).toBe("/home/user/.openclaw/agents/main/agent");
});

test("the default agent is the marked one, else the first, and comes first in agents.list", () => {
  const { agents } = makeBench({
    config: {
      agents: {
        list: [
          { id: "one" },
          { id: "Two", default: true, name: "Second", identity: { name: "Tia", emoji: "🦊" } },
          { id: "three", default: true },
        ],
      },
    },
  });
  expect(agents.directory.summaries()).toEqual({
    defaultId: "two",
    mainKey: "main",
    scope: "per-sender",
    agents: [{ id: "two", name: "Second", identity: { name: "Tia", emoji: "🦊" } }, { id: "one" }, { id: "three" }],
  });
  expect(agents.directory.workspace("one")).toBe("/home/user/.openclaw/workspace-one");
});

test("agent.identity.get: defaults, identity, mismatch, unknown", async () => {
  const { handlers } = makeBench({
    config: { agents: { list: [{ id: "main" }, { id: "work", identity: { name: "Wu", emoji: "🐢" } }] } },
  });
  const get = async (params: { agentId?: string; sessionKey?: string }) => handlers["agent.identity.get"](params);
  expect(await get({})).toEqual({ agentId: "main", name: "Assistant", avatar: "A" });
  expect(await get({ sessionKey: "agent:work:main" })).toEqual({
    agentId: "work",
    name: "Wu",
    avatar: "🐢",
    emoji: "🐢",
  });
  await expect(get({ agentId: "work", sessionKey: "agent:main:main" })).rejects.toThrow(
    'invalid agent.identity.get params: agent "work" does not match session key agent "main"',
  );
  await expect(get({ agentId: "zz" })).rejects.toThrow('invalid agent.identity.get params: unknown agent id "zz"');
});

test("model settings of defaults and of one agent are handed on", () => {
  const { agents } = makeBench({
    config: {
      agents: {
        defaults: { model: { primary: "mock/one", fallbacks: ["mock/two"] }, contextTokens: 50_000 },
        list: [{ id: "main", model: "mock/two" }, { id: "work" }],
      },
    },
  });
  expect(agents.directory.modelSelection()).toEqual({
    primary: "mock/one",
    fallbacks: ["mock/two"],
    allow: {},
    contextTokens: 50_000,
  });
  expect(agents.directory.agentModel("main")).toEqual({ primary: "mock/two" });
  expect(agents.directory.agentModel("work")).toBeUndefined();
});
