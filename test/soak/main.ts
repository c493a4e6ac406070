/** `npm run soak:ci`, `soak:crash -- --kills N --seed S`. One JSON line per programme; any violation exits 1. */
import { parseArgs } from "node:util";
import { crash } from "./crash.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kills: { type: "string" }, seed: { type: "string" } },
});
const programme = positionals[0] ?? "ci";
if (programme !== "ci" && programme !== "crash") {
  process.stderr.write(`unknown programme ${programme}: use ci or crash\n`);
  process.exit(2);
}
const kills = Number(values.kills ?? (programme === "ci" ? 50 : 1_000));
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
process.stdout.write(`crash: ${kills} kills, seed ${seed}\n`);
const report = await crash({
  kills,
  seed,
  onCycle: (cycle, sent) => {
    if (cycle % 10 === 0) process.stdout.write(`  ${cycle} kills, ${sent} messages sent\n`);
  },
});
for (const violation of report.violations.slice(0, 50)) process.stderr.write(`violation: ${violation}\n`);
process.stdout.write(`${JSON.stringify({ ...report, violations: report.violations.length })}\n`);
const failed = report.violations.length > 0;
process.stdout.write(failed ? "0 passed, 1 failed\n" : "1 passed, 0 failed\n");
process.exitCode = failed ? 1 : 0;
