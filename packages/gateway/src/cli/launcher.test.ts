import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { VERSION } from "../kernel/version.ts";

const launcher = join(dirname(fileURLToPath(import.meta.url)), "../../bin/openclaw");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "open claw "));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const run = (command: string, args: string[], env: Record<string, string> = {}) =>
  spawnSync(command, args, { cwd: folder, encoding: "utf8", env: { HOME: folder, PATH: "/usr/bin:/bin", ...env } });

/** A package of its own, away from the checkout, with a stand-in for Node on PATH. */
function installed(nodeScript: string | undefined): string {
  const bin = join(folder, "lib", "bin");
  mkdirSync(bin, { recursive: true });
  copyFileSync(launcher, join(bin, "openclaw"));
  chmodSync(join(bin, "openclaw"), 0o755);
  const path = join(folder, "path");
  mkdirSync(path);
  // Only what the launcher itself needs; never this machine's Node.
  for (const tool of ["dirname", "readlink"]) symlinkSync(join("/usr/bin", tool), join(path, tool));
  if (nodeScript !== undefined) {
    writeFileSync(join(path, "node"), `#!/bin/sh\n${nodeScript}\n`);
    chmodSync(join(path, "node"), 0o755);
  }
  return join(bin, "openclaw");
}

test("runs through a chain of links, from a folder with spaces, and says nothing but the answer", () => {
  symlinkSync(launcher, join(folder, "one link"));
  symlinkSync("one link", join(folder, "two"));
  const { stdout, stderr, status } = run(join(folder, "two"), ["--version"]);
  expect([stdout, stderr, status]).toEqual([`${VERSION}\n`, "", 0]);
});

test("passes arguments, output channels and exit codes unchanged", () => {
  const { stdout, stderr, status } = run(launcher, ["nope nope"]);
  expect([stdout, stderr, status]).toEqual(["", "error: unknown command 'nope nope'\n", 1]);
});

test("a closed pipe ends quietly", () => {
  const { stdout, stderr } = run("/bin/sh", ["-c", `"${launcher}" completion --shell fish | head -1`]);
  expect(stdout).toMatch(/^# openclaw completion/);
  expect(stderr).toBe("");
});

test("a Node that is too old gets one sentence", () => {
  const { stderr, status } = run(installed("echo v20.20.0"), [], { PATH: join(folder, "path") });
  expect(stderr).toMatch(/^openclaw needs Node 24 or newer, and found v20\.20\.0 \(.*\)\.\n$/);
  expect(status).toBe(1);
});

test("no Node at all gets one sentence", () => {
  const { stderr, status } = run(installed(undefined), [], { PATH: join(folder, "path") });
  expect(stderr).toBe("openclaw needs Node 24 or newer, and found no Node. Install it from https://nodejs.org.\n");
  expect(status).toBe(1);
});

test("the Node beside the package wins over PATH, and the bundle over the sources", () => {
  const command = installed('echo "$@"; [ "$1" = --version ] && echo v99.0.0');
  const own = join(folder, "node_modules", ".bin");
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, "node"), '#!/bin/sh\nfor each; do echo "$each"; done\n');
  chmodSync(join(own, "node"), 0o755);
  mkdirSync(join(folder, "lib", "dist"));
  writeFileSync(join(folder, "lib", "dist", "main.js"), "");
  const { stdout } = run(command, ["a b", "--c"], { PATH: join(folder, "path") });
  expect(stdout.split("\n").slice(0, -1)).toEqual([
    "--disable-warning=ExperimentalWarning",
    "--max-semi-space-size=4",
    join(folder, "lib/dist/main.js"),
    "a b",
    "--c",
  ]);
});

test("the version of the sources is the package's", () => {
  const manifest = JSON.parse(readFileSync(join(dirname(launcher), "../package.json"), "utf8")) as { version: string };
  expect(VERSION).toBe(manifest.version);
});
