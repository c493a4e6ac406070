/** The gateway of the tests of responses, and what its answers are read with. */
import { afterAll, beforeAll, beforeEach } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import type { GatewayOptions } from "../support/gateway.ts";
import { eventsOf, lastRequest, post, told, type Answer } from "./http-client.ts";

export const path = "/v1/responses";

export interface Item {
  type: string;
  id: string;
  status: string;
  call_id?: string;
  name?: string;
  arguments?: string;
  content?: { type: string; text: string }[];
}

export interface Event {
  type: string;
  sequence_number: number;
  delta?: string;
  text?: string;
  output_index?: number;
  item?: Item;
  response?: Record<string, unknown>;
}

export const outputOf = ({ json }: { json: Record<string, unknown> }): Item[] => json["output"] as Item[];

export const textOf = (answer: { json: Record<string, unknown> }): string =>
  outputOf(answer)
    .flatMap(({ content = [] }) => content.map(({ text }) => text))
    .join("");

export const streamed = (answer: Answer): Event[] =>
  eventsOf(answer.text)
    .filter(({ data }) => data !== "[DONE]")
    .map(({ data }) => JSON.parse(data) as Event);

export const user = (content: unknown) => ({ type: "message", role: "user", content });

export const weather = { type: "function", name: "get_weather", parameters: { type: "object", properties: {} } };

export interface ResponsesRig {
  gateway: ScriptedGateway;
  respond(more?: Record<string, unknown>, headers?: Record<string, string>): Promise<Answer>;
  systemOf(): string;
}

/** Opens the gateway for the tests of a file and closes it after them. */
export function useResponsesGateway(options: GatewayOptions = {}): ResponsesRig {
  const rig = {
    respond: (more = {}, headers = {}) => post(rig.gateway, path, { model: "openclaw", input: "hi", ...more }, headers),
    systemOf: () => told(lastRequest(rig.gateway), "system").join("\n"),
  } as ResponsesRig;
  beforeAll(async () => {
    rig.gateway = await openScriptedGateway({
      ...options,
      config: {
        ...options.config,
        gateway: { http: { endpoints: { responses: { enabled: true } } } },
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
