/** Addresses that open the canvas without a header, each for one connection and for a while (canvas-browser-nodes.md §2.5). */
import { createHash, timingSafeEqual } from "node:crypto";
import type { World } from "../../kernel/world.ts";

/** Slides with every use. */
export const capabilityMs = 10 * 60_000;
const maxCapabilities = 1_000;

export interface Holder {
  connId: string;
  /** Of the device, for people. */
  host: string;
  instanceId: string;
}

interface Capability {
  digest: Buffer;
  holder: Holder;
  until: number;
}

const digestOf = (token: string): Buffer => createHash("sha256").update(token).digest();

export class Capabilities {
  readonly #world: Pick<World, "monotonic" | "randomBytes">;
  /** By connection, oldest first. */
  readonly #byConn = new Map<string, Capability>();

  constructor(world: Pick<World, "monotonic" | "randomBytes">) {
    this.#world = world;
  }

  /** A fresh token for a connection; an older one of it is void. */
  mint(holder: Holder): string {
    const token = this.#world.randomBytes(24).toString("base64url");
    this.#byConn.delete(holder.connId);
    const oldest = this.#byConn.keys().next();
    if (this.#byConn.size >= maxCapabilities && !oldest.done) this.#byConn.delete(oldest.value);
    this.#byConn.set(holder.connId, {
      digest: digestOf(token),
      holder,
      until: this.#world.monotonic() + capabilityMs,
    });
    return token;
  }

  revoke(connId: string): void {
    this.#byConn.delete(connId);
  }

  /** Whose token it is, if it holds; it then holds longer. All are compared, each in constant time. */
  use(token: string): Holder | undefined {
    const digest = digestOf(token);
    const now = this.#world.monotonic();
    let found: Capability | undefined;
    for (const capability of this.#byConn.values())
      if (timingSafeEqual(capability.digest, digest) && capability.until > now) found = capability;
    if (found) found.until = now + capabilityMs;
    return found?.holder;
  }
}
