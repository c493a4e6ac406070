import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { sparing } from "./sparing.ts";

test("a flood of one line is told once a minute, with how often it came; another line is told at once", async () => {
  const world = fakeWorld();
  const told: [string, number][] = [];
  const tell = sparing(world, (line, { times }) => told.push([line, times]));
  for (let n = 0; n < 10_000; n++) tell("failed to decrypt message: Bad MAC");
  tell("Closing session");
  expect(told).toEqual([
    ["failed to decrypt message: Bad MAC", 1],
    ["Closing session", 1],
  ]);
  await world.clock.advance(60_000);
  tell("failed to decrypt message: Bad MAC");
  expect(told.at(-1)).toEqual(["failed to decrypt message: Bad MAC", 10_000]);
});

test("lines that are never the same are one kind beyond the first hundred", () => {
  const told: string[] = [];
  const tell = sparing(fakeWorld(), (line) => told.push(line));
  for (let n = 0; n < 10_000; n++) tell(`odd line ${n}`);
  expect(told).toHaveLength(101);
});
