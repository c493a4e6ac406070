/** Joins the rooms' handler maps. A built method without handler does not compile; a name given twice fails at start. */
import type { MethodName } from "@openclaw/protocol";
import type { Handler } from "../kernel/call.ts";
import type { HandlerTable } from "../server/index.ts";

/** A room's handlers. The rooms check their own types with `satisfies Handles<…>`; here only names matter. */
type RoomHandlers = Readonly<Record<string, unknown>>;

export function joinHandlers(...rooms: readonly RoomHandlers[]): HandlerTable {
  const table = new Map<MethodName, Handler<MethodName>>();
  for (const room of rooms) {
    for (const [name, handler] of Object.entries(room)) {
      if (table.has(name as MethodName)) throw new Error(`two rooms handle ${name}`);
      table.set(name as MethodName, handler as Handler<MethodName>);
    }
  }
  return table;
}
