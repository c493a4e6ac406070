/** `npm run interop [-- options]`: published OpenClaw clients as black boxes against a gateway of this checkout.
 *  Installs them outside of the repository, runs each command in a home of their own, and judges it by exit code, output and
 *  the gateway's log. Ends with 1 when a command did not work. Not part of CI: 2 GB and minutes.
 *
 *  --dir FOLDER      where the clients are installed and kept (default: openclaw-interop in the system's temporary folder)
 *  --client VERSION  only this client
 *  --only TEXT       only commands that contain TEXT
 *  --record FOLDER   write every frame of each command to FOLDER, secrets included
 *  --write           put the results into docs/interop.md */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startFakeProvider, type FakeProvider } from "../test/support/fake-provider/index.ts";
import { makeHome, startGateway, token, type GatewayProcess, type Home } from "../test/support/process.ts";
import { build } from "./build.ts";
import { casesOf, providerReply, type Case } from "./interop/cases.ts";
import { clients, installed, type Client } from "./interop/clients.ts";
import { clientHome, runCommand } from "./interop/command.ts";
import { startRecorder } from "./interop/recorder.ts";
import { judge, type Verdict } from "./interop/verdict.ts";
import { root } from "./root.ts";

interface Row extends Verdict {
  client: Client;
  item: Case;
}

interface Side {
  home: Home;
  gateway: GatewayProcess;
}

const { values: options } = parseArgs({
  options: {
    dir: { type: "string", default: join(tmpdir(), "openclaw-interop") },
    client: { type: "string" },
    only: { type: "string" },
    record: { type: "string" },
    write: { type: "boolean", default: false },
  },
});

const chosen = clients.filter((client) => !options.client || client.version === options.client);
if (chosen.length === 0)
  throw new Error(`no such client; known: ${clients.map((client) => client.version).join(", ")}`);
await build();
const rows: Row[] = [];
for (const client of chosen) rows.push(...(await runClient(client)));
const failed = rows.filter((row) => row.faults.length > 0);
if (options.write) writeResults(rows);
console.log(`${rows.length - failed.length} of ${rows.length} commands work`);
process.exitCode = failed.length > 0 ? 1 : 0;

/** Every case of one client, against gateways of its own so that nothing of another client is in the way. */
async function runClient(client: Client): Promise<Row[]> {
  const entry = await installed(client, options.dir);
  const provider = await startFakeProvider({ script: () => providerReply });
  const sides: Record<"offline" | "provider", Side> = {
    offline: await openSide({}),
    provider: await openSide(providerConfig(provider)),
  };
  const rows: Row[] = [];
  try {
    for (const item of casesOf(client)) {
      if (options.only && !item.command.join(" ").includes(options.only)) continue;
      const row = await runCase(client, entry, item, sides[item.model ?? "offline"]);
      rows.push(row);
      const note = row.faults.length === 0 ? `ok   (${row.connections.join(", ")})` : `FAIL ${row.faults.join("; ")}`;
      console.log(`${client.version}  ${label(item).padEnd(64)} ${note}`);
    }
  } finally {
    for (const { gateway, home } of Object.values(sides)) {
      await gateway.stop();
      home.remove();
    }
    await provider.close();
  }
  return rows;
}

async function runCase(client: Client, entry: string, item: Case, { home, gateway }: Side): Promise<Row> {
  const recorder = options.record
    ? await startRecorder(gateway.port, recordFile(options.record, client, item))
    : undefined;
  const target = { port: recorder?.port ?? gateway.port, token };
  const before = gateway.output().length;
  const outcome = await runCommand(entry, clientHome(home.path, target, item.mode ?? "local"), item);
  await recorder?.close();
  const verdict = judge(client, item, outcome, gateway.output().slice(before));
  if (verdict.faults.length > 0) console.log(outcome.output.trimEnd().split("\n").slice(-25).join("\n"));
  return { ...verdict, client, item };
}

async function openSide(config: Record<string, unknown>): Promise<Side> {
  const home = makeHome(config);
  return { home, gateway: await startGateway(home, { args: ["--verbose"] }) };
}

function providerConfig(provider: FakeProvider): Record<string, unknown> {
  const api = "openai-completions";
  const model = { id: "mock-1", name: "Mock", contextWindow: 200_000, maxTokens: 8_000, input: ["text"] };
  return {
    models: {
      providers: { mock: { baseUrl: provider.baseUrl(api), apiKey: "mock-key-0123456789", api, models: [model] } },
    },
    agents: { defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } } },
  };
}

function recordFile(folder: string, client: Client, item: Case): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const name = label(item)
    .replaceAll(/[^A-Za-z0-9]+/gu, "-")
    .replaceAll(/^-|-$/gu, "");
  return join(folder, `${client.version}-${name}.jsonl`);
}

function label(item: Case): string {
  const words = item.command.map((word) => (/[\s{]/u.test(word) ? `'${word}'` : word)).join(" ");
  const notes = [item.mode === "remote" ? "remote mode" : "", item.model === "provider" ? "with a provider" : ""];
  const note = notes.filter(Boolean).join(", ");
  return note ? `${words} (${note})` : words;
}

/** Replaces what stands between the two marks of docs/interop.md. */
function writeResults(rows: readonly Row[]): void {
  const page = join(root, "docs", "interop.md");
  const lines = rows.map(({ client, item, faults, connections }) => {
    const seen = connections.join(", ") || "none";
    return `| ${client.version} | \`${label(item)}\` | ${faults.length === 0 ? "works" : "fails"} | ${seen} |`;
  });
  const date = new Date().toISOString().slice(0, 10);
  const table = [
    `Taken on ${date}.`,
    "",
    "| client | command | result | connections (client, mode) |",
    "|---|---|---|---|",
    ...lines,
  ];
  const parts = /^([\s\S]*<!-- results -->\n)[\s\S]*(<!-- end -->[\s\S]*)$/u.exec(readFileSync(page, "utf8"));
  if (!parts) throw new Error(`${page} has lost its marks "<!-- results -->" and "<!-- end -->"`);
  writeFileSync(page, `${parts[1]}\n${table.join("\n")}\n\n${parts[2]}`);
}
