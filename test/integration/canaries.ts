/** Secrets that can be recognised wherever they come out (R-SEC-1): whole, in part, and in every encoding a text travels in. */
import { createHash } from "node:crypto";

/** `odd` has characters that every encoding writes differently; `plain` may stand in an address or a shell word. */
export type Shape = "odd" | "plain";

/** This much of a secret is a leak; the CLI may show four characters at either end (cli.md §1). */
const telling = 9;

interface Canary {
  place: string;
  secret: string;
  forms: readonly string[];
}

export class Canaries {
  readonly #all: Canary[] = [];

  /** A new secret. `place` says where it is put; it comes back in the report of a leak. */
  fresh(place: string, shape: Shape = "plain"): string {
    const core = createHash("sha256")
      .update(`canary ${this.#all.length}`)
      .digest("base64")
      .replaceAll(/[^A-Za-z0-9]/gu, "")
      .slice(0, 30);
    const secret = shape === "plain" ? core : `${core.slice(0, 12)}/+"\\ü=${core.slice(12)}`;
    this.#all.push({ place, secret, forms: formsOf(core, secret) });
    return secret;
  }

  get count(): number {
    return this.#all.length;
  }

  /** Where the secrets that stand in this text were put. */
  leaks(text: string): string[] {
    return this.#all.filter(({ forms }) => forms.some((form) => text.includes(form))).map(({ place }) => place);
  }

  /** Secrets that were put where the name begins so. */
  of(place: string): string[] {
    return this.#all.filter((canary) => canary.place.startsWith(place)).map(({ secret }) => secret);
  }
}

/** The ends of the core survive escaping of any kind; base64 hides them, in one of three alignments. */
function formsOf(core: string, secret: string): string[] {
  const bytes = Buffer.from(secret);
  const inside = [0, 1, 2].map((pad) =>
    Buffer.concat([Buffer.alloc(pad), bytes])
      .toString("base64")
      .slice(pad === 0 ? 0 : 4, -8),
  );
  return [
    core.slice(0, telling),
    core.slice(-telling),
    bytes.toString("hex"),
    ...inside,
    ...inside.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}
