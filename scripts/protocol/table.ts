/** Writes `table.ts`: the facts dispatch and fan-out need, as plain data. */
import type { EventDefinition, MethodDefinition } from "../../packages/protocol/src/define.ts";

function methodLine(method: MethodDefinition): string {
  const row: Record<string, unknown> = {
    scope: method.scope,
    idempotent: method.idempotent ?? false,
    hasAck: method.ack !== undefined,
    duplicate: method.duplicate ?? "none",
    bypass: method.bypass ?? false,
    planned: method.planned ?? false,
    advertise: method.advertise ?? method.planned !== true,
    since: method.since ?? 3,
    duringStartup: method.duringStartup ?? false,
    ...(method.rate === undefined ? {} : { rate: method.rate }),
  };
  return `  ${JSON.stringify(method.name)}: ${literal(row)},\n`;
}

function eventLine(event: EventDefinition): string {
  const row = {
    audience: event.audience,
    whenSlow: event.whenSlow,
    stateVersion: event.stateVersion ?? false,
    planned: event.planned ?? false,
  };
  return `  ${JSON.stringify(event.name)}: ${literal(row)},\n`;
}

/** One line of TypeScript for a flat object. */
function literal(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${key}: ${literal(inner)}`)
    .join(", ")} }`;
}

export function tableFile(methods: MethodDefinition[], events: EventDefinition[], header: string): string {
  return (
    `${header}\nexport const methodTable = {\n${methods.map(methodLine).join("")}} as const;\n` +
    `\nexport const eventTable = {\n${events.map(eventLine).join("")}} as const;\n`
  );
}
