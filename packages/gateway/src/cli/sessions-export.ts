/** `sessions export`: conversations as the JSONL that `sessions import` reads. Needs the gateway stopped. */
import { displayPath } from "../kernel/paths.ts";
import { UsageError } from "./command.ts";
import type { Context } from "./command.ts";
import { rooms } from "./rooms.ts";
import { explain } from "./sessions-import.ts";

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  const keys = context.arguments;
  const all = options.has("all");
  const out = options.text("out");
  const [first] = keys;
  if (all === keys.length > 0) throw new UsageError("Name the sessions to export, or give --all");
  const { exportSessions, exportOne } = await rooms.export.load();
  const world = await io.world();
  if (out === undefined) {
    if (first === undefined || keys.length > 1) throw new UsageError("--out is needed for more than one session");
    if (context.json) throw new UsageError("--json needs --out: one session alone is printed as JSON lines");
    await exportOne(first, world, (line) => context.print(line)).catch(explain);
    return 0;
  }
  const report = await exportSessions({ keys: all ? "all" : keys, out }, world).catch(explain);
  if (context.json) context.printJson({ ok: true, ...report });
  else {
    const { sessions, earlier, entries } = report;
    context.print(
      `Wrote ${sessions} sessions, ${earlier} earlier conversations and ${entries} entries to ${displayPath(report.out, io)}`,
    );
  }
  return 0;
}
