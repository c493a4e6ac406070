/** `system`: presence and events. */
import { UsageError } from "./command.ts";
import type { Context } from "./command.ts";
import { list, numberOf, record, textOf, withGateway } from "./rpc.ts";
import { table } from "./terminal/table.ts";
import { age } from "./terminal/time.ts";

const ask = (context: Context, method: string, params: Record<string, unknown>): Promise<unknown> =>
  withGateway(context, ({ client }) => client.callAny(method, params), {
    timeoutMs: context.options.integer("timeout", 30_000),
  });

export async function event(context: Context): Promise<number> {
  const text = context.options.text("text");
  if (!text) throw new UsageError("--text is required");
  const mode = context.options.text("mode") ?? "next-heartbeat";
  // Waiting for the next heartbeat is what a system event does by itself; only `now` needs the heartbeat to be woken.
  const answer =
    mode === "now" ? await ask(context, "wake", { mode, text }) : await ask(context, "system-event", { text });
  if (context.json) context.printJson(answer);
  else context.print("ok");
  return record(answer).ok === false ? 1 : 0;
}

export async function presence(context: Context): Promise<number> {
  const { io } = context;
  const entries = list(await ask(context, "system-presence", {}));
  if (context.json) {
    context.printJson(entries);
    return 0;
  }
  const rows = entries.map(record).map((entry) => {
    const at = numberOf(entry.ts);
    return [
      textOf(entry.host) || textOf(entry.instanceId),
      textOf(entry.mode),
      textOf(entry.version),
      textOf(entry.platform),
      textOf(entry.ip) || "-",
      at === undefined ? "-" : age(io.now() - at),
      textOf(entry.reason),
    ];
  });
  context.print(...table(io, ["Host", "Mode", "Version", "Platform", "Address", "Seen", "Reason"], rows));
  return 0;
}
