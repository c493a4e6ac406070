/** Texts with `{{placeholders}}` (http.md §12.8): own properties only, no code, no nesting. Pure. */
export interface TemplateValues {
  /** Below `hooks.path`. */
  path: string;
  /** ISO time. */
  now: string;
  /** Lower-case names, without credentials. */
  headers: Readonly<Record<string, string | undefined>>;
  query: URLSearchParams;
  payload: unknown;
}

const placeholder = /\{\{\s*([^{}]{1,500}?)\s*\}\}/g;
const maxChars = 200_000;

export function render(template: string, values: TemplateValues): string {
  return template
    .replaceAll(placeholder, (_all, expression: string) => asText(valueOf(expression, values)))
    .slice(0, maxChars);
}

function valueOf(expression: string, values: TemplateValues): unknown {
  if (expression === "path") return values.path;
  if (expression === "now") return values.now;
  if (expression.startsWith("headers.")) return own(values.headers, expression.slice(8).toLowerCase());
  if (expression.startsWith("query.")) return values.query.get(expression.slice(6)) ?? undefined;
  const names = namesOf(expression.startsWith("payload.") ? expression.slice(8) : expression);
  return names.reduce<unknown>((value, name) => own(value, name), values.payload);
}

/** `messages[0].from` → messages, 0, from. */
const namesOf = (path: string): string[] =>
  path
    .replaceAll(/\[(\d{1,9})\]/g, ".$1")
    .split(".")
    .filter((name) => name !== "");

const own = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

function asText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
