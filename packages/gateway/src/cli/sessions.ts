/** `sessions`: the stored conversations, newest first. */
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { list, numberOf, record, textOf, withGateway } from "./rpc.ts";
import { age } from "./terminal/time.ts";
import { table } from "./terminal/table.ts";

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  if (options.has("store")) {
    throw new CommandError(
      "--store is not offered: sessions live in the gateway's database. Leave it out to ask the gateway.",
    );
  }
  const activeMinutes = options.integer("active", undefined);
  const answer = record(
    await withGateway(
      context,
      ({ client }) =>
        client.callAny("sessions.list", {
          includeGlobal: true,
          includeUnknown: true,
          ...(activeMinutes === undefined ? {} : { activeMinutes }),
        }),
      { timeoutMs: 10_000 },
    ),
  );
  const defaults = record(answer.defaults);
  const sessions = list(answer.sessions).map((item) => {
    const row = record(item);
    const updatedAt = numberOf(row.updatedAt) ?? null;
    return {
      key: textOf(row.key),
      kind: textOf(row.kind),
      updatedAt,
      ageMs: updatedAt === null ? null : Math.max(0, io.now() - updatedAt),
      sessionId: row.sessionId,
      systemSent: row.systemSent,
      abortedLastRun: row.abortedLastRun,
      thinkingLevel: row.thinkingLevel,
      verboseLevel: row.verboseLevel,
      inputTokens: row.inputTokens,
      outputTokens: row.outputTokens,
      totalTokens: row.totalTokens,
      model: row.model ?? defaults.model,
      contextTokens: row.contextTokens ?? defaults.contextTokens,
    };
  });
  if (context.json) {
    const path = answer.path ?? null;
    context.printJson({ path, count: sessions.length, activeMinutes: activeMinutes ?? null, sessions });
    return 0;
  }
  if (sessions.length === 0) {
    context.print(activeMinutes === undefined ? "No sessions." : `No sessions in the last ${activeMinutes} minutes.`);
    return 0;
  }
  const rows = sessions.map((row) => [
    row.kind,
    row.key,
    row.ageMs === null ? "never" : age(row.ageMs),
    textOf(row.model),
    tokens(numberOf(row.totalTokens), numberOf(row.contextTokens)),
  ]);
  context.print(...table(io, ["Kind", "Key", "Age", "Model", "Tokens"], rows));
  return 0;
}

function tokens(total: number | undefined, context: number | undefined): string {
  const short = (count: number) => (count < 1000 ? String(count) : `${Math.round(count / 1000)}k`);
  if (total === undefined) return "-";
  return context ? `${short(total)}/${short(context)} (${Math.round((100 * total) / context)}%)` : short(total);
}
