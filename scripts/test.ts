/** `npm test [-- <vitest arguments>]`: builds when stale, runs the tests, and ends with one line of totals. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.ts";
import { buildDir, root, runHere } from "./root.ts";

/** The part of vitest's JSON report that is used. */
interface Report {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: "passed" | "failed" | "skipped" | "pending" | "todo" | "disabled" }[];
  }[];
}

const reportPath = join(buildDir, "tests.json");

await build();
rmSync(reportPath, { force: true });
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`];
const code = await runHere(process.execPath, [vitest, "run", ...reporters, ...process.argv.slice(2)]);
process.exit(summarise(code));

/** Prints the totals and returns the exit code. */
function summarise(vitestCode: number): number {
  if (!existsSync(reportPath)) {
    console.log("0 passed, 1 failed, 0 skipped (the test runner ended without a report)");
    return vitestCode || 1;
  }
  const report = JSON.parse(readFileSync(reportPath, "utf8")) as Report;
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === "passed").length;
  const skipped = tests.filter((test) => test.status !== "passed" && test.status !== "failed");
  // A file that could not be loaded counts as one failure.
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const failed = tests.filter((test) => test.status === "failed").length + broken.length;
  for (const test of skipped) console.log(`skipped: ${test.fullName}`);
  if (failed === 0 && vitestCode !== 0) console.log("an error was thrown outside of a test; see above");
  console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  return failed > 0 ? 1 : vitestCode;
}
