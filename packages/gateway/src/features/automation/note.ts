/** How the room leaves a note for the next prompt of a session. */
import type { Tx } from "../../store/store.ts";

/** Durable with `tx`. `wake`: a heartbeat is asked for, also by the next process when this one does not get to it. */
export interface NotePort {
  (tx: Tx, sessionKey: string, text: string, wake: boolean): void;
}
