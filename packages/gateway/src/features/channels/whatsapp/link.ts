/** Whether credentials are a link (channels.md §6.2). */

/** The phone has signed this device: a number alone is also there while a pairing code waits to be typed. */
export function isLinked(creds: object): boolean {
  const { me, account } = creds as { me?: { id?: unknown }; account?: unknown };
  return typeof me?.id === "string" && me.id !== "" && typeof account === "object" && account !== null;
}
