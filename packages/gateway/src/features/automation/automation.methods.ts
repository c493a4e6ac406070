/** Handlers of heartbeats (protocol.md §13.1). */
import { GatewayError } from "@openclaw/protocol";
import type { Handles } from "../../kernel/call.ts";
import type { Store } from "../../store/store.ts";
import type { Heartbeats } from "./heartbeat/heartbeats.ts";
import type { NotePort } from "./note.ts";

export interface WakeParts {
  heartbeats: Heartbeats;
  mainKey: () => string;
  store: Pick<Store, "commit">;
  note: NotePort;
}

export const automationMethods = ({ heartbeats, mainKey, store, note }: WakeParts) =>
  ({
    "last-heartbeat": () => heartbeats.last ?? null,
    "set-heartbeats": ({ enabled }) => {
      if (typeof enabled !== "boolean")
        throw new GatewayError("invalid", "invalid set-heartbeats params: enabled (boolean) required");
      heartbeats.setEnabled(enabled);
      return { ok: true, enabled };
    },
    wake: async ({ mode, text }) => {
      if (text.trim() === "") return { ok: false };
      await store.commit((tx) => note(tx, mainKey(), text, mode === "now"));
      if (mode === "now") heartbeats.wake("wake");
      return { ok: true };
    },
  }) satisfies Handles<"last-heartbeat" | "set-heartbeats" | "wake">;
