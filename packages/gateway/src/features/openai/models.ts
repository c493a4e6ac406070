/** GET /v1/models (http.md §7): the agents, never the models behind them. */
import { HttpError, type HttpCall, type HttpReply } from "../../kernel/http.ts";
import type { AgentDirectory } from "../agents/index.ts";

const listed = (id: string) => ({ id, object: "model", created: 0, owned_by: "openclaw", permission: [] });

const ids = (directory: AgentDirectory): string[] => [
  ...new Set(["openclaw", "openclaw/default", ...directory.list().map((agentId) => `openclaw/${agentId}`)]),
];

export const listModels = (directory: AgentDirectory): HttpReply => ({
  json: { object: "list", data: ids(directory).map(listed) },
});

/** Throws HttpError 404. */
export function readModel(call: HttpCall, directory: AgentDirectory): HttpReply {
  const raw = call.path.slice("/v1/models/".length);
  let id: string;
  try {
    id = decodeURIComponent(raw);
  } catch (error) {
    throw new HttpError(404, "The model does not exist.", { code: "model_not_found", cause: error });
  }
  if (raw === "") throw new HttpError(404, "Not Found");
  if (ids(directory).includes(id)) return { json: listed(id) };
  throw new HttpError(404, `The model '${id.replace(/[^\w:/.-]/g, "?").slice(0, 80)}' does not exist.`, {
    code: "model_not_found",
  });
}
