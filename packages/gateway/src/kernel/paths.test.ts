import { resolve } from "node:path";
import { expect, test } from "vitest";
import { configPath, defaultWorkspace, stateDir } from "./paths.ts";

test("a relative home means the same folders wherever a later command or child process looks from", () => {
  const world = { env: {}, homedir: () => "some/home" };
  expect(stateDir(world)).toBe(resolve("some/home/.openclaw"));
  expect(configPath(world)).toBe(resolve("some/home/.openclaw/openclaw.json"));
  expect(defaultWorkspace({ ...world, env: { OPENCLAW_PROFILE: "x" } })).toBe(
    resolve("some/home/.openclaw/workspace-x"),
  );
});
