import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { echoMs, Echoes } from "./echoes.ts";
import { makeBench, say, settle, text } from "./pipeline.fixture.ts";

test("our own words are known for ten minutes, in their chat only, whatever their spaces and case", async () => {
  const world = fakeWorld();
  const echoes = new Echoes(world);
  echoes.said("fake default ann", "On  it!");
  expect(echoes.isOwn("fake default ann", " on it! ")).toBe(true);
  expect(echoes.isOwn("fake default bob", "on it!")).toBe(false);
  await world.clock.advance(echoMs - 1);
  expect(echoes.isOwn("fake default ann", "on it!")).toBe(true);
  await world.clock.advance(1);
  expect(echoes.isOwn("fake default ann", "on it!")).toBe(false);
});

test("what a run sent by itself is known as long as it runs", async () => {
  const world = fakeWorld();
  const echoes = new Echoes(world);
  echoes.sentByTool("run", "fake default g1", "done", "7");
  await world.clock.advance(3 * echoMs);
  expect(echoes.wasSentByTool("run", "fake default g1", "done", "7")).toBe(true);
  expect(echoes.wasSentByTool("run", "fake default g1", "done")).toBe(false);
  echoes.forgetRun("run");
  expect(echoes.wasSentByTool("run", "fake default g1", "done", "7")).toBe(false);
});

test("memory is bounded: chats and texts beyond the caps are forgotten, the oldest first", () => {
  const echoes = new Echoes(fakeWorld());
  for (let n = 0; n < 30; n++) echoes.said("busy", `text ${n}`);
  expect(echoes.isOwn("busy", "text 9")).toBe(false);
  expect(echoes.isOwn("busy", "text 10")).toBe(true);
  for (let n = 0; n < 500; n++) echoes.said(`chat ${n}`, "hello");
  expect(echoes.isOwn("busy", "text 29")).toBe(false);
  expect(echoes.isOwn("chat 0", "hello")).toBe(true);
});

test("a person who says later what we said is answered; at once it is taken for our echo", async () => {
  const bench = await makeBench({ script: () => say("sure") });
  const self = { sender: { id: "ann", isSelf: true } };
  await bench.receive(text("hello", self));
  await bench.finish();
  const said = bench.texts()[0] ?? "";
  await bench.receive(text(said.toUpperCase(), self));
  await settle();
  expect(bench.states()).toEqual(["answered", "ignored own-echo"]);
  await bench.pass(echoMs);
  await bench.receive(text(said, self));
  await bench.finish();
  expect(bench.states().at(-1)).toBe("answered");
});
