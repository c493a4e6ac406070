/** Protocol methods of the wizard (protocol.md §13.13). */
import type { Handles } from "../../kernel/call.ts";
import type { SetupSessions } from "./sessions.ts";

export const setupMethods = (sessions: SetupSessions) =>
  ({
    "wizard.start": (params) => sessions.start(params),
    "wizard.next": ({ sessionId, answer }) => sessions.next(sessionId, answer),
    "wizard.cancel": ({ sessionId }) => sessions.cancel(sessionId),
    "wizard.status": ({ sessionId }) => sessions.status(sessionId),
  }) satisfies Handles<"wizard.start" | "wizard.next" | "wizard.cancel" | "wizard.status">;
