/** Tools that the client of a chat completion runs itself (http.md §8.6, C15-C18). */
import { chunksOf, errorOf, eventsOf, lastRequest, told } from "./http-client.ts";
import { choiceOf, type ToolCall, useChatGateway, user, weather } from "./http-chat-rig.ts";
import { expect, test } from "vitest";

const rig = useChatGateway();

test("C15: a client's tool ends the run; its result is answered, without a session by the rendering, within one natively", async () => {
  const script = (request: { raw: string }) =>
    /sunny/.test(request.raw)
      ? ["It is sunny."]
      : ["One moment.", { toolCall: { id: "call_1", name: "get_weather", arguments: { location: "Rome" } } }];
  for (const who of [undefined, "weather-user"]) {
    rig.gateway.script = script;
    const first = await rig.chat({ tools: [weather], user: who });
    const choice = choiceOf(first);
    expect(choice).toMatchObject({ finish_reason: "tool_calls", message: { content: "One moment." } });
    const [call] = choice.message.tool_calls ?? [];
    expect(call).toMatchObject({ type: "function", function: { name: "get_weather" } });
    expect(JSON.parse(call?.function.arguments ?? "")).toEqual({ location: "Rome" });
    const messages = [
      user("hi"),
      choice.message,
      { role: "tool", tool_call_id: call?.id, content: "sunny, 25 degrees" },
    ];
    const second = await rig.chat({ tools: [weather], user: who, messages });
    expect(choiceOf(second)).toMatchObject({ finish_reason: "stop", message: { content: "It is sunny." } });
    if (who === undefined) {
      expect(told(lastRequest(rig.gateway), "user")[0]).toContain('[called get_weather({"location":"Rome"})]');
      expect(told(lastRequest(rig.gateway), "user")[0]).toContain("Tool:get_weather: sunny, 25 degrees");
    } else {
      expect(told(lastRequest(rig.gateway), "user")).toEqual(["hi"]);
      expect(told(lastRequest(rig.gateway), "tool")).toEqual(["sunny, 25 degrees"]);
    }
  }
});

test("C15, C16: streamed calls assemble to the same calls, numbered from 0", async () => {
  rig.gateway.script = () => [
    { toolCall: { id: "a", name: "get_weather", arguments: { location: "Rome" } } },
    { toolCall: { id: "b", name: "get_weather", arguments: { location: "Oslo" } } },
  ];
  const whole = choiceOf(await rig.chat({ tools: [weather] })).message;
  expect(whole.content).toBeNull();
  expect(whole.tool_calls).toHaveLength(2);
  const answer = await rig.chat({ tools: [weather], stream: true });
  const built: Record<number, { id: string; name: string; args: string }> = {};
  for (const chunk of chunksOf(answer.text)) {
    const [choice] = chunk["choices"] as { delta: { tool_calls?: ToolCall[] } }[];
    for (const { index = -1, id, function: called } of choice?.delta.tool_calls ?? []) {
      const entry = (built[index] ??= { id: "", name: "", args: "" });
      entry.id += id ?? "";
      entry.name += called.name ?? "";
      entry.args += called.arguments;
    }
  }
  expect(Object.keys(built)).toEqual(["0", "1"]);
  expect(Object.values(built).map(({ args }) => JSON.parse(args) as unknown)).toEqual([
    { location: "Rome" },
    { location: "Oslo" },
  ]);
  expect(Object.values(built)).toEqual(
    whole.tool_calls?.map(({ id, function: called }) => ({ id, name: called.name, args: called.arguments })),
  );
  expect(answer.text).toContain('"finish_reason":"tool_calls"');
});

test("C16: a step with the agent's own tools runs those first and hands over the rest", async () => {
  rig.gateway.script = (request) =>
    told(request, "tool").length === 2
      ? ["Both are there."]
      : [
          { toolCall: { id: "own", name: "session_status", arguments: {} } },
          { toolCall: { id: "theirs", name: "get_weather", arguments: {} } },
        ];
  const first = choiceOf(await rig.chat({ tools: [weather], user: "mixed" }));
  expect(first.message.tool_calls?.map(({ function: { name } }) => name)).toEqual(["get_weather"]);
  const id = first.message.tool_calls?.[0]?.id;
  const messages = [user("hi"), first.message, { role: "tool", tool_call_id: id, content: "rain" }];
  expect(choiceOf(await rig.chat({ tools: [weather], user: "mixed", messages })).message.content).toBe(
    "Both are there.",
  );
});

test("C15: a call without its result is named; results nobody waits for are text", async () => {
  const call = (id: string) => ({ id, type: "function", function: { name: "get_weather", arguments: "{}" } });
  const messages = [
    user("hi"),
    { role: "assistant", content: null, tool_calls: [call("a"), call("b")] },
    { role: "tool", tool_call_id: "a", content: "x" },
  ];
  const missing = await rig.chat({ messages });
  expect([missing.status, errorOf(missing).message]).toEqual([400, expect.stringContaining("'b'")]);
  const stray = await rig.chat({ messages: [user("hi"), { role: "tool", tool_call_id: "zzz", content: "stray" }] });
  expect(stray.status).toBe(200);
  expect(told(lastRequest(rig.gateway), "user")[0]).toContain("Tool:zzz: stray");
});

test("C17: tool_choice", async () => {
  const toolNames = () =>
    ((lastRequest(rig.gateway)?.body["tools"] as { function: { name: string } }[]) ?? []).map(
      (tool) => tool.function.name,
    );
  await rig.chat({ tools: [weather], tool_choice: "none" });
  expect(toolNames()).not.toContain("get_weather");
  await rig.chat({ tools: [weather], tool_choice: "auto" });
  expect(toolNames()).toContain("get_weather");
  expect((await rig.chat({ tool_choice: "required" })).status).toBe(400);
  const pin = (name: string) => ({ type: "function", function: { name } });
  expect((await rig.chat({ tools: [weather], tool_choice: pin("other") })).status).toBe(400);
  const unmet = await rig.chat({ tools: [weather], tool_choice: "required" });
  expect([unmet.status, unmet.headers.get("x-should-retry")]).toEqual([502, "false"]);
  expect(errorOf(unmet)).toMatchObject({
    message: "tool_choice=required was not satisfied by the agent response",
    type: "api_error",
  });
  const streamed = await rig.chat({ tools: [weather], tool_choice: "required", stream: true });
  const [failure, end] = eventsOf(streamed.text).slice(-2);
  expect([JSON.parse(failure?.data ?? ""), end?.data]).toEqual([
    { error: { ...errorOf(unmet), code: null } },
    "[DONE]",
  ]);
  const other = { type: "function", function: { name: "other_tool" } };
  rig.gateway.script = () => [{ toolCall: { name: "get_weather", arguments: {} } }];
  expect((await rig.chat({ tools: [weather, other], tool_choice: pin("get_weather") })).status).toBe(200);
  expect(toolNames()).toContain("get_weather");
  expect(toolNames()).not.toContain("other_tool");
  expect(rig.systemOf()).toContain("Answer by calling the tool get_weather.");
});

test("C18: malformed tools, and names the agent has itself, are refused", async () => {
  const named = (name: unknown) => ({ type: "function", function: { name } });
  for (const tools of [
    {},
    [{ type: "custom", function: { name: "x" } }],
    [named(undefined)],
    [named("")],
    [named("bad name")],
    [named("x".repeat(65))],
    [named("x"), named("x")],
    [null],
    [{ type: "function", function: { name: "x", parameters: "none" } }],
    Array.from({ length: 129 }, (_, index) => named(`t${index}`)),
    [named("exec")],
  ])
    expect([JSON.stringify(tools).slice(0, 60), (await rig.chat({ tools })).status]).toEqual([
      JSON.stringify(tools).slice(0, 60),
      400,
    ]);
});
