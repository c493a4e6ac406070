/** Redaction of a config document for RPC (config.md §6.2): declared-sensitive keys and keys that look like secrets. */
import { isObject, type SchemaNode } from "./validate.ts";

export const redactedSentinel = "__OPENCLAW_REDACTED__";
const secretName = /token|password|passwd|secret|api_?key/iu;
/** Numbers of tokens are no secrets. */
const harmlessName = /^(maxTokens|contextTokens|reserveTokens\w*|keepRecentTokens|softThresholdTokens|tokens|maxTokensField)$/u;

export const isSecretKey = (key: string): boolean => secretName.test(key) && !harmlessName.test(key);

/** A copy in which every secret text is the sentinel. References like `${VAR}` stay: they name no secret. */
export function redactValues(value: unknown, node?: SchemaNode, key = ""): unknown {
  if (typeof value === "string") {
    const secret = node?.sensitive === true || isSecretKey(key);
    return secret && value && !/^\$\{[A-Z_][A-Z0-9_]*\}$/u.test(value) ? redactedSentinel : value;
  }
  if (Array.isArray(value)) return value.map((item) => redactValues(item, node?.items, key));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      // Below a secret-looking group every text is secret: `apiKeys: { a: "…" }`.
      const inherited = isSecretKey(key) && typeof item === "string" ? key : name;
      return [name, redactValues(item, childOf(node, name), inherited)];
    }),
  );
}

/** Schema of a key; everything below a sensitive group (`headers`) is sensitive. */
function childOf(node: SchemaNode | undefined, name: string): SchemaNode | undefined {
  const child = node?.properties?.[name] ?? Object.values(node?.patternProperties ?? {})[0];
  return node?.sensitive ? { ...child, sensitive: true } : child;
}

/** All secret texts of a document, for the log's redactor and for cutting them out of `raw`. */
export function secretsOf(value: unknown, node?: SchemaNode, key = "", found: Set<string> = new Set()): Set<string> {
  if (typeof value === "string") {
    if ((node?.sensitive === true || isSecretKey(key)) && value && !value.startsWith("${")) found.add(value);
  } else if (Array.isArray(value)) {
    for (const item of value) secretsOf(item, node?.items, key, found);
  } else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      const inherited = isSecretKey(key) && typeof item === "string" ? key : name;
      secretsOf(item, childOf(node, name), inherited, found);
    }
  }
  return found;
}

/** The file's text with every secret value replaced. */
export function redactRaw(raw: string, secrets: Iterable<string>): string {
  let text = raw;
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    const escaped = JSON.stringify(secret).slice(1, -1);
    text = text.replaceAll(escaped, redactedSentinel);
    if (escaped !== secret) text = text.replaceAll(secret, redactedSentinel);
  }
  return text;
}
