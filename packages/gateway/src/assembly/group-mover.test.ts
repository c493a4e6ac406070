import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { editConfigFile, readConfig } from "../config/index.ts";
import { systemWorld } from "../kernel/world.ts";
import { silentLogger } from "../kernel/log.ts";
import { groupMover } from "./group-mover.ts";
import { declared } from "./sections.ts";

let dir: string;
let path: string;
const world = systemWorld({});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "group-mover-"));
  path = join(dir, "openclaw.json");
});
afterEach(() => rmSync(dir, { recursive: true }));

const move = { channel: "telegram", accountId: "default", from: "-100", to: "-200" };
const binding = (id: string) => ({ agentId: "main", match: { channel: "telegram", peer: { kind: "group", id } } });
const write = (config: unknown) => writeFileSync(path, JSON.stringify(config));
const read = () => readConfig(path, world, declared).parsed;
const mover = () => groupMover({ world, path, log: silentLogger })(move);

test("settings and bindings name the group by its new id", async () => {
  write({ channels: { telegram: { groups: { "-100": { requireMention: false } } } }, bindings: [binding("-100")] });
  await mover();
  expect(read()).toMatchObject({
    channels: { telegram: { groups: { "-200": { requireMention: false } } } },
    bindings: [binding("-200")],
  });
});

test("a binding that another writer takes away meanwhile is not taken for the one that is meant", async () => {
  write({ bindings: [binding("-1"), binding("-100"), binding("-3")] });
  const other = editConfigFile(path, [{ path: ["bindings", "0"], value: undefined }], world, declared);
  await Promise.all([other, mover()]);
  expect(read()).toMatchObject({ bindings: [binding("-200"), binding("-3")] });
});

test("a config that does not name the group stays as it is", async () => {
  write({ bindings: [binding("-1")] });
  await mover();
  expect(read()).toEqual({ bindings: [binding("-1")] });
});
