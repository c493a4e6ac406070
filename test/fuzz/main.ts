/** Longer runs: `npm run fuzz -- --target F1 --minutes 10 [--seed N]`. Prints one line per round; exits 1 on the first fault. */
import { parseArgs } from "node:util";
import { fuzzFrames } from "./frames.ts";

const targets = { F1: fuzzFrames } as const;

const { values } = parseArgs({
  options: {
    target: { type: "string", default: "F1" },
    minutes: { type: "string", default: "5" },
    seed: { type: "string" },
  },
});
const name = values.target;
if (name !== "F1") {
  console.error(`unknown target ${name}; there is: ${Object.keys(targets).join(", ")}`);
  process.exit(2);
}
const until = Date.now() + Number(values.minutes) * 60_000;
let seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
do {
  console.log(`${name} seed ${seed}`);
  const report = await targets[name]({ seed, framesAfterHello: 100_000, framesBeforeHello: 1_000 });
  console.log(JSON.stringify(report));
  if (report.heapGrowthBytes > 32 * 1_048_576) {
    console.error(`heap grew by ${report.heapGrowthBytes} bytes`);
    process.exit(1);
  }
  seed++;
} while (Date.now() < until);
