import { expect, test } from "vitest";
import { Lanes, type LaneClass } from "./lanes.ts";

interface Run {
  name: string;
  laneKey: string;
  laneClass: LaneClass;
}

const run = (name: string, laneKey: string, laneClass: LaneClass = "main"): Run => ({ name, laneKey, laneClass });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function make() {
  const started: string[] = [];
  const lanes = new Lanes<Run>({ caps: () => ({ main: 2, nested: 2 }), start: ({ name }) => void started.push(name) });
  return { lanes, started };
}

test("a hold keeps everything waiting until the resume", async () => {
  const { lanes, started } = make();
  lanes.hold();
  lanes.add(run("a", "x"));
  lanes.add(run("b", "y", "nested"));
  await turn();
  expect(started).toEqual([]);
  lanes.resume();
  expect(started).toEqual(["a", "b"]);
});

test("a hold of main runs lets nested ones pass, also past a main run that waits in their lane", async () => {
  const { lanes, started } = make();
  lanes.hold({ nested: false });
  const nested = run("nested", "x", "nested");
  lanes.add(run("main", "x"));
  lanes.add(nested);
  await turn();
  expect(started).toEqual(["nested"]);
  expect(lanes.waiting).toBe(1);
  lanes.release(nested);
  await turn();
  expect(started).toEqual(["nested"]);
  lanes.resume();
  expect(started).toEqual(["nested", "main"]);
});

test("a nested run added before the hold, behind a main run that had not started, still starts", async () => {
  const { lanes, started } = make();
  const first = run("first", "x");
  lanes.add(first);
  await turn();
  lanes.add(run("second", "x"));
  lanes.add(run("nested", "x", "nested"));
  lanes.hold({ nested: false });
  lanes.release(first);
  await turn();
  expect(started).toEqual(["first", "nested"]);
});
