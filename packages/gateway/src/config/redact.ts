/** Redaction of a config document for RPC, both ways (config.md §6.2, R-SEC-2): declared-sensitive keys, keys that look like
 *  secrets, and credentials inside URLs leave as a sentinel; a sentinel that comes back stands for the stored value. */
import { GatewayError } from "@openclaw/protocol";
import { editText, getIn, type Edit } from "./edit.ts";
import { formatPath } from "./path.ts";
import { parseDocument } from "./parse.ts";
import { findSpans, type ValueSpan } from "./spans.ts";
import { isObject, type SchemaNode } from "./validate.ts";

export const redactedSentinel = "__OPENCLAW_REDACTED__";
const secretName = /token|password|passwd|secret|api_?key/iu;
/** Numbers of tokens are no secrets. */
const harmlessName =
  /^(maxTokens|contextTokens|reserveTokens\w*|keepRecentTokens|softThresholdTokens|tokens|maxTokensField)$/u;
const reference = /^\$\{[A-Z_][A-Z0-9_]*\}$/u;
const credentials =
  /[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]*:([^/?#@\s]+)@|[?&#](?:[a-z_-]*(?:token|password|secret|api_?key|signature))=([^&#\s]+)/giu;
/** Shorter texts may stand anywhere by chance; they are only masked where they are the value of a secret key. */
const distinctive = 8;

export const isSecretKey = (key: string): boolean => secretName.test(key) && !harmlessName.test(key);

/** Visits every text with what its place says about it. */
function eachText(
  value: unknown,
  node: SchemaNode | undefined,
  visit: (text: string, secret: boolean, path: string[]) => void,
  key = "",
  path: string[] = [],
): void {
  if (typeof value === "string") visit(value, node?.sensitive === true || isSecretKey(key), path);
  else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) eachText(item, itemOf(node), visit, key, [...path, String(i)]);
  } else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      // Below a secret-looking group every text is secret: `apiKeys: { a: "…" }`.
      const inherited = isSecretKey(key) && typeof item === "string" ? key : name;
      eachText(item, childOf(node, name), visit, inherited, [...path, name]);
    }
  }
}

/** Schema of a key; everything below a sensitive group (`headers`) is sensitive. */
function childOf(node: SchemaNode | undefined, name: string): SchemaNode | undefined {
  const open = isObject(node?.additionalProperties) ? (node.additionalProperties as SchemaNode) : undefined;
  const child =
    node?.properties?.[name] ?? Object.values(node?.patternProperties ?? {})[0] ?? open ?? childOfMember(node, name);
  return node?.sensitive ? { ...child, sensitive: true } : child;
}

function childOfMember(node: SchemaNode | undefined, name: string): SchemaNode | undefined {
  const member = node?.anyOf?.find((candidate) => candidate.type === "object");
  return member ? childOf(member, name) : undefined;
}

const itemOf = (node: SchemaNode | undefined): SchemaNode | undefined =>
  node?.items ??
  node?.anyOf?.find((candidate) => candidate.type === "array")?.items ??
  (node?.sensitive ? { sensitive: true } : undefined);

/** All secret texts of a document, for the log's redactor and for cutting them out of other texts. */
export function secretsOf(value: unknown, node?: SchemaNode, found: Set<string> = new Set()): Set<string> {
  eachText(value, node, (text, secret) => {
    if (secret && text && !reference.test(text) && text !== redactedSentinel) found.add(text);
    for (const match of text.matchAll(credentials)) {
      const credential = match[1] ?? match[2] ?? "";
      if (credential && !reference.test(credential) && credential !== redactedSentinel) found.add(credential);
    }
  });
  return found;
}

/** A copy in which every secret is the sentinel. References like `${VAR}` stay: they name no secret. `secrets` are also cut out
 *  of texts at other places. */
export function redactValues(
  value: unknown,
  node?: SchemaNode,
  secrets: Iterable<string> = secretsOf(value, node),
): unknown {
  const cut = cutter(secrets);
  const masked = structuredClone(value);
  eachText(value, node, (text, secret, path) => {
    const clean = maskText(text, secret, cut);
    if (clean !== text) setText(masked, path, clean);
  });
  return masked;
}

function maskText(text: string, secret: boolean, cut: (text: string) => string): string {
  if (secret && text && !reference.test(text)) return redactedSentinel;
  const clean = text.replace(credentials, (match, password?: string, parameter?: string) => {
    const credential = password ?? parameter ?? "";
    return reference.test(credential)
      ? match
      : password === undefined
        ? match.slice(0, -credential.length) + redactedSentinel
        : `${match.slice(0, -credential.length - 1)}${redactedSentinel}@`;
  });
  return cut(clean);
}

function cutter(secrets: Iterable<string>): (text: string) => string {
  const long = [...secrets].filter((secret) => secret.length >= distinctive).sort((a, b) => b.length - a.length);
  return (text) => long.reduce((rest, secret) => rest.replaceAll(secret, redactedSentinel), text);
}

function setText(document: unknown, path: readonly string[], text: string): void {
  const holder = getIn(document, path.slice(0, -1));
  const key = path.at(-1) ?? "";
  if (Array.isArray(holder)) holder[Number(key)] = text;
  else if (isObject(holder)) holder[key] = text;
}

/** The file's text with every secret replaced where it stands, and distinctive ones also in comments. Text that cannot be parsed
 *  has no places: there, what stands after a secret-looking key goes. */
export function redactRaw(raw: string, schema: SchemaNode | undefined, secrets: Iterable<string>): string {
  const known = [...secrets];
  const cut = (text: string) => cutter(known.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]))(text);
  let document: unknown;
  try {
    document = parseDocument(raw);
  } catch {
    return cut(
      raw.replace(
        /((?:token|password|passwd|secret|api_?key|[-_]key|[-_]auth|authorization|cookie)["']?\s*:\s*)("(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)/giu,
        `$1"${redactedSentinel}"`,
      ),
    );
  }
  const root = findSpans(raw);
  known.push(...shadowedSecrets(raw, root, schema));
  const places: { span: ValueSpan; text: string }[] = [];
  const none = (text: string) => text;
  eachText(document, schema, (text, secret, path) => {
    const clean = maskText(text, secret, none);
    const span = clean === text ? undefined : spanAt(root, path);
    if (span) places.push({ span, text: JSON.stringify(clean) });
  });
  let text = raw;
  for (const place of places.sort((a, b) => b.span.start - a.span.start))
    text = text.slice(0, place.span.start) + place.text + text.slice(place.span.end);
  return cut(text);
}

/** Of keys that stand there twice only the last counts; what the others hold is no part of the document, and as secret. */
function shadowedSecrets(raw: string, { members, items }: ValueSpan, node: SchemaNode | undefined): string[] {
  const last = new Map(members.map(({ key, start }) => [key, start]));
  const found = members.flatMap(({ key, start, value }) =>
    last.get(key) !== start
      ? [...secretsOf(parseDocument(`{${raw.slice(start, value.end)}}`), node)]
      : shadowedSecrets(raw, value, childOf(node, key)),
  );
  return [...found, ...items.flatMap((item) => shadowedSecrets(raw, item, itemOf(node)))];
}

function spanAt(root: ValueSpan, path: readonly string[]): ValueSpan | undefined {
  return path.reduce<ValueSpan | undefined>(
    (node, key) =>
      node?.kind === "array" ? node.items[Number(key)] : node?.members.findLast((member) => member.key === key)?.value,
    root,
  );
}

/** The edits that put stored values back where a sentinel came in. `incoming` is the document or merge patch as sent. Throws
 *  GatewayError when nothing is stored at the place. */
export function restoredSecrets(incoming: unknown, stored: unknown, schema: SchemaNode | undefined): Edit[] {
  const edits: Edit[] = [];
  const cut = cutter(secretsOf(stored, schema));
  eachText(incoming, schema, (text, secret, path) => {
    if (!text.includes(redactedSentinel)) return;
    const before = getIn(stored, path);
    // What left as this text is what comes back; anything else would store the sentinel.
    if (typeof before !== "string" || (text !== redactedSentinel && maskText(before, secret, cut) !== text)) {
      throw new GatewayError(
        "invalid",
        `${formatPath(path)} is ${redactedSentinel}, but no value is stored there. Send the real value.`,
        {
          details: { path: formatPath(path) },
        },
      );
    }
    edits.push({ path, value: before });
  });
  return edits;
}

/** A whole document with the stored secrets put back, its text otherwise untouched. */
export function restoreText(
  raw: string,
  incoming: unknown,
  stored: unknown,
  schema: SchemaNode | undefined,
  path: string,
): string {
  const edits = restoredSecrets(incoming, stored, schema);
  return edits.length === 0 ? raw : editText(raw, edits, path);
}
