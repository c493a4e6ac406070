import { messageText } from "@openclaw/protocol";
import { expect, test } from "vitest";
import {
  callTools,
  hang,
  inTurn,
  lastUserText,
  makeBench,
  say,
  settle,
  texts,
  until,
  type Script,
} from "./agents.fixture.ts";

const list = { agents: { list: [{ id: "main" }, { id: "work" }] } };

/** Asks the agent of the main session to make one call; the result it saw. */
async function call(name: string, args: Record<string, unknown>, bench = makeBench({ config: list })) {
  const other = bench.state.script;
  let called = false;
  bench.state.script = (request, signal) => {
    if (!request.messages.some((message) => messageText(message).includes("use a tool"))) return other(request, signal);
    if (called) return say("thanks");
    called = true;
    return callTools({ name, args });
  };
  await bench.agent({ message: "use a tool", idempotencyKey: `t${bench.log.length}`, agentId: "main" });
  const result = bench.transcript().findLast((message) => message.role === "toolResult");
  return { bench, text: result ? messageText(result) : "", isError: result?.role === "toolResult" && result.isError };
}

const talk = (bench: ReturnType<typeof makeBench>, sessionKey: string, key: string) =>
  bench.agent({ message: `hello ${key}`, idempotencyKey: key, sessionKey });

test("sessions_list shows the agent's own sessions, with messages when asked", async () => {
  const bench = makeBench({ config: list });
  await talk(bench, "agent:main:notes", "k1");
  await talk(bench, "agent:work:main", "k2");
  const { text } = await call("sessions_list", { messageLimit: 2 }, bench);
  const { sessions } = JSON.parse(text) as { sessions: { key: string; messages: { text: string }[] }[] };
  expect(sessions.map(({ key }) => key).sort()).toEqual(["agent:main:main", "agent:main:notes"]);
  expect(sessions.find(({ key }) => key === "agent:main:notes")?.messages.map(({ text: said }) => said)).toEqual([
    "hello k1",
    "ok",
  ]);
});

test("sessions_history reads an own session and refuses another agent's", async () => {
  const bench = makeBench({ config: list });
  await talk(bench, "agent:main:notes", "k1");
  await talk(bench, "agent:work:main", "k2");
  expect((await call("sessions_history", { sessionKey: "notes" }, bench)).text).toContain("hello k1");
  const refused = await call("sessions_history", { sessionKey: "agent:work:main" }, bench);
  expect(refused).toMatchObject({ isError: true, text: expect.stringContaining("belongs to another agent") });
});

test("sessions_send runs the other session beside the own one, also when only one run is allowed", async () => {
  const script: Script = (request) => say(`heard: ${lastUserText(request).slice(-4)}`);
  const bench = makeBench({ script, config: { agents: { ...list.agents, defaults: { maxConcurrent: 1 } } } });
  const { text } = await call("sessions_send", { sessionKey: "notes", message: "ping" }, bench);
  expect(JSON.parse(text)).toMatchObject({ status: "ok", reply: "heard: ping" });
  expect(texts(bench.transcript("agent:main:notes"))).toEqual([
    "user: [From session agent:main:main] ping",
    "assistant: heard: ping",
  ]);
});

test("sessions_send to the own session, or to one that waits for it, is refused instead of waiting for ever", async () => {
  const self = await call("sessions_send", { sessionKey: "main", message: "me?" });
  expect(self).toMatchObject({ isError: true, text: expect.stringContaining("waiting for this very run") });
  const back: Script = inTurn(
    () => callTools({ name: "sessions_send", args: { sessionKey: "main", message: "back" } }),
    () => say("gave up"),
  );
  const bench = makeBench({ script: back });
  const { text } = await call("sessions_send", { sessionKey: "notes", message: "go" }, bench);
  expect(JSON.parse(text)).toMatchObject({ status: "ok", reply: "gave up" });
});

test("sessions_send gives up waiting after its time, and does not wait at all with 0", async () => {
  const bench = makeBench({ script: hang("x") });
  const pending = call("sessions_send", { sessionKey: "notes", message: "slow", timeoutSeconds: 5 }, bench);
  await until(() => bench.state.requests.length === 2);
  await bench.world.clock.advance(5_000);
  expect(JSON.parse((await pending).text)).toMatchObject({ status: "timeout" });
  expect(
    JSON.parse(
      (
        await call(
          "sessions_send",
          { sessionKey: "more", message: "go", timeoutSeconds: 0 },
          makeBench({ script: hang("x") }),
        )
      ).text,
    ),
  ).toMatchObject({ status: "accepted" });
});

test("session_status tells the card and sets the model; agents_list tells the ids", async () => {
  const { bench, text } = await call("session_status", { model: "mock/two" });
  expect(text).toContain("Session: agent:main:main");
  expect(bench.sessions.get("agent:main:main")).toMatchObject({ modelOverride: "two" });
  await call("session_status", { model: "default" }, bench);
  expect(bench.sessions.get("agent:main:main")?.modelOverride).toBeUndefined();
  expect((await call("agents_list", {})).text).toBe("main");
});

test("a drain lets a turn finish that asks another session, and holds what is new", async () => {
  const drained: Promise<number>[] = [];
  const bench = makeBench({
    config: list,
    script: (request) => {
      const asked = lastUserText(request);
      if (asked.includes("ping")) return say("pong");
      if (!asked.includes("use a tool") || drained.length > 0) return say("thanks");
      drained.push(bench.agents.drain(60_000));
      return callTools({ name: "sessions_send", args: { sessionKey: "notes", message: "ping" } });
    },
  });
  await bench.agent({ message: "use a tool", idempotencyKey: "asks", agentId: "main" });
  expect(await drained[0]).toBe(0);
  expect(texts(bench.transcript("agent:main:notes"))).toContain("assistant: pong");
  await bench.chat("later", "held");
  await settle();
  expect(bench.row("chat", "held")?.state).toBe("accepted");
  bench.agents.resume();
  await until(() => bench.row("chat", "held")?.state === "ok");
});
