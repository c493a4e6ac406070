import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { textResult } from "../tools/index.ts";
import {
  callTools,
  hang,
  inTurn,
  makeBench,
  memoryStore,
  mortal,
  probeTool,
  say,
  settle,
  texts,
  until,
} from "./agents.fixture.ts";

/** Runs one message in a process that dies at the nth passing of a mark, then the next process on the same store. */
async function crashAt(point: string, options: { effects: boolean }) {
  let dies = () => {};
  let reached = false;
  const world = fakeWorld({
    mark: (name) => {
      if (name !== point || reached) return;
      reached = true;
      dies();
    },
  });
  const disk = memoryStore(world);
  const process = mortal(disk);
  dies = process.kill;
  const ran: string[] = [];
  const script = () =>
    inTurn(
      () => callTools({ name: "work" }),
      () => say("done"),
    );
  const work = (who: string) =>
    probeTool(
      "work",
      async () => (process.dead && who === "first" ? new Promise(() => {}) : (ran.push(who), textResult("worked"))),
      options.effects,
    );
  const first = makeBench({ world, store: process.store, tools: [work("first")], script: script() });
  void first.chat("go", "k").catch(() => {});
  await until(() => reached, point);
  await settle();
  const next = makeBench({ world, store: disk, tools: [work("second")], script: script() });
  const recovered = await next.agents.recover();
  next.agents.resume();
  await until(() => next.row("chat", "k")?.outcome !== undefined, "an outcome");
  await settle();
  return { next, ran, recovered };
}

test.each(["run.after-accept", "run.after-tool", "run.before-final"])(
  "without effects a run that died at %s is run again; its message stands once",
  async (point) => {
    const { next, recovered } = await crashAt(point, { effects: false });
    expect(recovered).toEqual({ again: 1, interrupted: 0 });
    expect(next.row("chat", "k")).toMatchObject({ state: "ok", attempts: point === "run.after-accept" ? 1 : 2 });
    expect(texts(next.transcript()).filter((line) => line === "user: go")).toHaveLength(1);
    expect(texts(next.transcript()).at(-1)).toBe("assistant: done");
    expect(next.events("chat", "k").filter(({ state }) => state !== "delta")).toMatchObject([{ state: "final" }]);
    expect(await next.chat("go", "k")).toEqual({ runId: "k", status: "ok" });
  },
);

test.each(["run.before-effect", "run.after-tool", "run.before-final"])(
  "with effects a run that died at %s is interrupted and says so once",
  async (point) => {
    const { next, ran, recovered } = await crashAt(point, { effects: true });
    expect(recovered).toEqual({ again: 0, interrupted: 1 });
    expect(ran).not.toContain("second");
    expect(next.row("chat", "k")?.state).toBe("interrupted");
    const lines = texts(next.transcript());
    expect(lines.filter((line) => line === "user: go")).toHaveLength(1);
    expect(lines.filter((line) => line.includes("The gateway stopped in the middle of this run"))).toHaveLength(1);
    const roles = next.transcript().map(({ role }) => role);
    expect(roles).toEqual(["user", "assistant", "toolResult", "assistant"]);
    await expect(next.chat("go", "k")).rejects.toMatchObject({ payload: { runId: "k", status: "error" } });
  },
);

test("a message is tried three times in all, then quarantined with a notice", async () => {
  const world = fakeWorld();
  const disk = memoryStore(world);
  for (let attempt = 1; attempt <= 3; attempt++) {
    const process = mortal(disk);
    const bench = makeBench({ world, store: process.store, script: hang("x") });
    if (attempt === 1) void bench.chat("poison", "k");
    else {
      expect(await bench.agents.recover()).toEqual({ again: 1, interrupted: 0 });
      bench.agents.resume();
    }
    await until(() => bench.state.requests.length === 1);
    process.kill();
  }
  const last = makeBench({ world, store: disk });
  expect(await last.agents.recover()).toEqual({ again: 0, interrupted: 1 });
  expect(texts(last.transcript())).toEqual(["user: poison", expect.stringContaining("stopped 3 times")]);
  expect(await last.agents.recover()).toEqual({ again: 0, interrupted: 0 });
});

test("runs of a dead process keep their order, and new ones come after them", async () => {
  const world = fakeWorld();
  const disk = memoryStore(world);
  const process = mortal(disk);
  const first = makeBench({ world, store: process.store, script: hang("x") });
  await Promise.all(["a", "b", "c"].map((key) => first.chat(key, key)));
  await until(() => first.state.requests.length === 1);
  process.kill();
  const next = makeBench({ world, store: disk, script: () => say("ok") });
  await next.agents.recover();
  await next.chat("d", "d");
  next.agents.resume();
  await until(() => next.row("chat", "d")?.state === "ok");
  expect(texts(next.transcript()).filter((line) => line.startsWith("user"))).toEqual([
    "user: a",
    "user: b",
    "user: c",
    "user: d",
  ]);
});

test("a command that dies three times is told as failed, with its own text, once", async () => {
  const world = fakeWorld();
  const disk = memoryStore(world);
  const first = makeBench({ world, store: disk, script: () => say("x".repeat(400)) });
  for (const key of ["a", "b"]) await first.agent({ message: "y".repeat(400), idempotencyKey: key, agentId: "main" });
  for (let attempt = 1; attempt <= 3; attempt++) {
    const process = mortal(disk);
    const bench = makeBench({ world, store: process.store, script: hang() });
    if (attempt === 1) void bench.chat("/compact", "k");
    else {
      await bench.agents.recover();
      bench.agents.resume();
    }
    await until(() => bench.state.requests.length === 1);
    process.kill();
  }
  const last = makeBench({ world, store: disk });
  expect(await last.agents.recover()).toEqual({ again: 0, interrupted: 1 });
  expect(texts(last.transcript()).slice(-2)).toEqual(["user: /compact", expect.stringContaining("stopped 3 times")]);
  last.agents.resume();
  await last.chat("next", "k2");
  await until(() => last.state.requests.length === 1);
  expect(JSON.stringify(last.state.requests[0]?.messages)).not.toContain("/compact");
});
