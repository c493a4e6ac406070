/** `npm run soak:ci`, `npm run soak:crash -- --kills N --seed S`, and by name:
 *  `node --conditions=openclaw-source test/soak/main.ts sim --seeds N`. One JSON line per programme, then the totals; any
 *  violation exits 1 and prints the seed that repeats it. */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const condition = "--conditions=openclaw-source";
if (!process.execArgv.includes(condition)) {
  // The workspace's packages are meant as sources, which node must be told at its start.
  const child = spawnSync(process.execPath, [condition, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: "inherit",
  });
  process.exit(child.status ?? 1);
}

interface Report {
  violations: string[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string" },
    documents: { type: "string" },
    signals: { type: "string" },
    seeds: { type: "string" },
    seed: { type: "string" },
    seconds: { type: "string" },
    /** Folder for what the gateways of the channel soak leave behind: logs at debug level, the database. */
    keep: { type: "string" },
  },
});
const chosen = positionals[0] ?? "ci";
const ci = chosen === "ci";
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const say = (text: string) => void process.stdout.write(`${text}\n`);

const programmes: Record<string, () => Promise<Report>> = {
  async sim() {
    const { sim } = await import("./sim.ts");
    const budgetMs = values.seconds === undefined ? (ci ? 60_000 : Infinity) : Number(values.seconds) * 1_000;
    const seeds = Number(values.seeds ?? (ci ? 5_000 : 150));
    return sim({ seed, seeds, budgetMs, onViolation: (text) => process.stderr.write(`${text}\n`) });
  },
  async crash() {
    const { crash } = await import("./crash.ts");
    const kills = Number(values.kills ?? (ci ? 50 : 1_000));
    const onCycle = (cycle: number, sent: number) =>
      cycle % 10 === 0 ? say(`  ${cycle} kills, ${sent} messages sent`) : undefined;
    return crash({ kills, seed, onCycle });
  },
  async channels() {
    const { channels } = await import("./channels.ts");
    const kills = Number(values.kills ?? (ci ? 30 : 1_000));
    const onCycle = (cycle: number, sent: number) =>
      cycle % 10 === 0 ? say(`  ${cycle} kills, ${sent} messages`) : undefined;
    const messages = Math.max(1_000, kills * 20);
    return channels({ kills, messages, seed, whatsapp: true, onCycle, ...(values.keep ? { keep: values.keep } : {}) });
  },
  async completions() {
    const { completions } = await import("./completions.ts");
    return completions({ requests: ci ? 4_000 : 20_000 });
  },
  async "slow-consumer"() {
    const { slowConsumer } = await import("./slow-consumer.ts");
    const durationMs = Number(values.seconds ?? (ci ? 20 : 10)) * 1_000;
    return slowConsumer(ci ? { clients: 300, stalled: 30, durationMs } : { clients: 40, stalled: 4, durationMs });
  },
  async reload() {
    const { reload } = await import("./reload.ts");
    return reload({ seed, edits: 1_000, withinMs: 10_000, clients: 64, flips: ci ? 50 : 200 });
  },
  async edits() {
    const { editDocuments } = await import("./config-file.ts");
    return editDocuments({ seed, documents: Number(values.documents ?? 100_000) });
  },
  async "config-kills"() {
    const { killDuringWrites } = await import("./config-file.ts");
    return killDuringWrites({ seed, kills: Number(values.kills ?? 200) });
  },
  async signals() {
    const { signals } = await import("./signals.ts");
    return signals({ seed, signals: Number(values.signals ?? 200) });
  },
  async timing() {
    const { timing } = await import("./timing.ts");
    return timing({ samples: 20_000, seed });
  },
  async storm() {
    const { storm } = await import("./storm.ts");
    return storm({ starts: ci ? 30 : 50, restarts: 100, clients: 8, heap: true });
  },
  async service() {
    const { serviceSoak } = await import("./service.ts");
    return serviceSoak({ restarts: 200, crowd: 20 });
  },
  async frames() {
    const { fuzzFrames } = await import("../fuzz/frames.ts");
    const until = performance.now() + Number(values.seconds ?? 20) * 1_000;
    const total = { programme: "frames", seed, n: 0, answers: 0, violations: [] as string[] };
    for (let round = seed; performance.now() < until; round++) {
      const report = await fuzzFrames({ seed: round, framesAfterHello: 50_000, framesBeforeHello: 400 });
      total.n += report.framesAfterHello + report.framesBeforeHello;
      total.answers += report.answers;
      if (report.heapGrowthBytes > 32 * 1_048_576)
        total.violations.push(`seed ${round}: the heap grew by ${report.heapGrowthBytes} bytes`);
    }
    return total;
  },
};

/** A judgement of microseconds needs a quiet machine. */
const alone = ["timing"];
const names = ci ? Object.keys(programmes).filter((name) => !alone.includes(name)) : [chosen];
let failed = 0;
for (const name of names) {
  const programme = programmes[name];
  if (!programme) {
    process.stderr.write(`unknown programme ${name}: use ci, ${Object.keys(programmes).join(", ")}\n`);
    process.exit(2);
  }
  say(`${name}: seed ${seed}`);
  const began = performance.now();
  const report = await programme().catch((error: unknown): Report => ({
    violations: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  }));
  const { violations } = report;
  for (const violation of violations.slice(0, 50)) process.stderr.write(`violation: ${violation}\n`);
  say(
    JSON.stringify({
      programme: name,
      seed,
      ...report,
      violations: violations.length,
      seconds: Math.round((performance.now() - began) / 100) / 10,
    }),
  );
  if (violations.length > 0) failed++;
}
say(`${names.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
