/** Writes `protocol.schema.json`: all definitions, and which of them belong to which method and event. */
import type { Definitions } from "./definitions.ts";

const ref = (name: string): { $ref: string } => ({ $ref: `#/definitions/${name}` });

export function jsonSchemaFile({ shapes, methods, events }: Definitions): string {
  const document = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "OpenClaw Gateway protocol",
    anyOf: [ref("RequestFrame"), ref("ResponseFrame"), ref("EventFrame")],
    methods: Object.fromEntries(
      [...methods].map(([name, { params, result, ack }]) => [
        name,
        { params: ref(params), result: ref(result), ...(ack === undefined ? {} : { ack: ref(ack) }) },
      ]),
    ),
    events: Object.fromEntries([...events].map(([name, payload]) => [name, ref(payload)])),
    definitions: Object.fromEntries([...shapes].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}
