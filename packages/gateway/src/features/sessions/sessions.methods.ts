/** Protocol handlers of the room. */
import type { Handles } from "../../kernel/call.ts";
import type { Sessions } from "./sessions.ts";

export const sessionMethods = (sessions: Sessions) =>
  ({
    "sessions.list": (params) => sessions.list(params),
    "sessions.preview": (params) => sessions.preview(params),
    "sessions.resolve": (params) => sessions.resolve(params),
    "sessions.describe": (params) => sessions.describe(params),
    "sessions.patch": (params) => sessions.patch(params),
    "sessions.reset": (params) => sessions.reset(params),
    "sessions.delete": (params) => sessions.delete(params),
    "sessions.compact": (params) => sessions.compact(params),
    // Every reader gets `chat` and `agent` events anyway (protocol.md §16.6).
    "sessions.subscribe": () => ({ subscribed: true }),
    "sessions.unsubscribe": () => ({ subscribed: false }),
    "sessions.usage": (params) => sessions.usage(params),
    "sessions.usage.timeseries": (params) => sessions.usageTimeseries(params),
    "sessions.usage.logs": (params) => sessions.usageLogs(params),
    "chat.history": (params) => sessions.history(params),
    "chat.inject": (params) => sessions.inject(params),
  }) satisfies Handles<
    | "sessions.list"
    | "sessions.preview"
    | "sessions.resolve"
    | "sessions.describe"
    | "sessions.patch"
    | "sessions.reset"
    | "sessions.delete"
    | "sessions.compact"
    | "sessions.subscribe"
    | "sessions.unsubscribe"
    | "sessions.usage"
    | "sessions.usage.timeseries"
    | "sessions.usage.logs"
    | "chat.history"
    | "chat.inject"
  >;
