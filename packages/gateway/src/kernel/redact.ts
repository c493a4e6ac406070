/** Redaction by value (R-SEC-1): every secret read from config, environment, store or login is registered here, and all text
 *  that leaves the process as log, error or diagnostic passes `clean`. Patterns are the second line. */
const maxSecrets = 2_000;
/** Shorter texts would blank ordinary words. */
const minLength = 8;

const patterns: readonly RegExp[] = [
  /\b(?:sk-[A-Za-z0-9_-]{8,}|ghp_[A-Za-z0-9]{16,}|github_pat_\w{16,}|xox[abprs]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}|gsk_\w{8,}|AIza[\w-]{16,}|pplx-\w{8,}|npm_\w{16,})/gu,
  /\b\d{6,}:[A-Za-z0-9_-]{20,}/gu,
  /(?<=\bBearer\s)[A-Za-z0-9._~+/=-]{8,}/giu,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/gu,
];

export const mask = "***";

export class Redactor {
  /** Encoded forms, longest first when searched. */
  #forms: string[] = [];
  readonly #secrets = new Set<string>();

  /** Registers a secret in its usual encodings. Short texts and repeats are ignored. */
  add(secret: string): void {
    if (secret.length < minLength || this.#secrets.has(secret) || this.#secrets.size >= maxSecrets) return;
    this.#secrets.add(secret);
    const bytes = Buffer.from(secret, "utf8");
    const forms = [
      secret,
      bytes.toString("base64").replace(/=+$/u, ""),
      bytes.toString("base64url"),
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      // As the password of a Basic header, with any alignment of the user name before it.
      ...[1, 2].map((pad) => Buffer.concat([Buffer.alloc(pad), bytes]).toString("base64").slice(4, -4)),
    ];
    this.#forms = [...new Set([...this.#forms, ...forms.filter((form) => form.length >= minLength)])].sort(
      (a, b) => b.length - a.length,
    );
  }

  clean(text: string): string {
    let result = text;
    for (const form of this.#forms) if (result.includes(form)) result = result.replaceAll(form, mask);
    for (const pattern of patterns) result = result.replace(pattern, mask);
    return result;
  }
}
