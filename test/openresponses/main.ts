/** `npm run openresponses [-- --base-url http://127.0.0.1:18789/v1 --api-key <token> --model openclaw] [--write]`: runs our port of
 *  the OpenResponses cases, by default against a gateway of its own with a scripted model. `--write` puts the table into
 *  `docs/interop.md`. Exits 1 when a case fails. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { leftOut, type Result, runCases } from "./cases.ts";
import { openCaseGateway } from "./scripted.ts";

const { values } = parseArgs({
  options: {
    "base-url": { type: "string" },
    "api-key": { type: "string", default: "" },
    model: { type: "string", default: "openclaw" },
    write: { type: "boolean", default: false },
  },
});

const results = await (values["base-url"] === undefined ? ownGateway() : theirs(values["base-url"]));
console.log(table(results));
if (values.write) write(table(results));
process.exit(results.some(({ failure }) => failure !== undefined) ? 1 : 0);

async function ownGateway(): Promise<Result[]> {
  const gateway = await openCaseGateway();
  try {
    return await runCases({ baseUrl: `${gateway.httpUrl}/v1`, apiKey: gateway.token, model: values.model });
  } finally {
    await gateway.stop();
  }
}

function theirs(baseUrl: string): Promise<Result[]> {
  return runCases({ baseUrl: baseUrl.replace(/\/+$/, ""), apiKey: values["api-key"], model: values.model });
}

function table(rows: readonly Result[]): string {
  const lines = [
    ...rows.map(
      ({ id, what, failure }) => `| ${id} | ${what} | ${failure === undefined ? "pass" : `**fails**: ${failure}`} |`,
    ),
    ...leftOut.map(({ id, why }) => `| ${id} | ${why} | not run |`),
  ];
  return ["| case | what | result |", "|---|---|---|", ...lines].join("\n");
}

function write(text: string): void {
  const path = join(import.meta.dirname, "../../docs/interop.md");
  const page = readFileSync(path, "utf8");
  const block = /<!-- openresponses -->[\s\S]*<!-- \/openresponses -->/;
  if (!block.test(page)) throw new Error("docs/interop.md has lost its markers");
  writeFileSync(
    path,
    page.replace(block, () => `<!-- openresponses -->\n\n${text}\n\n<!-- /openresponses -->`),
  );
  console.log("\nwrote docs/interop.md");
}
