import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { memoryLimits, ResponseMemory } from "./response-memory.ts";

const what = { sessionKey: "agent:main:x", hidden: true, agentId: "main" };

test("a response is remembered for an hour", async () => {
  const world = fakeWorld();
  const memory = new ResponseMemory(world);
  memory.remember("a", what);
  await world.clock.advance(memoryLimits.keptMs - 1);
  expect(memory.find("a")).toMatchObject(what);
  await world.clock.advance(1);
  expect(memory.find("a")).toBeUndefined();
});

test("the oldest of too many are forgotten, and the old ones as new ones come", async () => {
  const world = fakeWorld();
  const memory = new ResponseMemory(world);
  for (let index = 0; index <= memoryLimits.entries; index++) memory.remember(`r${index}`, what);
  expect([memory.size, memory.find("r0"), memory.find("r1")]).toMatchObject([memoryLimits.entries, undefined, what]);
  await world.clock.advance(memoryLimits.keptMs + 1);
  memory.remember("new", what);
  expect(memory.size).toBe(1);
});
