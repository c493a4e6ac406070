/** A programme that never failed is not trusted (reliability.md §4.11). Each patch beside this file breaks one promise; it is
 *  applied to a copy of the tree, and the programmes named for it must fail there:
 *  `node test/house/sabotage/run.ts [patch …] [--seed N]`. Not part of the tests: it takes minutes. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { parseArgs } from "node:util";

interface Sabotage {
  patch: string;
  /** Each is run in the copy and must end with another code than 0. */
  mustFail: Record<string, string[]>;
}

const vitest = (path: string) => ["node_modules/vitest/vitest.mjs", "run", path];
const soak = (...args: string[]) => ["test/soak/main.ts", ...args];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string", default: "1" } },
});
const sim = soak("sim", "--seeds", "150", "--seed", values.seed);
const crash = soak("crash", "--kills", "24", "--seed", values.seed);

const sabotages: Sabotage[] = [
  { patch: "ack-before-commit", mustFail: { sim, crash } },
  { patch: "commit-not-durable", mustFail: { store: vitest("packages/gateway/src/store") } },
  { patch: "second-run-per-lane", mustFail: { sim, crash } },
  { patch: "message-appended-again", mustFail: { sim, crash } },
  { patch: "stop-without-waiting", mustFail: { sim } },
  { patch: "seq-for-targeted-events", mustFail: { fanout: vitest("packages/gateway/src/server/fanout.test.ts") } },
];

const here = import.meta.dirname;
const root = resolve(here, "../../..");
const leftOut = new Set(["node_modules", "dist", ".git", ".openclaw-build", "coverage"]);
const known = readdirSync(here).filter((name) => name.endsWith(".patch"));
const forgotten = known.filter((name) => !sabotages.some(({ patch }) => `${patch}.patch` === name));
if (forgotten.length > 0) throw new Error(`no programme is named for ${forgotten.join(", ")}`);

let trusted = 0;
let untrusted = 0;
for (const { patch, mustFail } of sabotages) {
  if (positionals.length > 0 && !positionals.includes(patch)) continue;
  const copy = mkdtempSync(join(tmpdir(), `sabotage-${patch}-`));
  try {
    copyTree(copy);
    const applied = spawnSync("patch", ["-p1", "--forward", "--batch", "--quiet"], {
      cwd: copy,
      input: readFileSync(join(here, `${patch}.patch`)),
    });
    if (applied.status !== 0) {
      console.log(
        `${patch}: does not apply any more; write it anew\n${String(applied.stdout)}${String(applied.stderr)}`,
      );
      untrusted++;
      continue;
    }
    for (const [name, args] of Object.entries(mustFail)) {
      const began = performance.now();
      const ran = spawnSync(process.execPath, args, {
        cwd: copy,
        encoding: "utf8",
        timeout: 300_000,
        env: { ...process.env, NO_COLOR: "1" },
      });
      const seconds = Math.round((performance.now() - began) / 100) / 10;
      const noticed = ran.status === 1;
      if (noticed) trusted++;
      else untrusted++;
      const why =
        /^violation: (.*)$/m.exec(ran.stderr)?.[1] ??
        /AssertionError: (.*)/.exec(ran.stdout + ran.stderr)?.[1] ??
        `exit code ${ran.status}`;
      console.log(
        `${patch}: ${name} ${noticed ? "failed, as it must" : "DID NOT FAIL"} (${seconds} s) ${why.slice(0, 160)}`,
      );
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
console.log(`${trusted} passed, ${untrusted} failed`);
process.exit(untrusted > 0 ? 1 : 0);

function copyTree(to: string): void {
  const wanted = (path: string) =>
    !relative(root, path)
      .split(sep)
      .some((part) => leftOut.has(part));
  cpSync(root, to, { recursive: true, filter: wanted });
  symlinkSync(join(root, "node_modules"), join(to, "node_modules"));
}
