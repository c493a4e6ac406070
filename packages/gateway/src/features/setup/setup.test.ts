import { GatewayError } from "@openclaw/protocol";
import { expect, test, vi } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import type { Draft } from "./draft.ts";
import { planOf } from "./plan.ts";
import type { Plan } from "./plan.ts";
import type { Facts, KeyVerdict, SetupPorts } from "./ports.ts";
import { idleMs, SetupSessions } from "./sessions.ts";
import { configureSteps, onboardSteps } from "./steps.ts";
import { Wizard } from "./wizard.ts";

const nothing = { hasToken: false, hasPassword: false, shortModel: false, allowed: [] };
const factsWith = (more: Partial<Facts> = {}): Facts => ({
  configPath: "~/.openclaw/openclaw.json",
  exists: false,
  hash: "",
  present: nothing,
  defaultWorkspace: "~/work",
  defaultPort: 18_789,
  tokenInEnv: false,
  passwordInEnv: false,
  providers: [
    { id: "ollama", name: "Ollama", models: ["llama3.3", "qwen3"] },
    { id: "openai", name: "OpenAI", keyName: "OPENAI_API_KEY", defaultModel: "gpt-5.5" },
  ],
  ...more,
});

function rig(verdict: KeyVerdict = "unknown", facts = factsWith()) {
  const plans: Plan[] = [];
  const ports: SetupPorts = {
    facts: async () => facts,
    checkKey: async () => verdict,
    apply: async (plan) => {
      plans.push(plan);
      return ["written"];
    },
    newToken: () => "new-token",
    command: (words) => `openclaw ${words}`,
    workspaceProblem: () => undefined,
  };
  return { facts, ports, plans };
}

/** Answers by step id, else what the step offers. Returns the ids in the order they were asked. */
async function walk(wizard: Wizard, answers: Record<string, unknown[]>): Promise<string[]> {
  const seen: string[] = [];
  for (let step = await wizard.current(); step; step = await wizard.current()) {
    seen.push(step.id);
    const given = answers[step.id]?.shift();
    expect(await wizard.answer(given === undefined ? step.initialValue : given)).toBeUndefined();
  }
  return seen;
}

const edits = (plan: Plan | undefined) =>
  Object.fromEntries((plan?.edits ?? []).map((edit) => [edit.path.join("."), edit.value]));

test("a refused key can be typed again, or kept", async () => {
  const { facts, ports, plans } = rig("refused");
  const wizard = new Wizard({ rules: onboardSteps, facts, ports, draft: { command: "onboard" } });
  const answers = { risk: [true], provider: ["openai"], key: ["sk-1", "sk-2"], "key-refused": [false, true] };
  const seen = await walk(wizard, answers);
  expect(seen.filter((id) => id.startsWith("key"))).toEqual(["key", "key-refused", "key", "key-refused"]);
  expect(plans[0]?.key).toEqual({ provider: "openai", name: "OPENAI_API_KEY", value: "sk-2" });
});

test("a model server on this machine needs no key, only a choice among its models", async () => {
  const { facts, ports, plans } = rig();
  const wizard = new Wizard({ rules: onboardSteps, facts, ports, draft: { command: "onboard" } });
  const seen = await walk(wizard, { risk: [true], provider: ["ollama"], model: ["qwen3"] });
  expect(seen).not.toContain("key");
  expect(edits(plans[0])["agents.defaults.model.primary"]).toBe("ollama/qwen3");
});

test("keeping a config only adds what is missing", async () => {
  const present = { ...nothing, mode: "local" as const, port: 19_555, model: "openai/gpt-5.5" };
  const { facts, ports, plans } = rig("unknown", factsWith({ exists: true, present }));
  const wizard = new Wizard({ rules: onboardSteps, facts, ports, draft: { command: "onboard" } });
  expect(await walk(wizard, { risk: [true], existing: ["keep"] })).toEqual([
    "risk",
    "existing",
    "later",
    "apply",
    "summary",
  ]);
  expect(edits(plans[0])).toEqual({ "agents.defaults.workspace": "~/work", "gateway.auth.token": "new-token" });
});

test("no token is made where the environment has one, nor beside a password", () => {
  const draft: Draft = { command: "onboard" };
  const made = (facts: Facts) => edits(planOf(draft, facts, { newToken: () => "new-token" }))["gateway.auth.token"];
  expect(made(factsWith())).toBe("new-token");
  expect(made(factsWith({ tokenInEnv: true }))).toBeUndefined();
  expect(made(factsWith({ present: { ...nothing, hasPassword: true } }))).toBeUndefined();
});

test("a model outside the list of those that may be chosen is added to it; the short form is replaced", () => {
  const present = { ...nothing, shortModel: true, model: "a/b", allowed: ["a/b"] };
  const plan = planOf({ command: "configure", model: "c/d" }, factsWith({ present }), { newToken: () => "" });
  expect(edits(plan)).toEqual({ "agents.defaults.model": { primary: "c/d" }, "agents.defaults.models.c/d": {} });
});

test("configure asks about the named parts only, and writes nothing where nothing can be changed yet", async () => {
  const { facts, ports, plans } = rig();
  const run = (sections: string[]) =>
    walk(new Wizard({ rules: configureSteps, facts, ports, draft: { command: "configure" }, given: { sections } }), {});
  expect(await run(["workspace"])).toEqual(["workspace", "apply", "summary"]);
  expect(edits(plans[0])).toEqual({ "agents.defaults.workspace": "~/work" });
  expect(await run(["channels", "health"])).toEqual(["later-channels", "health"]);
  expect(plans).toHaveLength(1);
});

test("answers of the wrong kind are told, whatever they are", async () => {
  const { facts, ports } = rig();
  const bad: [string, unknown][] = [
    ["flow", 7],
    ["mode", null],
    ["workspace", ["x"]],
    ["provider", "none"],
    ["port", "1e3"],
    ["port", 0],
    ["tailscale", "on"],
    ["bind", {}],
    ["auth", "none"],
    ["token", "a b"],
    ["workspace", "x".repeat(5_000)],
  ];
  for (const [id, value] of bad) {
    const given = { risk: true, flow: "advanced", mode: "local", workspace: "~/w", provider: "skip", [id]: value };
    const wizard = new Wizard({ rules: onboardSteps, facts, ports, draft: { command: "onboard" }, given });
    await expect(walk(wizard, {}).then(() => id)).rejects.toThrow(GatewayError);
  }
});

test("over RPC a wizard that is left alone ends after ten minutes and makes room", async () => {
  const world = fakeWorld();
  const sessions = new SetupSessions({ world, ports: rig().ports });
  const { sessionId } = await sessions.start({});
  await world.clock.advance(idleMs - 1);
  await sessions.next(sessionId, { stepId: "risk", value: true });
  await world.clock.advance(idleMs - 1);
  expect(sessions.status(sessionId)).toEqual({ status: "running" });
  await world.clock.advance(1);
  expect(sessions.status(sessionId)).toEqual({ status: "cancelled", error: "left alone for ten minutes" });
  await expect(sessions.next(sessionId)).rejects.toThrow("wizard not running");
  expect((await sessions.start({})).status).toBe("running");
});

test("two answers at once: the second is told to wait, and the first counts", async () => {
  const { ports } = rig();
  const sessions = new SetupSessions({ world: fakeWorld(), ports });
  const { sessionId } = await sessions.start({});
  const first = sessions.next(sessionId, { stepId: "risk", value: true });
  await expect(sessions.next(sessionId, { stepId: "risk", value: false })).rejects.toThrow("working on a step");
  expect(await first).toMatchObject({ done: false, step: { id: "flow" } });
});

test("a write that fails ends the wizard with its reason", async () => {
  const { ports } = rig();
  const apply = vi.fn(() => Promise.reject(new GatewayError("unavailable", "the file is read-only")));
  const sessions = new SetupSessions({ world: fakeWorld(), ports: { ...ports, apply } });
  const started = await sessions.start({ mode: "local", workspace: "~/w" });
  const { sessionId } = started;
  let turn: Awaited<ReturnType<SetupSessions["next"]>> = started;
  while (!turn.done && turn.step) {
    const { id, initialValue } = turn.step;
    turn = await sessions.next(sessionId, { stepId: id, value: id === "risk" ? true : initialValue });
  }
  expect(turn).toEqual({ done: true, status: "error", error: "the file is read-only" });
});
