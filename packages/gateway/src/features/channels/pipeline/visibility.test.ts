import { Type } from "typebox";
import { expect, test } from "vitest";
import { agentTools } from "../../agents/index.ts";
import { type Tool, tool } from "../../tools/index.ts";
import { type Bench, callTool, inGroup, makeBench, say, settle, text, until } from "./pipeline.fixture.ts";

const calls: [string, Record<string, unknown>][] = [
  ["sessions_history", { sessionKey: "main" }],
  ["sessions_send", { sessionKey: "main", message: "what did the owner say?" }],
  ["session_status", { sessionKey: "main" }],
  ["sessions_list", { messageLimit: 5 }],
];
const secret = "the safe opens with 4711";

/** One tool that calls all session tools as the run that has it. */
function looking(bench: () => Bench, seen: string[]): Tool {
  return tool({
    name: "look",
    description: "",
    params: Type.Object({}),
    effects: false,
    run: async (_args, context) => {
      for (const [name, args] of calls) {
        const real = agentTools(bench().house.agents).find((one) => one.name === name);
        const { content } = (await real?.run(args, context)) ?? { content: [] };
        seen.push(content.map((part) => (part.type === "text" ? part.text : "")).join(""));
      }
      return { content: [{ type: "text", text: "done" }] };
    },
  });
}

async function looks(config: Record<string, unknown>, asks: Parameters<Bench["receive"]>[0]): Promise<string[]> {
  const seen: string[] = [];
  const bench: Bench = await makeBench({
    config: { session: { dmScope: "per-peer" }, ...config },
    access: { allowFrom: ["ann"], groups: { "*": { requireMention: false } } },
    tools: [looking(() => bench, seen)],
    script: () => say("noted"),
  });
  await bench.store.commit((tx) =>
    tx.run("INSERT INTO pairing_allow (channel, account_id, sender_id, added_at) VALUES ('fake', 'default', 'bob', 1)"),
  );
  const { agents } = bench.house;
  const caller = { principal: "shared", owner: true, sender: "cli" };
  const admitted = await agents.chat({ sessionKey: "main", message: secret, idempotencyKey: "k" }, caller);
  if (!("run" in admitted)) throw new Error("the run is over");
  agents.runs.begin(admitted.run);
  await admitted.run.ended.promise;
  let turns = 0;
  bench.state.script = () => (turns++ > 0 ? say("done") : callTool("look"));
  await bench.receive(asks);
  await until(() => seen.length === calls.length);
  await settle();
  return seen;
}

const guest = { sender: { id: "bob", name: "Bob" } };

test.each([
  ["a group", inGroup("look around")],
  ["a topic of a group", inGroup("look around", { chat: { kind: "group", id: "g1", threadId: "7" } })],
  ["a guest's direct chat", text("look around", { chat: { kind: "direct", id: "bob" }, ...guest })],
])("a run of %s sees its own conversation, and nothing of the owner's", async (_name, message) => {
  const [history, sent, status, list] = await looks({}, message);
  for (const refused of [history, sent, status]) expect(refused).toContain("not visible from this conversation");
  expect(list).not.toContain("4711");
  expect(list).toContain("look around");
});

test("the owner's own direct chat sees the sessions of its agent", async () => {
  const [history, , status, list] = await looks({}, text("look around"));
  expect(history).toContain(secret);
  expect(list).toContain(secret);
  expect(status).not.toContain("not visible");
});

test("tools.sessions.visibility opens the agent's sessions to groups, and closes them to all", async () => {
  const open = await looks({ tools: { sessions: { visibility: "agent" } } }, inGroup("look around"));
  expect(open[0]).toContain(secret);
  const closed = await looks({ tools: { sessions: { visibility: "self" } } }, text("look around"));
  expect(closed[0]).toContain("not visible");
  expect(closed[3]).not.toContain(secret);
});
