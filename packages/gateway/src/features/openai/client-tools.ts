/** Tools that the client runs itself, in the spellings of both APIs (http.md §8.6, §9.2). */
import type { ClientToolSpec } from "../agents/index.ts";
import { invalid, isRecord, type Body } from "./fields.ts";

export interface ClientTools {
  /** Those the model is offered. */
  offered: ClientToolSpec[];
  /** A call the answer must contain: of this tool, or of any. */
  wanted?: { name?: string };
  /** What the model is told about its choice. */
  instruction?: string;
}

const maxTools = 128;
const nameForm = /^[A-Za-z0-9_-]{1,64}$/;

/** `form`: where the fields of a function stand; `either` accepts both. */
export function clientToolsOf(body: Body, form: "nested" | "either"): ClientTools {
  const all = readTools(body["tools"], form);
  const choice = body["tool_choice"];
  if (choice === undefined || choice === null || choice === "auto") return { offered: all };
  if (choice === "none") return { offered: [] };
  if (choice === "required") {
    if (all.length === 0) throw invalid("`tool_choice` is `required`, but there are no tools.", "tool_choice");
    return {
      offered: all,
      wanted: {},
      instruction: `Answer by calling one of these tools, whatever else you do: ${all.map(({ name }) => name).join(", ")}.`,
    };
  }
  const name = pinnedName(choice);
  const pinned = all.find((tool) => tool.name === name);
  if (name === undefined) throw invalid("`tool_choice` is not one of the known forms.", "tool_choice");
  if (!pinned)
    throw invalid(`\`tool_choice\` names a tool that is not in \`tools\`: ${name.slice(0, 64)}`, "tool_choice");
  return { offered: [pinned], wanted: { name }, instruction: `Answer by calling the tool ${name}.` };
}

function pinnedName(choice: unknown): string | undefined {
  if (!isRecord(choice) || choice["type"] !== "function") return undefined;
  const { function: nested, name } = choice;
  if (isRecord(nested) && typeof nested["name"] === "string") return nested["name"];
  return typeof name === "string" ? name : undefined;
}

function readTools(given: unknown, form: "nested" | "either"): ClientToolSpec[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) throw invalid("`tools` must be an array.", "tools");
  if (given.length > maxTools) throw invalid(`\`tools\` has more than ${maxTools} entries.`, "tools");
  const tools = given.map((tool: unknown, index) => readTool(tool, `tools.${index}`, form));
  const seen = new Set<string>();
  for (const [index, { name }] of tools.entries()) {
    if (seen.has(name)) throw invalid(`Two tools have the name '${name}'.`, `tools.${index}`);
    seen.add(name);
  }
  return tools;
}

function readTool(tool: unknown, path: string, form: "nested" | "either"): ClientToolSpec {
  if (!isRecord(tool)) throw invalid(`\`${path}\` must be an object.`, path);
  const { type } = tool;
  if (type !== "function")
    throw invalid(
      `\`${path}.type\`: only tools of type \`function\` are supported, not ${quoted(type)}.`,
      `${path}.type`,
    );
  const nested = tool["function"];
  const fields = isRecord(nested) ? nested : form === "either" ? tool : undefined;
  if (!fields) throw invalid(`\`${path}.function\` must be an object.`, `${path}.function`);
  const { name, description, parameters } = fields;
  if (typeof name !== "string" || !nameForm.test(name))
    throw invalid(`\`${path}\` needs a name of letters, digits, _ and -, at most 64.`, path);
  if (description !== undefined && description !== null && typeof description !== "string")
    throw invalid(`\`${path}.description\` must be a string.`, path);
  if (parameters !== undefined && parameters !== null && !isRecord(parameters))
    throw invalid(`\`${path}.parameters\` must be a JSON Schema of an object.`, path);
  return {
    name,
    description: typeof description === "string" ? description : "",
    parameters: isRecord(parameters) ? parameters : { type: "object", properties: {} },
  };
}

export const quoted = (value: unknown): string =>
  typeof value === "string" ? `\`${value.replace(/[^\w.-]/g, "?").slice(0, 40)}\`` : typeof value;
