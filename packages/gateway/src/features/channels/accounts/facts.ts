/** What is known of an account (channels.md §1.3). */
import type { AccountState } from "./transitions.ts";

/** `channels.status`, besides what the adapter notes. */
export interface AccountFacts {
  state: AccountState;
  reconnectAttempts: number;
  lastConnectedAt?: number;
  lastDisconnect?: { at: number; status?: number; error: string; loggedOut: boolean };
  lastError?: string;
  fix?: string;
  lastStartAt?: number;
  lastStopAt?: number;
  lastEventAt?: number;
  lastInboundAt?: number;
  lastOutboundAt?: number;
  nextAttemptAt?: number;
  self?: { id: string; name?: string; username?: string; e164?: string };
  noted: Record<string, unknown>;
}
