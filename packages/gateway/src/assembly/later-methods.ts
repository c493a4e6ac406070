/** Methods whose feature is not built yet but whose honest answer is "nothing there": clients ask for them on connect and
 *  misbehave without an answer (protocol.md §16.6). */
import type { Handles } from "../kernel/call.ts";

export const laterMethods = ({ now }: { now: () => number }) =>
  ({
    "node.list": () => ({ ts: now(), nodes: [] }),
    "question.list": () => ({ questions: [] }),
    "plugin.approval.list": () => [],
    "taskSuggestions.list": () => ({ suggestions: [] }),
  }) satisfies Handles<"node.list" | "question.list" | "plugin.approval.list" | "taskSuggestions.list">;
