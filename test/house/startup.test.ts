/** What the fast commands load, pinned, so that a heavier start is a visible line in a diff. After an intended change:
 *  `npm test -- test/house/startup.test.ts -u`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHome, gatewayMain, startGateway, token, type Home, type Running } from "../bench/processes.ts";
import { root } from "./sources.ts";

let home: Home;
let gateway: Running;
const folder = mkdtempSync(join(tmpdir(), "openclaw-modules-"));
const manifest = (
  JSON.parse(readFileSync(join(root, ".openclaw-build/gateway.json"), "utf8")) as {
    chunks: Record<string, { modules: string[] }>;
  }
).chunks;

beforeAll(async () => {
  home = createHome();
  gateway = await startGateway(home);
});
afterAll(async () => {
  await gateway?.stop();
  home?.remove();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
});

/** Modules loaded by one command of the built program: our sources, `npm:` packages and `node:` built-ins, sorted. */
function loaded(...args: string[]): string[] {
  const record = join(folder, "modules");
  const recorder = join(root, "test/house/record-modules.ts");
  const result = spawnSync(process.execPath, ["--import", recorder, gatewayMain, ...args], {
    env: { ...home.env, OPENCLAW_RECORD_MODULES: record },
    encoding: "utf8",
    timeout: 15_000,
  });
  expect(result.stderr).toBe("");
  expect(result.status).toBe(0);
  const modules = new Set<string>();
  for (const url of readFileSync(record, "utf8").split("\n")) {
    const file = /\/packages\/gateway\/dist\/(chunks\/.*)$/.exec(url)?.[1];
    if (url.startsWith("node:")) modules.add(url);
    else if (file) for (const name of manifest[file]?.modules ?? [`unknown chunk ${file}`]) modules.add(name);
    else if (!url.endsWith("/dist/main.js") && !url.endsWith("/record-modules.ts"))
      modules.add(`outside of the bundle: ${url.split("/").at(-1)}`);
  }
  return [...modules].sort();
}

test("the module lists of the fast commands are those that were agreed", async () => {
  const lists = {
    "openclaw --version": loaded("--version"),
    "openclaw --help": loaded("--help"),
    "openclaw gateway call health": loaded("gateway", "call", "health", "--url", gateway.url, "--token", token),
  };
  const text = Object.entries(lists).map(([command, modules]) => `# ${command}\n${modules.join("\n")}\n`);
  await expect(text.join("\n")).toMatchFileSnapshot("startup-modules.txt");
});

test("no fast command loads the server, the store or a model SDK", () => {
  const heavy = /gateway\/src\/(server|store|assembly|features)\/|npm:(@ai-sdk|zod|ajv|typebox|ws)|node:sqlite/;
  for (const args of [
    ["--version"],
    ["--help"],
    ["gateway", "call", "health", "--url", gateway.url, "--token", token],
  ]) {
    expect(loaded(...args).filter((name) => heavy.test(name))).toEqual([]);
  }
});

test("every chunk is kept in one byte per character, whatever its texts say", () => {
  const wide = Object.keys(manifest).filter((file) =>
    /[^\0-\u00ff]/u.test(readFileSync(join(root, "packages/gateway/dist", file), "utf8")),
  );
  expect(wide).toEqual([]);
});
