/** A gateway whose model does what the cases need: it calls `get_weather` when that is offered, answers after its result, and says
 *  a sentence otherwise. */
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import type { FakeRequest, Reply } from "../support/fake-provider/index.ts";

function reply({ body, raw }: FakeRequest): Reply {
  const tools = (body["tools"] as { function?: { name?: string } }[] | undefined) ?? [];
  const offered = tools.some((tool) => tool.function?.name === "get_weather");
  const answered = raw.includes("72F") || raw.includes('"role":"tool"');
  if (offered && !answered) return [{ toolCall: { name: "get_weather", arguments: { location: "San Francisco" } } }];
  return ["Here ", "is ", "the answer."];
}

export async function openCaseGateway(): Promise<ScriptedGateway> {
  const gateway = await openScriptedGateway({
    config: { gateway: { http: { endpoints: { responses: { enabled: true } } } } },
  });
  gateway.script = reply;
  return gateway;
}
