/** `gateway call <method>` (lifecycle.md §14.6). */
import { CommandError, Interrupted } from "./command.ts";
import type { Context } from "./command.ts";
import { withGateway } from "./rpc.ts";
import { clean } from "./terminal/clean.ts";
import { toJson } from "./terminal/json.ts";

function parameters(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CommandError(`Gateway call failed: --params is not JSON (${(error as Error).message})`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CommandError("Gateway call failed: --params must be a JSON object");
  }
  return value as Record<string, unknown>;
}

export async function run(context: Context): Promise<number> {
  const [method = ""] = context.arguments;
  const params = parameters(context.options.text("params") ?? "{}");
  const expectFinal = context.options.has("expect-final");
  try {
    const payload = await withGateway(context, ({ client, timeoutMs }) =>
      client.callAny(method, params, { expectFinal, timeoutMs }),
    );
    if (context.json) context.printJson(payload ?? null);
    else context.print(`Gateway call: ${clean(method)}`, toJson(payload ?? null));
    return 0;
  } catch (error) {
    if (error instanceof Interrupted || !(error instanceof Error)) throw error;
    const prefix = error.message.startsWith("Error: ") ? "" : "Error: ";
    const extra = error instanceof CommandError ? error.extra : {};
    throw new CommandError(`Gateway call failed: ${prefix}${error.message}`, extra, { cause: error });
  }
}
