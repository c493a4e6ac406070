import { expect, test } from "vitest";
import { gate, inGroup, makeBench, say, settle, text, until } from "./pipeline.fixture.ts";

const ends = (bench: Awaited<ReturnType<typeof makeBench>>, n: number) => until(() => bench.sent.length >= n);

test("a command is answered at once, beside a run that is active, and without a model", async () => {
  const held = gate("done");
  const bench = await makeBench({ script: held.script });
  await bench.receive(text("work"));
  await until(() => bench.state.requests.length === 1);
  await bench.receive(text("/whoami"));
  await ends(bench, 1);
  await settle();
  expect(bench.texts()[0]).toContain("You are fake:ann.");
  expect(bench.states()).toEqual(["waiting", "answered"]);
  expect(bench.state.requests).toHaveLength(1);
  held.open();
  await ends(bench, 2);
});

test("stop ends the run and what waits, says so once, and nothing of it is sent", async () => {
  const held = gate("too late");
  const bench = await makeBench({ script: held.script });
  await bench.receive(text("work"));
  await until(() => bench.state.requests.length === 1);
  await bench.receive(text("and this"), text("and that"));
  await settle();
  await bench.receive(text(" STOP "));
  await ends(bench, 1);
  held.open();
  await bench.pass(30_000);
  expect(bench.texts()).toEqual(["⚙️ Agent was aborted. 2 waiting message(s) were dropped."]);
  expect(bench.states()).toEqual(["silent stopped", "dropped stopped", "dropped stopped", "answered"]);
  expect(bench.state.requests).toHaveLength(1);
});

test("stop with nothing to stop says that", async () => {
  const bench = await makeBench();
  await bench.receive(text("/stop"));
  await ends(bench, 1);
  expect(bench.texts()).toEqual(["There is nothing to stop."]);
});

test("stop also ends a run that somebody else started in this session", async () => {
  const bench = await makeBench({ script: gate("never").script });
  const { agents } = bench.house;
  const caller = { principal: "shared", owner: true, sender: "cli" };
  const admitted = await agents.chat({ sessionKey: "main", message: "hi", idempotencyKey: "k" }, caller);
  if (!("run" in admitted)) throw new Error("the run is over");
  agents.runs.begin(admitted.run);
  await until(() => bench.state.requests.length === 1);
  await bench.receive(text("abort"));
  await ends(bench, 1);
  expect(bench.texts()).toEqual(["⚙️ Agent was aborted."]);
  expect(agents.activeRuns()).toEqual([]);
});

test("stop reaches messages that wait to be joined", async () => {
  const bench = await makeBench({ access: { debounceMs: 2_000 } });
  await bench.receive(text("one"), text("two"));
  await settle();
  await bench.receive(text("stop"));
  await ends(bench, 1);
  await bench.pass(10_000);
  expect(bench.states()).toEqual(["dropped stopped", "dropped stopped", "answered"]);
  expect(bench.state.requests).toEqual([]);
});

test("a stranger's stop stops nothing", async () => {
  const bench = await makeBench({ script: gate("never").script });
  await bench.receive(text("work"));
  await until(() => bench.state.requests.length === 1);
  await bench.receive(text("stop", { sender: { id: "eve" } }));
  await settle();
  expect(bench.house.agents.activeRuns()).toHaveLength(1);
});

test("in a group /stop of an allowed sender needs no mention, a bare word does", async () => {
  const bench = await makeBench({ script: gate("never").script });
  await bench.receive(inGroup("work", { mentions: { self: true, others: false } }));
  await until(() => bench.state.requests.length === 1);
  await bench.receive(inGroup("wait"));
  await settle();
  expect(bench.house.agents.activeRuns()).toHaveLength(1);
  await bench.receive(inGroup("/stop"));
  await ends(bench, 1);
  expect(bench.house.agents.activeRuns()).toEqual([]);
});

test("commands of senders without the right are ignored in groups, and only words in direct chats", async () => {
  const bench = await makeBench({ access: { groupAllowFrom: ["ann"], commandsNeedOwner: true } });
  await bench.store.commit((tx) =>
    tx.run("INSERT INTO pairing_allow (channel, account_id, sender_id, added_at) VALUES ('fake', 'default', 'bob', 1)"),
  );
  await bench.receive(inGroup("/status", { sender: { id: "bob" } }), text("/status", { sender: { id: "bob" } }));
  await ends(bench, 1);
  await settle();
  expect(bench.states()).toEqual(["ignored command-not-allowed", "answered"]);
  expect(bench.texts()).toEqual(["ok"]);
  expect(bench.asked()[0]).toContain("] /status");
});

test("commands in groups are read behind our mention, and those of another bot are not ours", async () => {
  const bench = await makeBench();
  await bench.receive(inGroup("@bot /whoami", { mentions: { self: true, others: false } }));
  await ends(bench, 1);
  expect(bench.texts()[0]).toContain("You are fake:ann");
  await bench.receive(inGroup("/whoami@bot"));
  await ends(bench, 2);
  await bench.receive(inGroup("/whoami@otherbot"));
  await settle();
  expect(bench.sent).toHaveLength(2);
});

test("/new drops what waits for the old session, and its text is the first message of the new one", async () => {
  const held = gate("old");
  const bench = await makeBench({ script: held.script });
  await bench.receive(text("work"));
  await until(() => bench.state.requests.length === 1);
  const before = bench.house.sessions.get("agent:main:main")?.sessionId;
  await bench.receive(text("queued"));
  await settle();
  await bench.receive(text("/new fresh start"));
  await settle();
  bench.state.script = () => say("new");
  held.open();
  await ends(bench, 2);
  await settle();
  expect(bench.texts()).toEqual(["old", "new"]);
  expect(bench.states()).toEqual(["answered", "dropped reset", "answered"]);
  expect(bench.house.sessions.get("agent:main:main")?.sessionId).not.toBe(before);
  expect(bench.asked()).toHaveLength(1);
  expect(bench.asked()[0]).toMatch(/^\[Fake Ann .*\] fresh start/);
});

test("a reset word of the config begins a new session, too", async () => {
  const bench = await makeBench({ config: { session: { resetTriggers: ["/fresh"] } } });
  await bench.receive(text("hello"));
  await ends(bench, 1);
  await bench.receive(text("/Fresh begin"));
  await ends(bench, 2);
  expect(bench.asked()).toHaveLength(1);
  expect(bench.asked()[0]).toContain("] begin");
});

test("an inline directive is not read to the model, and holds for its message", async () => {
  const bench = await makeBench();
  await bench.receive(text("/think high what is 2+2"));
  await ends(bench, 1);
  expect(bench.state.requests[0]?.thinking).toBe("high");
  expect(bench.asked()[0]).toContain("] what is 2+2\n");
});

test("/queue changes how a session queues, shows it and goes back", async () => {
  const bench = await makeBench();
  for (const [command, reply] of [
    ["/queue", /^Queue: collect, quiet time 1000 ms/],
    ["/queue followup debounce:2s cap:5 drop:old", /followup, quiet time 2000 ms, at most 5 wait, drop old/],
    ["/queue nonsense", /no mode and no option/],
    ["/queue cap:0", /no number/],
    ["/queue debounce:soon", /no quiet time/],
    ["/queue default", /as the config says/],
  ] as const) {
    const n = bench.sent.length;
    await bench.receive(text(command));
    await ends(bench, n + 1);
    expect(bench.texts().at(-1)).toMatch(reply);
    await settle();
  }
  expect(bench.house.sessions.get("agent:main:main")?.queue).toBeUndefined();
});

test("/activation and /send belong to the owner", async () => {
  const bench = await makeBench({ access: { groupAllowFrom: ["ann", "bob"] } });
  const ask = async (message: ReturnType<typeof text>) => {
    const n = bench.sent.length;
    await bench.receive(message);
    await ends(bench, n + 1);
    await settle();
    return bench.texts().at(-1);
  };
  await ask(inGroup("hi", { mentions: { self: true, others: false } }));
  expect(await ask(inGroup("/activation always", { sender: { id: "bob" } }))).toContain("only for the owner");
  expect(await ask(inGroup("/activation always"))).toContain("Every message");
  expect(await ask(inGroup("nobody mentioned you"))).toBe("ok");
  expect(await ask(inGroup("/send off", { sender: { id: "bob" } }))).toContain("only for the owner");
  expect(await ask(text("/activation"))).toContain("is for groups");
});

test("a command that was stored and not handled is answered after a restart", async () => {
  const bench = await makeBench();
  await bench.storeOnly(text("/whoami"), text("/stop"));
  await bench.again();
  await ends(bench, 2);
  await settle();
  expect(bench.states()).toEqual(["answered", "answered"]);
});
