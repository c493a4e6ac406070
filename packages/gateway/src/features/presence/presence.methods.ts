/** Protocol methods of presence (protocol.md §13.1). */
import type { Handles } from "../../kernel/call.ts";
import type { Presence } from "./presence.ts";

export const presenceMethods = (presence: Presence) =>
  ({
    "system-presence": () => presence.list(),
    "system-event": (params) => {
      presence.systemEvent(params);
      return { ok: true };
    },
  }) satisfies Handles<"system-presence" | "system-event">;
