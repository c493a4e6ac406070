/** Roles and scopes of protocol.md §8. */
export type Role = "operator" | "node";

export const scopes = [
  "operator.admin",
  "operator.read",
  "operator.write",
  "operator.approvals",
  "operator.pairing",
] as const;

export type Scope = (typeof scopes)[number];

/** Whether `held` grants `needed`: admin grants all, write grants read, otherwise literal. */
export function grants(held: readonly string[], needed: Scope): boolean {
  if (held.includes("operator.admin") || held.includes(needed)) return true;
  return needed === "operator.read" && held.includes("operator.write");
}
