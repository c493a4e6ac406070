import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { PlatformClock } from "./platform-clock.ts";

test("the platform's time is what it told at the login, and goes on with the clock that never jumps", async () => {
  const world = fakeWorld();
  const clock = new PlatformClock(world);
  expect(clock.now()).toBe(world.now());
  for (const attrs of [{}, { t: "soon" }, { t: "-1" }]) clock.hear({ tag: "success", attrs: attrs as never });
  clock.hear({ tag: "message", attrs: { t: "1" } });
  expect(clock.now()).toBe(world.now());
  clock.hear({ tag: "success", attrs: { t: "1900000000" } });
  await world.clock.advance(5_000);
  expect(clock.now()).toBe(1_900_000_005_000);
});
