/** The gateway of the tests of chat completions: two agents, a scripted model, and what its answers are read with. */
import { afterAll, beforeAll, beforeEach } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { chunksOf, lastRequest, post, told, type Answer } from "./http-client.ts";

export const path = "/v1/chat/completions";

export const user = (content: unknown) => ({ role: "user", content });

export interface Choice {
  message: { content: string | null; tool_calls?: ToolCall[] };
  finish_reason: string;
}
export interface ToolCall {
  id: string;
  type: string;
  index?: number;
  function: { name?: string; arguments: string };
}

export const choiceOf = (answer: { json: Record<string, unknown> }): Choice =>
  (answer.json["choices"] as Choice[])[0] as Choice;

/** The whole text of a stream. */
export const deltas = (text: string): string =>
  chunksOf(text)
    .map((chunk) => (chunk["choices"] as { delta?: { content?: string } }[])[0]?.delta?.content ?? "")
    .join("");

export const weather = {
  type: "function",
  function: { name: "get_weather", description: "Weather", parameters: { type: "object", properties: {} } },
};

export interface ChatRig {
  gateway: ScriptedGateway;
  chat(more?: Record<string, unknown>, headers?: Record<string, string>): Promise<Answer>;
  /** The system prompt of the last request. */
  systemOf(): string;
  /** Keys in `sessions.list`. */
  sessionsOf(): Promise<string[]>;
}

/** Opens the gateway for the tests of a file and closes it after them. */
export function useChatGateway(): ChatRig {
  const rig = {
    chat: (more = {}, headers = {}) =>
      post(rig.gateway, path, { model: "openclaw", messages: [user("hi")], ...more }, headers),
    systemOf: () => told(lastRequest(rig.gateway), "system").join("\n"),
    async sessionsOf() {
      const wire = await rig.gateway.connect();
      const { sessions } = await wire.call<{ sessions: { key: string }[] }>("sessions.list", {});
      await wire.close();
      return sessions.map(({ key }) => key);
    },
  } as ChatRig;
  beforeAll(async () => {
    rig.gateway = await openScriptedGateway({
      config: {
        gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } },
        agents: {
          defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } },
          list: [{ id: "main", default: true }, { id: "beta" }],
        },
      },
    });
  });
  afterAll(() => rig.gateway.stop());
  beforeEach(() => {
    rig.gateway.script = () => ["ok"];
  });
  return rig;
}
