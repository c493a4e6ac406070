/** `npm run bench [-- --only boot,rpc] [--quick] [--write]`: measures the built gateway as real processes, each number beside a
 *  floor taken in the same run. Ratios hold across machines, milliseconds do not. `--write` puts the table, or
 *  the rows of the chosen suites, into `docs/performance.md`. */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem, type } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../../scripts/build.ts";
import { boot } from "./boot.ts";
import { channels } from "./channels.ts";
import { clients } from "./clients.ts";
import { commands } from "./commands.ts";
import { service } from "./service.ts";
import { fanout } from "./fanout.ts";
import { growth } from "./growth.ts";
import { http } from "./http.ts";
import { table, updatedTable, type Row } from "./measure.ts";
import { operator } from "./operator.ts";
import { root } from "./processes.ts";
import { rpc } from "./rpc.ts";
import { size } from "./size.ts";
import { turn } from "./turn.ts";
import { ui } from "./ui.ts";

/** A suite measures one thing. `quick` takes fewer samples. */
export type Suite = (options: { quick: boolean }) => Promise<Row[]>;

const suites: Record<string, Suite> = {
  size,
  commands,
  operator,
  service,
  boot,
  rpc,
  fanout,
  turn,
  http,
  growth,
  clients,
  channels,
  ui,
};

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const chosen = values.only?.split(",") ?? Object.keys(suites);
const unknown = chosen.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`no such suite: ${unknown.join(", ")}; there are ${Object.keys(suites).join(", ")}`);
  process.exit(2);
}

await build();
const rows: Row[] = [];
let broken = 0;
for (const name of chosen) {
  try {
    const found = (await suites[name]?.({ quick: values.quick })) ?? [];
    rows.push(...found);
    console.log(`\n${name}\n${table(found)}`);
  } catch (error) {
    broken += 1;
    console.error(`\n${name} could not be measured: ${error instanceof Error ? error.message : String(error)}`);
  }
}
if (values.write && broken === 0) write(rows);
process.exit(broken === 0 ? 0 : 1);

/** The whole table, or only the rows of the chosen suites. */
function write(all: readonly Row[]): void {
  const path = join(root, "docs/performance.md");
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()}, Node ${process.version}`;
  const page = readFileSync(path, "utf8");
  const old = /<!-- table -->\n\nMeasured on: (.*)\.\n\n([\s\S]*)\n\n<!-- \/table -->/.exec(page);
  if (!old) throw new Error("docs/performance.md has lost its table markers");
  const whole = chosen.length === Object.keys(suites).length;
  if (!whole && old[1] !== machine)
    throw new Error(
      `the table was measured on: ${old[1]}. Numbers of two machines do not belong in one; leave out --only`,
    );
  const rowsText = whole ? table(all) : updatedTable(old[2] ?? "", all);
  const text = `<!-- table -->\n\nMeasured on: ${machine}.\n\n${rowsText}\n\n<!-- /table -->`;
  writeFileSync(
    path,
    page.replace(old[0], () => text),
  );
  console.log("\nwrote docs/performance.md");
}
