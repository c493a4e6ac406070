/** Writes `protocol.md`, the reference page of methods, events, errors and close codes. */
import { closeRules, errorRules } from "../../packages/protocol/src/errors.ts";
import type { EventDefinition, MethodDefinition } from "../../packages/protocol/src/define.ts";
import { pascal, refName, type Definitions, type JsonSchema } from "./definitions.ts";

const audiences: Record<EventDefinition["audience"], string> = {
  all: "every connection",
  reader: "operators with read, write or admin",
  approvals: "operators with approvals or admin",
  pairing: "operators with pairing or admin",
  targeted: "the connections concerned; no `seq`",
};

/** A schema as a reader of TypeScript would write it. */
export function shapeText(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return refName(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf !== undefined) return schema.anyOf.map(shapeText).join(" | ");
  if (Array.isArray(schema.type)) {
    return schema.type.map((type) => (type === "null" ? "null" : shapeText({ ...schema, type }))).join(" | ");
  }
  switch (schema.type) {
    case "array": {
      const item = shapeText(schema.items ?? {});
      return `${item.includes(" ") && !item.startsWith("{") ? `(${item})` : item}[]${bounds(schema.minItems, schema.maxItems)}`;
    }
    case "object":
      return objectText(schema);
    case "string":
      return `string${bounds(schema.minLength, schema.maxLength)}`;
    case "integer":
    case "number":
      return `${schema.type}${bounds(schema.minimum, schema.maximum)}`;
    default:
      return schema.type ?? "any";
  }
}

function objectText(schema: JsonSchema): string {
  if (typeof schema.additionalProperties === "object") return `{ [key]: ${shapeText(schema.additionalProperties)} }`;
  const entries = Object.entries(schema.properties ?? {});
  if (entries.length === 0) return schema.additionalProperties === false ? "{}" : "object";
  const fields = entries.map(
    ([key, inner]) => `${key}${(schema.required ?? []).includes(key) ? "" : "?"}: ${shapeText(inner)}`,
  );
  return `{ ${fields.join(", ")} }`;
}

/** ` 1..64`, ` ≥1`; nothing for a plain lower bound of 0. */
function bounds(least: number | undefined, most: number | undefined): string {
  if (most !== undefined) return ` ${least ?? 0}..${most}`;
  return least === undefined || least === 0 ? "" : ` ≥${least}`;
}

/** One sub-item per property that has a text. */
const notesOf = (schema: JsonSchema | undefined): string[] =>
  Object.entries(schema?.properties ?? {}).flatMap(([name, inner]) =>
    inner.description === undefined ? [] : [`  - \`${name}\`: ${inner.description}`],
  );

function methodSection(method: MethodDefinition, definitions: Definitions): string {
  const names = definitions.methods.get(method.name);
  if (names === undefined) throw new Error(`no definitions for ${method.name}`);
  const body = (name: string): string => shapeText(definitions.shapes.get(name) ?? {});
  const open = definitions.shapes.get(names.params)?.additionalProperties === false ? "" : " (other keys are ignored)";
  const notes = [
    method.planned ? "not available yet" : "",
    method.idempotent ? "needs `idempotencyKey`" : "",
    method.since === 4 ? "known to clients of protocol 4" : "",
    method.rate ? `at most ${method.rate.calls} calls per ${method.rate.perMs / 1000} s` : "",
  ].filter((note) => note !== "");
  const result = isModel(names.result, method.name) ? names.result : body(names.result);
  return [
    `### ${method.name}`,
    "",
    method.summary,
    "",
    `- Scope: ${method.scope === "none" ? "any authenticated connection" : method.scope === "node" ? "role node" : `\`${method.scope}\``}${notes.length === 0 ? "" : `; ${notes.join("; ")}`}`,
    `- Params: \`${body(names.params)}\`${open}`,
    ...notesOf(definitions.shapes.get(names.params)),
    ...(names.ack === undefined ? [] : [`- First answer: \`${names.ack}\``]),
    `- Result: \`${result}\``,
    "",
  ].join("\n");
}

/** Whether a definition was named in a space rather than after its method or event. */
const isModel = (definition: string, owner: string): boolean =>
  !["Params", "Result", "Ack", "Event"].some((part) => definition === pascal(owner) + part);

function eventSection(event: EventDefinition, definitions: Definitions): string {
  const payload = definitions.events.get(event.name) ?? "";
  const shown = isModel(payload, event.name) ? payload : shapeText(definitions.shapes.get(payload) ?? {});
  return [
    `### ${event.name}`,
    "",
    `${event.summary}${event.planned ? " Not sent yet." : ""}`,
    "",
    `- Sent to: ${audiences[event.audience]}`,
    `- When a client is too slow: ${event.whenSlow === "drop" ? "skipped, its number is used up" : "the connection is closed"}${event.stateVersion ? "; carries `stateVersion`" : ""}`,
    `- Payload: \`${shown}\``,
    "",
  ].join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

export function referencePage(
  methods: MethodDefinition[],
  events: EventDefinition[],
  definitions: Definitions,
): string {
  const owned = new Set<string>();
  for (const method of methods) {
    const names = definitions.methods.get(method.name);
    for (const name of [names?.params, names?.result, names?.ack]) {
      if (name !== undefined && !isModel(name, method.name)) owned.add(name);
    }
  }
  for (const event of events) {
    const name = definitions.events.get(event.name);
    if (name !== undefined && !isModel(name, event.name)) owned.add(name);
  }
  const shared = [...definitions.shapes.keys()].filter((name) => !owned.has(name)).toSorted();
  return [
    "<!-- Generated by `npm run protocol:gen`. Do not edit. -->",
    "# Protocol reference",
    "",
    "One WebSocket, JSON text frames. The gateway sends `connect.challenge`; the first request is `connect`; its answer is `hello-ok`.",
    "A field marked `?` may be missing; it is never `null` unless that is written. `≥n` and `a..b` bound a number, the length of a text or of a list.",
    "Params refuse unknown keys towards clients of protocol 3 and ignore them from protocol 4 on. Results and payloads may gain keys.",
    "",
    "## Methods",
    "",
    ...methods.map((method) => methodSection(method, definitions)),
    "## Events",
    "",
    ...events.map((event) => eventSection(event, definitions)),
    "## Shapes",
    "",
    ...shared.map((name) => `- **${name}**: \`${shapeText(definitions.shapes.get(name) ?? {})}\``),
    "",
    "## Errors of a reply",
    "",
    "`error.code` on the wire; a missing scope is `FORBIDDEN` for clients of protocol 4. `Retry` says whether the same request may succeed later.",
    "",
    "| Kind | Code | HTTP | Retry | Meaning |",
    "|---|---|---|---|---|",
    ...Object.entries(errorRules).map(
      ([kind, rule]) =>
        `| ${kind} | \`${rule.code}\` | ${rule.http} | ${rule.retryable ? "yes" : "no"} | ${cell(rule.meaning)} |`,
    ),
    "",
    "## Ends of a connection",
    "",
    "| Case | Code | Reason | Reconnect |",
    "|---|---|---|---|",
    ...Object.entries(closeRules).map(
      ([name, rule]) =>
        `| ${name} | ${rule.code} | ${rule.reason === "" ? "(empty)" : cell(rule.reason)} | ${rule.comeBack ? "yes" : "no"} |`,
    ),
    "",
  ].join("\n");
}
