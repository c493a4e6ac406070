import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { SentMessages } from "./sent-messages.ts";

test("an echo is known by its id, and by its text while that is one of the last hundred", () => {
  const sent = new SentMessages(fakeWorld());
  for (let n = 0; n <= 100; n++) sent.add(`id ${n}`, ` text ${n} `);
  expect(sent.has("id 0")).toBe(true);
  expect(sent.has("another id")).toBe(false);
  expect(sent.takeEcho("text 0"), "the first of a hundred and one").toBe(false);
  expect(sent.takeEcho("text 100")).toBe(true);
  expect(sent.takeEcho("text 100"), "each sent text has one echo").toBe(false);
});

test("the owner may type later what was sent before", async () => {
  const world = fakeWorld();
  const sent = new SentMessages(world);
  sent.add("id", "yes");
  await world.clock.advance(60_001);
  expect(sent.takeEcho("yes")).toBe(false);
});

test("ids are bounded, and a file without words leaves no text behind", () => {
  const sent = new SentMessages(fakeWorld());
  sent.add("first", "");
  expect(sent.takeEcho("")).toBe(false);
  for (let n = 0; n < 5_000; n++) sent.add(`id ${n}`, "");
  expect(sent.has("first")).toBe(false);
});
