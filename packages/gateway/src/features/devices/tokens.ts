/** Device tokens: minting and comparing (protocol.md §6.4, §6.5). */
import { createHash, timingSafeEqual } from "node:crypto";
import type { World } from "../../kernel/world.ts";
import type { TokenRow } from "./records.ts";

/** 256 random bits as 64 hex characters. A token that replaces another keeps its birthday and says when it was rotated. */
export function mint(world: World, role: string, scopes: readonly string[], replaced?: TokenRow): TokenRow {
  const now = world.now();
  return {
    token: world.randomBytes(32).toString("hex"),
    role,
    scopes: [...new Set(scopes)].sort(),
    createdAtMs: replaced?.createdAtMs ?? now,
    ...(replaced ? { rotatedAtMs: now } : {}),
  };
}

/** Constant time whatever the lengths. */
export function tokenEquals(given: string, stored: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(stored));
}
