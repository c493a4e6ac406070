import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { channelRows } from "./catalogue.ts";

const root = join(import.meta.dirname, "../../../../..");

test("every channel has a name for programs, one for people, other spellings, a line to choose it by and a guide", async () => {
  expect(
    channelRows.map(({ id }) => id),
    "in the order people see them",
  ).toEqual(["whatsapp", "telegram"]);
  const names = channelRows.flatMap(({ id, aliases }) => [id, ...aliases]);
  expect(new Set(names).size).toBe(names.length);
  for (const row of channelRows) {
    expect(row.summary).toMatch(/\w{3}/u);
    const entry = await row.load();
    expect(entry).toMatchObject({ id: row.id, label: row.label });
    expect(existsSync(join(root, entry.docs)), entry.docs).toBe(true);
  }
});

test("questions about config, targets and texts load no SDK", () => {
  const program = `
    import { registerHooks } from "node:module";
    const seen = [];
    registerHooks({ resolve: (name, context, next) => { const found = next(name, context); seen.push(found.url); return found; } });
    const { channelRows } = await import(${JSON.stringify(join(import.meta.dirname, "catalogue.ts"))});
    for (const row of channelRows) {
      const entry = await row.load();
      entry.accounts({ channels: { [row.id]: { allowFrom: ["+15551234567", "42"] } }, web: {} }, {});
      entry.parseTarget(row.id === "telegram" ? "42" : "+15551234567");
      entry.render("**hello**", { limit: 4000, chunkMode: "length", tables: "off" });
    }
    const sdk = seen.filter((url) => /\\/node_modules\\/(?:grammy|@grammyjs|baileys|libsignal|ws|pino)\\//.test(url));
    console.log(JSON.stringify({ seen: seen.length, sdk }));`;
  const ran = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
    timeout: 30_000,
  });
  expect(ran.stderr).toBe("");
  const { seen, sdk } = JSON.parse(ran.stdout) as { seen: number; sdk: string[] };
  expect(seen).toBeGreaterThan(10);
  expect(sdk).toEqual([]);
});
