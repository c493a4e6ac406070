import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { readConfig } from "../config/index.ts";
import { listEditor } from "./allow-lists.ts";
import { declared } from "./sections.ts";

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "allow-lists-"));
  path = join(dir, "openclaw.json");
});
afterEach(() => rmSync(dir, { recursive: true }));

const add = async (config: string, accountId: string, list: "allowFrom" | "groupAllowFrom" = "allowFrom") => {
  writeFileSync(path, config);
  const edit = listEditor({ world: fakeWorld(), path });
  const place = await edit({ channel: "telegram", accountId, list }, (now = []) => [...now, "42"]);
  return { place, text: readFileSync(path, "utf8") };
};

test.each([
  ["the channel's list", `{ channels: { telegram: { allowFrom: [7] } } }`, "default", "channels.telegram.allowFrom"],
  [
    "the account's own list before the channel's",
    `{ channels: { telegram: { allowFrom: [1], accounts: { two: { allowFrom: [7] } } } } }`,
    "two",
    "channels.telegram.accounts.two.allowFrom",
  ],
  [
    "the channel's list, where the account has none",
    `{ channels: { telegram: { allowFrom: [7], accounts: { two: {} } } } }`,
    "two",
    "channels.telegram.allowFrom",
  ],
])("a sender is added to %s", async (_name, config, accountId, place) => {
  const done = await add(config, accountId);
  expect(done.place).toBe(place);
  expect(done.text.replace(/\s/g, "")).toContain(`allowFrom:[7,"42"`);
});

test("a list that is not there yet is made where the account is, and what else stands in the file is kept", async () => {
  const { place, text } = await add(
    `{ // mine\n channels: { telegram: { accounts: { two: { name: "Two" } } } } }`,
    "two",
  );
  expect(place).toBe("channels.telegram.accounts.two.allowFrom");
  expect(text).toContain("// mine");
  expect((await add(`{ channels: { telegram: {} } }`, "default", "groupAllowFrom")).place).toBe(
    "channels.telegram.groupAllowFrom",
  );
});

test("changes that are asked for at the same time all stand in the file, also beside those of somebody else", async () => {
  writeFileSync(path, `{ channels: { telegram: { allowFrom: ["1"] } } }`);
  const world = fakeWorld();
  const edit = listEditor({ world, path });
  const place = { channel: "telegram", accountId: "default", list: "allowFrom" } as const;
  let foreign = 0;
  const names = ["2", "3", "4", "5", "6"];
  await Promise.all(
    names.map((id) =>
      edit(place, (now = []) => {
        // An editor saves between reading and writing.
        if (id === "4" && foreign++ === 0)
          writeFileSync(path, readFileSync(path, "utf8").replace("{", '{ gateway: { mode: "local" }, '));
        return [...now, id];
      }),
    ),
  );
  const { parsed } = readConfig(path, world, declared);
  expect(parsed).toMatchObject({
    gateway: { mode: "local" },
    channels: { telegram: { allowFrom: ["1", ...names] } },
  });
});
