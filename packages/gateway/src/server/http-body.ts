/** Reading a request's body, within limits of size and time (http.md §2.1-2.5, R-LIM-1, R-SLOW-1). */
import type { IncomingMessage } from "node:http";
import { HttpError } from "../kernel/http.ts";
import type { World } from "../kernel/world.ts";
import { poisonKey, scanJson } from "./json-scan.ts";

export const bodyLimits = {
  /** From the first byte waited for to the last. */
  timeoutMs: 30_000,
  /** Values and keys of one document; histories of long conversations are larger than frames. */
  maxTokens: 2_000_000,
  /** Of all requests together: a request keeps its body until it is answered, and may wait for its turn for long. */
  heldBytes: 256 * 1024 * 1024,
} as const;

/** What the bodies of all requests take together. */
export class BodyBudget {
  readonly #maxBytes: number;
  #held = 0;

  constructor(maxBytes: number = bodyLimits.heldBytes) {
    this.#maxBytes = maxBytes;
  }

  get held(): number {
    return this.#held;
  }

  /** The share of one request. `take` is false when there is no room for more; `release` once it is answered. */
  share(): BodyShare {
    let mine = 0;
    let over = false;
    return {
      take: (bytes) => {
        if (over || this.#held + bytes > this.#maxBytes) return false;
        mine += bytes;
        this.#held += bytes;
        return true;
      },
      release: () => {
        over = true;
        this.#held -= mine;
        mine = 0;
      },
    };
  }
}

export interface BodyShare {
  take(bytes: number): boolean;
  release(): void;
}

export const tooLarge = (): HttpError => new HttpError(413, "Payload too large");

const noRoom = (): HttpError =>
  new HttpError(503, "Too many large requests are being answered. Try again in a moment.", {
    headers: { "Retry-After": "5" },
  });

/** Throws HttpError 413 or 408, 503 when all bodies together are too large, or 400 when the client left before the end. What was
 *  not read is left to the answer. */
export function readBody(req: IncomingMessage, maxBytes: number, world: World, share: BodyShare): Promise<Buffer> {
  if (Number(req.headers["content-length"] ?? 0) > maxBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const done = (settle: () => void) => {
      timer.cancel();
      req.off("data", take).off("end", ended).off("close", left).off("error", left);
      settle();
    };
    const fail = (error: HttpError) =>
      done(() => {
        req.pause();
        reject(error);
      });
    const take = (part: Buffer) => {
      size += part.length;
      if (size > maxBytes) fail(tooLarge());
      else if (!share.take(part.length)) fail(noRoom());
      else parts.push(part);
    };
    const ended = () => done(() => resolve(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, size)));
    const left = () => fail(new HttpError(400, "The request ended before its body did."));
    const timer = world.after(bodyLimits.timeoutMs, () => fail(new HttpError(408, "The request body took too long.")));
    req.on("data", take).on("end", ended).on("close", left).on("error", left);
  });
}

/** `{}` for an empty body. Throws HttpError 400 with a text that never repeats the body. */
export function parseJson(bytes: Buffer, options: { keepUnsafeKeys?: boolean } = {}): unknown {
  const scan = scanJson(bytes, bodyLimits.maxTokens);
  if (scan !== "ok") throw new HttpError(400, `The request body is JSON that is ${scan}.`);
  let text: string;
  let value: unknown;
  try {
    // A byte order mark is dropped by the decoder.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = text.trim() === "" ? {} : JSON.parse(text);
  } catch (error) {
    throw new HttpError(400, "The request body is not valid JSON.", { cause: error });
  }
  const key = options.keepUnsafeKeys ? undefined : poisonKey(text, value);
  if (key !== undefined) throw new HttpError(400, `The request body has a key that is not allowed: "${key}".`);
  return value;
}
