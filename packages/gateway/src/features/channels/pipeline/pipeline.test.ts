import { expect, test } from "vitest";
import { callTool, fail, gate, inTurn, makeBench, say, settle, text, until } from "./pipeline.fixture.ts";

test("a direct message of an allowed sender becomes a turn, and its reply goes back to the chat", async () => {
  const bench = await makeBench();
  await bench.receive(text("hello there"));
  await until(() => bench.sent.length === 1);
  await settle();
  expect(bench.sent).toEqual([{ chatId: "ann", text: "ok", replyToId: expect.stringMatching(/^m/) }]);
  expect(bench.states()).toEqual(["answered"]);
  expect(bench.outboxStates()).toEqual(["sent"]);
  expect(bench.asked()[0]).toMatch(/^\[Fake Ann \(id:ann\) 2026-02-02 [0-9:]+ \w+\] hello there\n\[message_id: m/);
});

test("messages that were stored and not handled are answered after a restart, once", async () => {
  const bench = await makeBench();
  await bench.storeOnly(text("one"), text("two"));
  await bench.again();
  await bench.finish();
  expect(bench.states()).toEqual(["answered", "answered"]);
  const { length } = bench.sent;
  await bench.again();
  await bench.pass(2_000);
  expect(bench.sent).toHaveLength(length);
});

test("a run that a crash cut off goes on after the restart, and its message is answered once", async () => {
  const held = gate("from the dead process");
  const bench = await makeBench({ script: held.script });
  await bench.receive(text("hello"));
  await until(() => bench.state.requests.length === 1);
  bench.state.script = () => say("late answer");
  bench.shown.length = 0;
  await bench.again();
  await until(() => bench.sent.length > 0);
  await settle();
  expect(bench.shown).toEqual(["typing", "idle"]);
  expect(bench.states()).toEqual(["answered"]);
  expect(bench.texts()).toEqual(["late answer"]);
  expect(bench.asked()).toHaveLength(1);
});

test("messages that wait in the queue survive a restart", async () => {
  const held = gate("first");
  const bench = await makeBench({ script: held.script });
  await bench.receive(text("one"));
  await until(() => bench.state.requests.length === 1);
  await bench.receive(text("two"), text("three"));
  await settle();
  expect(bench.states()).toEqual(["waiting", "waiting", "waiting"]);
  bench.state.script = () => say("done");
  await bench.again();
  await bench.finish();
  expect(bench.states()).toEqual(["answered", "answered", "answered"]);
  expect(bench.texts()).toEqual(["done", "done"]);
  expect(bench.asked().at(-1)).toMatch(
    /\[Messages that waited while you were busy\]\n---\n1\. .*two\n[\s\S]*---\n2\. .*three\n/,
  );
});

test("a stop of the gateway gives a run without effects back, and the next process answers", async () => {
  const bench = await makeBench({ script: gate("never").script });
  await bench.receive(text("hello"));
  await until(() => bench.state.requests.length === 1);
  await bench.house.agents.stop(500);
  bench.house.pipeline.stop();
  expect(bench.states()).toEqual(["waiting"]);
  expect(bench.sent).toEqual([]);
  bench.state.script = () => say("back again");
  await bench.again();
  await until(() => bench.sent.length === 1);
  expect(bench.texts()).toEqual(["back again"]);
});

test("silence on purpose is the end of a message, too", async () => {
  const bench = await makeBench({ script: () => say("NO_REPLY") });
  await bench.receive(text("just so you know"));
  await until(() => bench.states()[0] !== "waiting" && bench.states()[0] !== "stored");
  expect(bench.states()).toEqual(["silent no-reply"]);
  expect(bench.sent).toEqual([]);
});

test("a failure is told in words for people", async () => {
  const bench = await makeBench({ script: () => fail("account 17 has no credit") });
  await bench.receive(text("hello"));
  await until(() => bench.sent.length === 1);
  await settle();
  expect(bench.texts()[0]).toMatch(/^⚠️ The provider wants payment/);
  expect(bench.states()).toEqual(["noticed"]);
});

test("what was said before a failure is sent in front of the notice", async () => {
  const bench = await makeBench({
    script: inTurn(
      async function* () {
        yield { type: "text", delta: "Looking." };
        yield* callTool("nothing");
      },
      () => fail("no credit"),
    ),
  });
  await bench.receive(text("hello"));
  await until(() => bench.sent.length > 0);
  await settle();
  expect(bench.texts().at(-1)).toMatch(/^⚠️/);
  expect(bench.states()).toEqual(["noticed"]);
});

test("an event becomes a line for the next prompt, never a turn", async () => {
  const bench = await makeBench();
  await bench.receive(text("", { event: "reaction added: 👍 by Ann on out1" }));
  await settle();
  expect(bench.states()).toEqual(["ignored event"]);
  expect(bench.state.requests).toEqual([]);
  await bench.receive(text("hello"));
  await until(() => bench.sent.length === 1);
  expect(bench.asked().join("\n")).toContain("reaction added: 👍 by Ann on out1");
});

test("the session remembers where it was last spoken to", async () => {
  const bench = await makeBench({ access: { allowFrom: ["ann", "bob"] } });
  await bench.receive(text("hello", { sender: { id: "bob" }, chat: { kind: "direct", id: "bob", replyId: "bob@x" } }));
  await until(() => bench.sent.length === 1);
  expect(bench.sent[0]?.chatId).toBe("bob@x");
  expect(bench.house.sessions.get("agent:main:main")).toMatchObject({
    lastChannel: "fake",
    lastTo: "bob@x",
    lastAccountId: "default",
  });
});

test("in the shared main session only the owner moves the last route, when there is one", async () => {
  const bench = await makeBench();
  await bench.receive(text("hello"));
  await until(() => bench.sent.length === 1);
  await bench.store.commit((tx) =>
    tx.run("INSERT INTO pairing_allow (channel, account_id, sender_id, added_at) VALUES ('fake', 'default', 'eve', 1)"),
  );
  await bench.receive(text("hi", { sender: { id: "eve" } }));
  await until(() => bench.sent.length === 2);
  expect(bench.sent[1]?.chatId).toBe("eve");
  expect(bench.house.sessions.get("agent:main:main")?.lastTo).toBe("ann");
});

test("a session that may not send runs and stays silent", async () => {
  const bench = await makeBench({ config: { session: { sendPolicy: { default: "deny" } } } });
  await bench.receive(text("hello"));
  await until(() => bench.states()[0]?.startsWith("silent") === true);
  expect(bench.states()).toEqual(["silent send-policy"]);
  expect(bench.sent).toEqual([]);
});

test("while held, messages only wait; released, they are answered", async () => {
  let why: string | undefined = "safe mode";
  const bench = await makeBench({ held: () => why });
  await bench.receive(text("hello"));
  await settle();
  expect(bench.states()).toEqual(["waiting"]);
  expect(bench.state.requests).toEqual([]);
  why = undefined;
  bench.house.pipeline.release();
  await bench.pass(1_000);
  await until(() => bench.sent.length === 1);
  expect(bench.states()).toEqual(["answered"]);
});

test("typing shows while the run works and is gone with it; the message is marked as read", async () => {
  const held = gate("done");
  const bench = await makeBench({ script: held.script });
  await bench.receive(text("hello", { receipt: "r1" }));
  await until(() => bench.state.requests.length === 1);
  await bench.pass(13_000);
  expect(bench.shown).toEqual(["read r1", "typing", "typing", "typing"]);
  held.open();
  await until(() => bench.sent.length === 1);
  await bench.pass(60_000);
  expect(bench.shown.slice(4)).toEqual(["idle"]);
});

test("twenty turns that a bot starts are answered, then it is told once and held", async () => {
  let answers = 0;
  const bench = await makeBench({ access: { allowFrom: ["*"] }, script: () => say(`answer ${++answers}`) });
  for (let n = 0; n < 25; n++) {
    await bench.receive(text(`message ${n}`, { sender: { id: "robot", isBot: true } }));
    await bench.finish();
  }
  expect(bench.state.requests).toHaveLength(20);
  expect(bench.texts().filter((line) => line.startsWith("Another bot"))).toHaveLength(1);
  expect(bench.states().filter((state) => state === "ignored bot-loop")).toHaveLength(5);
  await bench.pass(10 * 60_000);
  await bench.receive(text("later", { sender: { id: "robot", isBot: true } }));
  await bench.finish();
  expect(bench.state.requests).toHaveLength(21);
});
