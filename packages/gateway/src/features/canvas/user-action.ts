/** A user action of a page, as the one line an agent reads (canvas-browser-nodes.md §6). Pure. */
export interface UserAction {
  id: string;
  name: string;
  surfaceId: string;
  sourceComponentId: string;
  context: unknown;
}

const maxWordChars = 128;
const maxContextChars = 4_000;

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Undefined when it is none. */
export function readUserAction(body: unknown): UserAction | undefined {
  const given = isObject(body) && Object.hasOwn(body, "userAction") ? body["userAction"] : undefined;
  if (!isObject(given)) return undefined;
  const text = (key: string): string => {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    return typeof value === "string" ? value.trim() : "";
  };
  const name = text("name");
  if (name === "") return undefined;
  return {
    id: text("id").slice(0, maxWordChars),
    name,
    surfaceId: text("surfaceId") || "main",
    sourceComponentId: text("sourceComponentId"),
    context: Object.hasOwn(given, "context") ? given["context"] : undefined,
  };
}

/** Nothing of a page can look like another field. */
const word = (text: string): string => text.replaceAll(/[^A-Za-z0-9_.:-]/g, "_").slice(0, maxWordChars) || "-";

export function actionLine(
  action: Omit<UserAction, "id">,
  where: { sessionKey: string; host: string; instanceId: string },
): string {
  const context = action.context === undefined ? undefined : JSON.stringify(action.context);
  const fields = [
    ["action", word(action.name)],
    ["session", word(where.sessionKey)],
    ["surface", word(action.surfaceId)],
    ["component", word(action.sourceComponentId)],
    ["host", word(where.host)],
    ["instance", word(where.instanceId)],
    ...(context === undefined ? [] : [["ctx", context.slice(0, maxContextChars).toWellFormed()]]),
    ["default", "update_canvas"],
  ];
  return `CANVAS_A2UI ${fields.map(([key, value]) => `${key}=${value}`).join(" ")}`;
}
