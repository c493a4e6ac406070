import { expect, test } from "vitest";
import { thinkingLevelOf } from "./patch.ts";
import { sessionsFixture } from "./sessions.fixture.ts";

type PatchOf = Parameters<ReturnType<typeof sessionsFixture>["sessions"]["patch"]>[0];
const key = "agent:main:main";

test.each<[Omit<PatchOf, "key">, Record<string, unknown>]>([
  [{ thinkingLevel: "ULTRA" }, { thinkingLevel: "high" }],
  [{ thinkingLevel: "x-high" }, { thinkingLevel: "xhigh" }],
  [{ thinkingLevel: "off" }, { thinkingLevel: undefined }],
  [{ verboseLevel: "off" }, { verboseLevel: "off" }],
  [{ verboseLevel: "full" }, { verboseLevel: "full" }],
  [{ reasoningLevel: "off" }, { reasoningLevel: undefined }],
  [{ reasoningLevel: "stream" }, { reasoningLevel: "stream" }],
  [{ responseUsage: "on" }, { responseUsage: "tokens" }],
  [{ responseUsage: "off" }, { responseUsage: undefined }],
  [{ elevatedLevel: "ask" }, { elevatedLevel: "ask" }],
  [
    { execHost: "gateway", execSecurity: "allowlist", execAsk: "on-miss", execNode: " n1 " },
    { execHost: "gateway", execSecurity: "allowlist", execAsk: "on-miss", execNode: "n1" },
  ],
  [{ model: "two" }, { providerOverride: "mock", modelOverride: "two" }],
  [{ model: "mock/one" }, { providerOverride: undefined, modelOverride: undefined }],
  [{ label: " Trip " }, { label: "Trip" }],
  [
    { sendPolicy: "deny", groupActivation: "always" },
    { sendPolicy: "deny", groupActivation: "always" },
  ],
])("a patch of %j stores %j, and null clears it", async (patch, stored) => {
  const { sessions } = sessionsFixture();
  const result = await sessions.patch({ key: "main", ...patch });
  expect(result).toMatchObject({ ok: true, path: ":memory:", key });
  const entry: Record<string, unknown> = { ...sessions.get(key) };
  expect(Object.fromEntries(Object.keys(stored).map((name) => [name, entry[name]]))).toEqual(stored);
  const nulls = Object.fromEntries(Object.keys(patch).map((name) => [name, null]));
  await sessions.patch({ key: "main", ...nulls });
  for (const name of Object.keys(stored)) expect(sessions.get(key)).not.toHaveProperty(name);
});

test.each<[Omit<PatchOf, "key">, string]>([
  [{ thinkingLevel: "hard" }, "invalid thinkingLevel (use off|minimal|low|medium|high|xhigh)"],
  [{ thinkingLevel: "constructor" }, "invalid thinkingLevel (use off|minimal|low|medium|high|xhigh)"],
  [{ verboseLevel: "loud" }, 'invalid verboseLevel (use "on"|"off")'],
  [{ reasoningLevel: "x" }, 'invalid reasoningLevel (use "on"|"off"|"stream")'],
  [{ responseUsage: "x" }, 'invalid responseUsage (use "off"|"tokens"|"full")'],
  [{ elevatedLevel: "x" }, 'invalid elevatedLevel (use "on"|"off"|"ask"|"full")'],
  [{ execHost: "x" }, 'invalid execHost (use "sandbox"|"gateway"|"node")'],
  [{ execSecurity: "x" }, 'invalid execSecurity (use "deny"|"allowlist"|"full")'],
  [{ execAsk: "x" }, 'invalid execAsk (use "off"|"on-miss"|"always")'],
  [{ execNode: " " }, "invalid execNode: empty"],
  [{ label: "  " }, "invalid label: empty"],
  [{ label: "x".repeat(65) }, "invalid label: too long (max 64)"],
  [{ model: "three" }, "model not allowed: three"],
  [{ model: " " }, "invalid model: empty"],
  [{ spawnedBy: "agent:main:main" }, "spawnedBy is only supported for subagent:* sessions"],
])("a patch of %j is refused: %s", async (patch, message) => {
  const { sessions } = sessionsFixture();
  await expect(sessions.patch({ key: "main", ...patch })).rejects.toMatchObject({ kind: "invalid", message });
  expect(sessions.get(key)).toBeUndefined();
});

test("a label belongs to one session", async () => {
  const { sessions } = sessionsFixture();
  await sessions.patch({ key: "a", label: "Trip" });
  await sessions.patch({ key: "a", label: "Trip" });
  await expect(sessions.patch({ key: "b", label: "Trip" })).rejects.toThrow("label already in use: Trip");
  await sessions.patch({ key: "a", label: null });
  await sessions.patch({ key: "b", label: "Trip" });
});

test("spawnedBy is set once", async () => {
  const { sessions } = sessionsFixture();
  const child = "agent:main:subagent:u";
  await sessions.patch({ key: child, spawnedBy: null });
  await sessions.patch({ key: child, spawnedBy: key, spawnDepth: 1 });
  await sessions.patch({ key: child, spawnedBy: key });
  await expect(sessions.patch({ key: child, spawnedBy: "agent:main:x" })).rejects.toThrow(
    "spawnedBy cannot be changed once set",
  );
  await expect(sessions.patch({ key: child, spawnedBy: null })).rejects.toThrow("spawnedBy cannot be cleared once set");
  await expect(sessions.patch({ key: child, spawnDepth: 2 })).rejects.toThrow("spawnDepth cannot be changed once set");
});

test("a chosen model shows in resolved and in the list at once, whatever answered last", async () => {
  const { sessions, store } = sessionsFixture();
  await sessions.patch({ key: "main" });
  await store.commit((tx) => sessions.update(tx, key, { modelProvider: "mock", model: "one", contextTokens: 5 }));
  expect((await sessions.patch({ key: "main", model: "two" })).resolved).toEqual({
    modelProvider: "mock",
    model: "two",
  });
  expect(sessions.list({}).sessions[0]).toMatchObject({ model: "two", contextTokens: 32_000 });
  expect((await sessions.patch({ key: "main", model: null })).resolved).toEqual({
    modelProvider: "mock",
    model: "one",
  });
});

test("xhigh is refused for models that do not know it", async () => {
  const { sessions } = sessionsFixture({ xhighModels: () => ["mock/two"] });
  await expect(sessions.patch({ key: "main", thinkingLevel: "xhigh" })).rejects.toThrow(
    'thinkingLevel "xhigh" is only supported for mock/two',
  );
  await sessions.patch({ key: "main", thinkingLevel: "xhigh", model: "two" });
  expect(sessions.get(key)?.thinkingLevel).toBe("xhigh");
});

test("words for thinking levels", () => {
  expect(["think", "on", "mid", "max", "xhigh", "none"].map(thinkingLevelOf)).toEqual([
    "minimal",
    "low",
    "medium",
    "high",
    "xhigh",
    "off",
  ]);
  expect(thinkingLevelOf("later")).toBeUndefined();
});
