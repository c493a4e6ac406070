/** Redaction by value (R-SEC-1): every secret read from config, environment, store or login is registered here, and all text
 *  that leaves the process as log, error or diagnostic passes `clean`. Patterns are the second line. What is cleaned is never
 *  longer than before. */
import { judgePattern, type SafePattern } from "./safe-pattern.ts";

const maxSecrets = 2_000;
/** Shorter texts would blank ordinary words. */
const minLength = 8;
/** Long enough that a mask, which is shorter than what it replaces, says nothing about it. */
export const mask = "***";

/** What looks like a secret wherever it stands. The first group stays. */
const builtIn: readonly RegExp[] = [
  /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----/gu,
  /\b(?:sk-[A-Za-z0-9_-]{8,}|ghp_[A-Za-z0-9]{16,}|github_pat_\w{16,}|xox[abprs]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}|gsk_\w{8,}|AIza[\w-]{16,}|pplx-\w{8,}|npm_\w{16,})/gu,
  /\b\d{6,}:[A-Za-z0-9_-]{20,}/gu,
];
const keeping: readonly RegExp[] = [
  /(\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}/giu,
  // https://user:password@host
  /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,128}:)[^\s/@]{1,256}(?=@)/giu,
  // ?token=… and #token=… in addresses
  /([?&#](?:token|access_token|refresh_token|id_token|key|api_?key|auth|password|passwd|secret|sig|signature)=)[^\s&#"'<>]{4,}/giu,
  // NAME_TOKEN=…, "apiKey": "…", --password …
  /(\b[A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)\s{0,4}[=:]\s{0,4}["']?)(?!\*\*\*|\$\{)[^\s"',;]{4,}/gu,
  /("(?:apiKey|token|secret|password|passwd|accessToken|refreshToken)"\s{0,4}:\s{0,4}")(?!\*\*\*|\$\{)[^"]{4,}/gu,
  /(--(?:api-key|token|secret|password)[= ]["']?)(?!\*\*\*)[^\s"']{4,}/gu,
];

/** Names of variables whose values are secrets. */
const secretVariable = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)$/u;
/** Names of fields whose texts are secrets, whatever they look like. */
const secretField = /^(?:api_?key|token|secret|password|passwd|access_?token|refresh_?token|authorization|cookie)$/iu;

/** More of one text is never shown, so no more is searched. */
const maxSearchedChars = 65_536;
/** An own pattern is followed this far; longer than any key or token. */
const maxSecretChars = 16_384;
const maxDepth = 6;
const maxItems = 100;

export class Redactor {
  /** Encoded forms, longest first when searched. */
  #forms: string[] = [];
  readonly #secrets = new Set<string>();
  #patterns: { own: readonly SafePattern[]; replacing: readonly RegExp[]; keeping: readonly RegExp[] } = {
    own: [],
    replacing: builtIn,
    keeping,
  };

  /** Registers a secret in its usual encodings. Short texts and repeats are ignored. */
  add(secret: string): void {
    if (secret.length < minLength || this.#secrets.has(secret) || this.#secrets.size >= maxSecrets) return;
    this.#secrets.add(secret);
    const forms = formsOf(secret).filter((form) => form.length >= minLength);
    this.#forms = [...new Set([...this.#forms, ...forms])].sort((a, b) => b.length - a.length);
  }

  /** Registers what the environment names as a secret. */
  addEnvironment(env: Readonly<Record<string, string | undefined>>): void {
    for (const [name, value] of Object.entries(env)) if (value && secretVariable.test(name)) this.add(value);
  }

  /** `logging.redactSensitive` and `logging.redactPatterns`: other patterns, or none. Registered secrets are always masked.
   *  A pattern is the source of an expression or `/source/flags`. What does not compile is left out; so is a shape that could take
   *  long (S13), and then the built-in patterns stay beside the others. Answers with what is left out, and why. */
  usePatterns(settings: {
    redactSensitive: "off" | "tools";
    redactPatterns?: readonly string[] | undefined;
  }): string[] {
    if (settings.redactSensitive === "off") {
      this.#patterns = { own: [], replacing: [], keeping: [] };
      return [];
    }
    const judged = (settings.redactPatterns ?? []).slice(0, maxItems).map(compile);
    const own = judged.flatMap((one) => ("pattern" in one ? [one] : []));
    const instead = settings.redactPatterns !== undefined && !judged.some((one) => "slow" in one && one.slow);
    this.#patterns = instead ? { own, replacing: [], keeping: [] } : { own, replacing: builtIn, keeping };
    return judged.flatMap((one) => ("problem" in one ? [one.problem] : []));
  }

  clean(text: string): string {
    let result = text;
    for (const form of this.#forms) if (result.includes(form)) result = result.replaceAll(form, mask);
    for (const pattern of this.#patterns.own) result = maskBy(pattern, result);
    for (const pattern of this.#patterns.replacing) result = result.replace(pattern, mask);
    for (const pattern of this.#patterns.keeping) result = result.replace(pattern, `$1${mask}`);
    return result;
  }

  /** A copy fit for JSON, every text and key cleaned: errors with their causes, nothing deeper than six levels, at most 100
   *  entries a level, no cycles. `name` is the field the value stands in. */
  cleanValue(value: unknown, name = "", depth = 0): unknown {
    if (typeof value === "string")
      return secretField.test(name) && value.length > 0 ? mask : this.clean(value.slice(0, maxSearchedChars));
    if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function")
      return this.clean(String(value));
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Error) return this.clean(errorText(value).slice(0, maxSearchedChars));
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof URL || value instanceof RegExp) return this.clean(String(value));
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (depth >= maxDepth) return "[deeper]";
    if (value instanceof Map)
      return this.cleanValue(
        Object.fromEntries([...value].slice(0, maxItems).map(([k, v]) => [String(k), v])),
        name,
        depth,
      );
    const items = value instanceof Set ? [...value] : value;
    if (Array.isArray(items)) return items.slice(0, maxItems).map((item) => this.cleanValue(item, name, depth + 1));
    return Object.fromEntries(
      Object.entries(items)
        .slice(0, maxItems)
        .map(([key, item]) => [this.clean(key), this.cleanValue(item, key, depth + 1)]),
    );
  }
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const escaped = JSON.stringify(secret).slice(1, -1);
  const url = encodeURIComponent(secret);
  // Inside a longer text (a Basic header, a JSON document) base64 has three alignments; what it shares with neighbours is cut.
  const inside = [0, 1, 2].map((pad) => {
    const text = Buffer.concat([Buffer.alloc(pad), bytes]).toString("base64");
    return text.slice(pad === 0 ? 0 : 4, (bytes.length + pad) % 3 === 0 ? undefined : -4);
  });
  const base64 = [bytes.toString("base64").replace(/=+$/u, ""), ...inside];
  return [
    secret,
    escaped,
    // A JSON text inside a JSON text.
    JSON.stringify(escaped).slice(1, -1),
    url,
    url.replace(/%[0-9A-F]{2}/gu, (code) => code.toLowerCase()),
    url.replaceAll("%20", "+"),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

function compile(text: string): SafePattern | { problem: string; slow: boolean } {
  const parts = /^\/(.+)\/([a-z]*)$/su.exec(text);
  const source = parts?.[1] ?? text;
  const flags = new Set(["g", ...(parts?.[2] ?? "i")]);
  flags.delete("y");
  const named = (problem: string) => `${source.slice(0, 80)}: ${problem}`;
  let pattern: RegExp;
  try {
    pattern = new RegExp(source, [...flags].join(""));
  } catch (error) {
    return { problem: named(error instanceof Error ? error.message : "no regular expression"), slow: false };
  }
  const judged = judgePattern(source);
  return "problem" in judged ? { problem: named(judged.problem), slow: true } : { pattern, ...judged };
}

/** A longer text is read in pieces of what the pattern may see, each half over the one before: what is at most half a piece long is
 *  found wherever it stands, and of a longer secret the whole is masked once its beginning matches. */
function maskBy({ pattern, maxChars }: SafePattern, text: string): string {
  if (text.length <= maxChars) return text.replace(pattern, mask);
  const step = Math.max(1, maxChars >> 1);
  let result = "";
  let done = 0;
  for (let from = 0; from < text.length; from += step) {
    const seen = from + maxChars;
    if (seen <= done) continue;
    for (const { 0: found, index } of text.slice(from, seen).matchAll(pattern)) {
      const at = from + index;
      if (found === "" || at + found.length <= done) continue;
      const start = Math.max(at, done);
      // What overlaps the match before is one secret with it.
      result += start === done && done > 0 ? "" : text.slice(done, start) + mask;
      done = wholeEnd(pattern, text, { from, at, end: at + found.length, seen });
    }
  }
  return result + text.slice(done);
}

interface Part {
  /** Of the piece. */
  from: number;
  /** Of the match. */
  at: number;
  end: number;
  /** End of the piece. */
  seen: number;
}

/** Where a match ends that took more than half of what it could see, when it may see more. From one place the pattern is quick: what
 *  makes it slow is trying every place. */
function wholeEnd(pattern: RegExp, text: string, { from, at, end, seen }: Part): number {
  const here = new RegExp(pattern.source, pattern.flags.replace("g", "y"));
  while (seen < text.length && seen - at < maxSecretChars && (end - at) * 2 > seen - at) {
    seen = at + 2 * (seen - at);
    here.lastIndex = at - from;
    const longer = at + (here.exec(text.slice(from, seen))?.[0].length ?? 0);
    if (longer <= end) break;
    end = longer;
  }
  return end;
}

/** Stack of an error and, indented, of what caused it: at most five deep. Not cleaned. */
export function errorText(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return typeof error === "string" ? error : String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  if (depth >= 5) return own;
  const causes = [
    ...(error instanceof AggregateError ? error.errors.slice(0, 5) : []),
    ...(error.cause === undefined ? [] : [error.cause]),
  ];
  return [own, ...causes.map((cause) => `caused by: ${errorText(cause, depth + 1)}`)].join("\n");
}
