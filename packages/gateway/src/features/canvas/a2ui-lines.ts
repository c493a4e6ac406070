/** A2UI v0.8 as JSON lines: judged before anything is sent to a device (canvas-browser-nodes.md §5). Pure. */
export const a2uiLimits = { chars: 256 * 1024, messages: 1_000 } as const;

const keys = ["surfaceUpdate", "dataModelUpdate", "beginRendering", "deleteSurface"] as const;
const newer = ["createSurface", "updateComponents", "updateDataModel"];

export type A2uiMessage = { [K in (typeof keys)[number]]?: Record<string, unknown> };

type Judged = { ok: true; messages: A2uiMessage[] } | { ok: false; problems: string[] };

/** All that is wrong, each with its line. */
export function readA2uiLines(jsonl: string): Judged {
  if (jsonl.length > a2uiLimits.chars) return { ok: false, problems: [`longer than ${a2uiLimits.chars} characters`] };
  const messages: A2uiMessage[] = [];
  const problems: string[] = [];
  for (const [index, line] of jsonl.split("\n").entries()) {
    if (line.trim() === "") continue;
    const problem = judgeLine(line, messages);
    if (problem !== undefined) problems.push(`line ${index + 1}: ${problem}`);
  }
  if (messages.length + problems.length === 0) problems.push("no message");
  if (messages.length > a2uiLimits.messages) problems.push(`more than ${a2uiLimits.messages} messages`);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, messages };
}

function judgeLine(line: string, messages: A2uiMessage[]): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "not JSON"; // The text of the parser would repeat the line.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "not an object";
  const names = Object.keys(value);
  const later = newer.find((key) => names.includes(key));
  if (later) return `${later} belongs to A2UI v0.9, which is not supported; use v0.8`;
  const [name] = names;
  if (name === undefined || names.length !== 1 || !(keys as readonly string[]).includes(name))
    return `expected exactly one of ${keys.join(", ")}`;
  const body = (value as Record<string, unknown>)[name];
  if (typeof body !== "object" || body === null || Array.isArray(body)) return `${name} must be an object`;
  const problem = judgeBody(name, body as Record<string, unknown>);
  if (problem === undefined) messages.push(value as A2uiMessage);
  return problem;
}

function judgeBody(name: string, body: Record<string, unknown>): string | undefined {
  if (typeof body["surfaceId"] !== "string" || body["surfaceId"] === "") return `${name}.surfaceId is required`;
  if (name === "beginRendering" && typeof body["root"] !== "string") return "beginRendering.root is required";
  if (name === "dataModelUpdate" && !Array.isArray(body["contents"])) return "dataModelUpdate.contents must be a list";
  if (name !== "surfaceUpdate") return undefined;
  const { components } = body;
  if (!Array.isArray(components) || components.length === 0) return "surfaceUpdate.components must not be empty";
  const odd = components.findIndex((one: unknown) => !isComponent(one));
  return odd < 0 ? undefined : `surfaceUpdate.components[${odd}] needs an id and a component of one type`;
}

function isComponent(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { id, component } = value as { id?: unknown; component?: unknown };
  return (
    typeof id === "string" &&
    id !== "" &&
    typeof component === "object" &&
    component !== null &&
    Object.keys(component).length === 1
  );
}
