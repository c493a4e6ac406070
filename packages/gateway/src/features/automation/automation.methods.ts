/** Handlers of heartbeats (protocol.md §13.1). */
import { GatewayError } from "@openclaw/protocol";
import type { Handles } from "../../kernel/call.ts";
import type { Heartbeats } from "./heartbeat/heartbeats.ts";

export interface WakeParts {
  heartbeats: Heartbeats;
  mainKey: () => string;
  systemEvent: (sessionKey: string, text: string) => void;
}

export const automationMethods = ({ heartbeats, mainKey, systemEvent }: WakeParts) =>
  ({
    "last-heartbeat": () => heartbeats.last ?? null,
    "set-heartbeats": ({ enabled }) => {
      if (typeof enabled !== "boolean")
        throw new GatewayError("invalid", "invalid set-heartbeats params: enabled (boolean) required");
      heartbeats.setEnabled(enabled);
      return { ok: true, enabled };
    },
    wake: ({ mode, text }) => {
      if (text.trim() === "") return { ok: false };
      systemEvent(mainKey(), text);
      if (mode === "now") heartbeats.wake("wake");
      return { ok: true };
    },
  }) satisfies Handles<"last-heartbeat" | "set-heartbeats" | "wake">;
