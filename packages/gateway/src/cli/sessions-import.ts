/** `sessions import`: an older state directory, or one transcript, into the store. Needs the gateway stopped. */
import { displayPath } from "../kernel/paths.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { rooms } from "./rooms.ts";
import { cleanLine } from "./terminal/clean.ts";

/** Lines of each list on the terminal; `--json` and the report beside the backup have more. */
const shownLines = 20;

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  const [from] = context.arguments;
  const key = options.text("key");
  const dryRun = options.has("dry-run");
  const { importState } = await rooms.import.load();
  const report = await importState({ from, key, dryRun }, await io.world()).catch(explain);
  if (context.json) {
    context.printJson({ ok: true, ...report });
    return 0;
  }
  const { taken, before, skipped, warnings, more, durationMs } = report;
  const count = (number: number, one: string, several = `${one}s`) => `${number} ${number === 1 ? one : several}`;
  const conversations = taken.sessions + taken.earlier;
  const lines = [
    `${dryRun ? "Would take" : "Took"} from ${displayPath(report.source, io)}: ${count(taken.sessions, "session")}, ` +
      `${count(taken.earlier, "earlier conversation")}, ${count(taken.entries, "entry", "entries")}, ` +
      `${count(taken.devices, "device")} with ${count(taken.tokens, "token")}, ${count(taken.nodes, "node")}`,
  ];
  if (before > 0) lines.push(`Taken before: ${before}`);
  if (report.backup !== undefined) lines.push(`Copies of what was read: ${displayPath(report.backup, io)}`);
  lines.push(
    ...listed(
      "Left out",
      skipped.map(({ path, reason }) => `${path}: ${reason}`),
    ),
  );
  lines.push(...listed("Notes", warnings));
  if (more > 0) lines.push(`… and ${more} more lines that were not kept`);
  const rate =
    conversations >= 100 && durationMs > 0
      ? `, ${Math.round((1000 * conversations) / durationMs)} conversations/s`
      : "";
  lines.push(
    `${dryRun ? "Nothing was changed" : "The originals are unchanged"} (${(durationMs / 1000).toFixed(1)} s${rate}).`,
  );
  context.print(...lines);
  return 0;
}

function listed(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, shownLines).map((line) => `  - ${cleanLine(line)}`);
  return [
    `${title}:`,
    ...shown,
    ...(lines.length > shownLines ? [`  … and ${lines.length - shownLines} more (--json)`] : []),
  ];
}

/** What the assembly refuses is for the person at the terminal, as it is. */
export function explain(error: unknown): never {
  if (error instanceof Error && error.name === "GatewayError")
    throw new CommandError(error.message, {}, { cause: error });
  throw error;
}
