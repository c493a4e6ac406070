/** `models list`: what the gateway can be told to use. */
import type { Context } from "./command.ts";
import { list, numberOf, record, textOf, withGateway } from "./rpc.ts";
import { clean } from "./terminal/clean.ts";
import { table } from "./terminal/table.ts";

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  const [answer, sessions] = await withGateway(
    context,
    ({ client }) => Promise.all([client.callAny("models.list", {}), client.callAny("sessions.list", { limit: 1 })]),
    { timeoutMs: 10_000 },
  );
  const { modelProvider, model } = record(record(sessions).defaults);
  const current = `${textOf(modelProvider)}/${textOf(model)}`;
  const provider = options.text("provider");
  const models = list(record(answer).models)
    .map(record)
    .filter((entry) => provider === undefined || entry.provider === provider)
    .map((entry) => {
      const id = textOf(entry.id);
      const key = id.startsWith(`${textOf(entry.provider)}/`) ? id : `${textOf(entry.provider)}/${id}`;
      const available = entry.available !== false;
      return {
        key,
        name: textOf(entry.name) || id,
        input: list(entry.input).map(textOf).join("+") || "text",
        contextWindow: numberOf(entry.contextWindow) ?? null,
        local: entry.local === true,
        available,
        tags: [...(key === current ? ["default"] : []), ...list(entry.tags).map(textOf)],
        missing: entry.missing === true,
      };
    })
    .filter((entry) => !options.has("local") || entry.local)
    .filter((entry) => options.has("all") || entry.available);
  if (context.json) context.printJson({ count: models.length, models });
  else if (options.has("plain")) {
    if (models.length > 0) context.print(...models.map((entry) => clean(entry.key)));
  } else if (models.length === 0) context.print("No models.");
  else {
    const rows = models.map((entry) => [
      entry.key,
      entry.input,
      entry.contextWindow === null ? "-" : `${Math.round(entry.contextWindow / 1000)}k`,
      entry.local ? "yes" : "no",
      entry.tags.join(", "),
    ]);
    context.print(...table(io, ["Model", "Input", "Context", "Local", "Tags"], rows));
  }
  return 0;
}
