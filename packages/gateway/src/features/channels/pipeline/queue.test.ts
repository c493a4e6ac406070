import { expect, test } from "vitest";
import { type Tool, textResult, tool } from "../../tools/index.ts";
import { Type } from "typebox";
import { type Bench, callTool, gate, inTurn, makeBench, say, settle, text, until } from "./pipeline.fixture.ts";

const queue = (more: Record<string, unknown>) => ({ messages: { queue: more } });

/** A bench whose first run waits; `free` lets it end. */
async function busy(config: Record<string, unknown>, more: Parameters<typeof makeBench>[0] = {}) {
  const held = gate("first");
  let later = 0;
  const bench = await makeBench({ config, script: inTurn(held.script, () => say(`later ${++later}`)), ...more });
  await bench.receive(text("begin"));
  await until(() => bench.state.requests.length === 1);
  return { bench, free: held.open };
}

const last = (bench: Bench): string => bench.asked().at(-1) ?? "";

test("collect: what waits becomes one turn after the quiet time, each message in it once", async () => {
  const { bench, free } = await busy(queue({ mode: "collect" }));
  await bench.receive(text("one"), text("two"));
  free();
  await until(() => bench.sent.length === 1);
  await bench.receive(text("three"));
  await settle();
  expect(bench.state.requests).toHaveLength(1);
  await bench.finish();
  expect(bench.state.requests).toHaveLength(2);
  expect(last(bench)).toMatch(/1\. .*one\n[\s\S]*2\. .*two\n[\s\S]*3\. .*three\n/);
  expect(bench.states()).toEqual(Array(4).fill("answered"));
  expect(bench.texts()).toEqual(["first", "later 1"]);
});

test("collect keeps messages of different chats apart, so that each is answered where it was asked", async () => {
  const { bench, free } = await busy(queue({ mode: "collect" }), { access: { allowFrom: ["ann", "bob"] } });
  await bench.receive(text("from ann"), text("from bob", { sender: { id: "bob" } }), text("ann again"));
  free();
  await bench.finish();
  expect(bench.sent.map(({ chatId, text: body }) => `${chatId} ${body}`)).toEqual([
    "ann first",
    "ann later 1",
    "bob later 2",
    "ann later 3",
  ]);
});

test("followup: each message is a turn of its own, in order", async () => {
  const { bench, free } = await busy(queue({ mode: "followup" }));
  await bench.receive(text("one"), text("two"));
  free();
  await bench.finish();
  expect(bench.texts()).toEqual(["first", "later 1", "later 2"]);
  expect(last(bench)).toContain("] two");
});

test("interrupt: the newest message ends the run and takes its place", async () => {
  const { bench, free } = await busy(queue({ mode: "interrupt" }));
  await bench.receive(text("newest"));
  await bench.finish();
  free();
  await settle();
  expect(bench.texts()).toEqual(["later 1"]);
  expect(bench.states()).toEqual(["silent stopped", "answered"]);
  expect(last(bench)).toContain("] newest");
});

test("interrupt: messages a newer one overtook end as superseded, and the run of the newest reads that they were there", async () => {
  const fetching = Promise.withResolvers<never>();
  const { bench, free } = await busy(queue({ mode: "interrupt" }), {
    account: { download: () => fetching.promise },
  });
  await bench.receive(text("with a file", { media: [{ kind: "document", ref: 1 }] }));
  await settle();
  await bench.receive(text("overtaken"), text("newest"));
  fetching.reject(new Error("gone"));
  await bench.finish();
  free();
  await settle();
  expect(bench.states().filter((state) => state === "dropped superseded").length).toBeGreaterThan(0);
  expect(bench.states()).not.toContain("waiting");
  expect(last(bench)).toContain("] newest");
  expect(last(bench)).toContain("[Messages that waited and were not answered: ");
  expect(last(bench)).toContain("- Ann overtaken");
  expect(bench.asked().join("\n") + JSON.stringify(bench.state.requests.at(-1))).toContain(
    "a newer one took its place",
  );
});

test("interrupt: a run of an operator is not cut off by a message of a chat", async () => {
  const held = gate("for the operator");
  const bench = await makeBench({
    config: queue({ mode: "interrupt" }),
    script: inTurn(held.script, () => say("for ann")),
  });
  const { agents } = bench.house;
  const caller = { principal: "shared", owner: true, sender: "cli" };
  const admitted = await agents.chat({ sessionKey: "main", message: "hi", idempotencyKey: "k" }, caller);
  if (!("run" in admitted)) throw new Error("the run is over");
  agents.runs.begin(admitted.run);
  await until(() => bench.state.requests.length === 1);
  await bench.receive(text("older"), text("newest"));
  await settle();
  held.open();
  expect((await admitted.run.ended.promise).outcome.payloads).toMatchObject([{ text: "for the operator" }]);
  await bench.finish();
  expect(bench.texts()).toEqual(["for ann"]);
  expect(bench.states()).toEqual(["dropped superseded", "answered"]);
});

const slowTool = (): { tool: Tool; done: () => void; started: Promise<void> } => {
  const finish = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  return {
    done: finish.resolve,
    started: started.promise,
    tool: tool({
      name: "slow",
      description: "Waits.",
      params: Type.Object({}),
      effects: false,
      run: async () => {
        started.resolve();
        await finish.promise;
        return textResult("done");
      },
    }),
  };
};

test("steer: a message that comes while tools run is read before the next model call, and answered with it", async () => {
  const slow = slowTool();
  const bench = await makeBench({
    config: queue({ mode: "steer" }),
    tools: [slow.tool],
    script: inTurn(
      () => callTool("slow"),
      () => say("both answered"),
    ),
  });
  await bench.receive(text("begin"));
  await slow.started;
  await bench.receive(text("and also this"));
  await settle();
  slow.done();
  await bench.finish();
  expect(bench.state.requests).toHaveLength(2);
  expect(last(bench)).toContain("] and also this");
  expect(bench.states()).toEqual(["answered", "answered"]);
  expect(bench.texts()).toEqual(["both answered"]);
});

test("steer: what the run ended without reading is the next turn", async () => {
  const { bench, free } = await busy(queue({ mode: "steer" }));
  await bench.receive(text("too late"));
  await settle();
  free();
  await bench.finish();
  expect(bench.texts()).toEqual(["first", "later 1"]);
  expect(last(bench)).toContain("] too late");
});

test("steer: a message of somebody with other rights or of another chat never joins the run", async () => {
  const slow = slowTool();
  const bench = await makeBench({
    config: queue({ mode: "steer" }),
    access: { allowFrom: ["ann", "bob"] },
    tools: [slow.tool],
    script: inTurn(
      () => callTool("slow"),
      () => say("for ann"),
      () => say("for bob"),
    ),
  });
  await bench.receive(text("begin"));
  await slow.started;
  await bench.receive(text("intruding", { sender: { id: "bob" } }));
  await settle();
  slow.done();
  await bench.finish();
  expect(bench.sent.map(({ chatId, text: body }) => `${chatId} ${body}`)).toEqual(["ann for ann", "bob for bob"]);
});

test("steer: a message whose file is still on its way is read with it, and those behind it wait for it", async () => {
  const slow = slowTool();
  const file = Promise.withResolvers<{ path: string; mimeType: string; sizeBytes: number }>();
  const bench = await makeBench({
    config: queue({ mode: "steer" }),
    account: { download: () => file.promise },
    tools: [slow.tool],
    script: inTurn(
      () => callTool("slow"),
      () => say("all answered"),
    ),
  });
  await bench.receive(text("begin"));
  await slow.started;
  await bench.receive(text("with a file", { media: [{ kind: "document", ref: 1 }] }), text("and a word"));
  await settle();
  file.resolve({ path: "/m/a.pdf", mimeType: "application/pdf", sizeBytes: 10 });
  await until(() => bench.house.agents.runs.lanes.of("agent:main:main")[0]?.steers.length === 2);
  slow.done();
  await bench.finish();
  const asked = bench.asked().slice(1);
  expect(asked[0]).toMatch(/with a file\n\[media attached: \/m\/a\.pdf/);
  expect(asked[1]).toContain("and a word");
  expect(bench.texts()).toEqual(["all answered"]);
});

test("a steered message and its run survive a crash together", async () => {
  const slow = slowTool();
  const bench = await makeBench({
    config: queue({ mode: "steer" }),
    tools: [slow.tool],
    script: inTurn(() => callTool("slow"), gate("never").script),
  });
  await bench.receive(text("begin"));
  await slow.started;
  await bench.receive(text("and also this"));
  await settle();
  slow.done();
  await until(() => bench.state.requests.length === 2);
  bench.state.script = () => say("after the crash");
  await bench.again();
  await bench.finish();
  expect(bench.states()).toEqual(["answered", "answered"]);
  expect(bench.texts()).toEqual(["after the crash"]);
  expect(bench.asked().join("\n")).toContain("] and also this");
});

test("a stop takes a message away that the run was to read, and nothing begins afterwards", async () => {
  const slow = slowTool();
  const bench = await makeBench({
    config: queue({ mode: "steer" }),
    tools: [slow.tool],
    script: inTurn(
      () => callTool("slow"),
      () => say("no"),
    ),
  });
  await bench.receive(text("begin"));
  await slow.started;
  await bench.receive(text("and also this"));
  await settle();
  await bench.receive(text("stop"));
  await bench.finish();
  slow.done();
  await bench.pass(10_000);
  expect(bench.texts()).toEqual(["⚙️ Agent was aborted. 1 waiting message(s) were dropped."]);
  expect(bench.states()).toEqual(["silent stopped", "dropped stopped", "answered"]);
  expect(bench.state.requests).toHaveLength(1);
});

test("a stop from elsewhere clears what waits, too", async () => {
  const { bench } = await busy(queue({ mode: "collect" }));
  await bench.receive(text("one"));
  await settle();
  await bench.house.agents.abort("agent:main:main", { reason: "rpc" });
  await bench.pass(10_000);
  expect(bench.states()).toEqual(["silent stopped", "dropped stopped"]);
  expect(bench.state.requests).toHaveLength(1);
});

test.each([
  ["summarize", ["dropped queue-full", "answered", "answered"], true],
  ["old", ["dropped queue-full", "answered", "answered"], false],
  ["new", ["answered", "answered", "dropped queue-full"], false],
] as const)("beyond the cap, drop %s decides who goes, and the session is told", async (drop, states, previewed) => {
  const { bench, free } = await busy(queue({ cap: 2, drop }));
  await bench.receive(text("one"), text("two"), text("three"));
  await settle();
  free();
  await bench.finish();
  expect(bench.states()).toEqual(["answered", ...states]);
  expect(last(bench).includes("- Ann one")).toBe(previewed);
  expect(bench.asked().join("\n")).toContain("1 message that waited for this session was dropped");
});

test("/queue of the session and the channel's setting go before the general one", async () => {
  const { bench, free } = await busy(queue({ mode: "collect", byChannel: { fake: "followup" } }));
  await bench.receive(text("one"), text("two"));
  free();
  await bench.finish();
  expect(bench.sent).toHaveLength(3);
  await bench.receive(text("/queue collect debounce:0"));
  await bench.finish();
  const held = gate("held");
  bench.state.script = held.script;
  await bench.receive(text("begin"));
  await until(() => bench.house.agents.activeRuns().length === 1);
  await bench.receive(text("three"), text("four"));
  await settle();
  bench.state.script = () => say("collected");
  held.open();
  await bench.finish();
  expect(last(bench)).toMatch(/1\. .*three\n[\s\S]*2\. .*four\n/);
});

test("a message waits for a run that somebody else started in its session", async () => {
  const held = gate("for the operator");
  const bench = await makeBench({ script: inTurn(held.script, () => say("for ann")) });
  const { agents } = bench.house;
  const caller = { principal: "shared", owner: true, sender: "cli" };
  const admitted = await agents.chat({ sessionKey: "main", message: "hi", idempotencyKey: "k" }, caller);
  if (!("run" in admitted)) throw new Error("the run is over");
  agents.runs.begin(admitted.run);
  await until(() => bench.state.requests.length === 1);
  await bench.receive(text("hello"));
  await settle();
  held.open();
  await bench.finish();
  expect(bench.texts()).toEqual(["for ann"]);
});

test("quick messages are joined where that is wanted; what cannot be joined sends them on first", async () => {
  const bench = await makeBench({ access: { debounceMs: 1_500 } });
  await bench.receive(text("one"), text("two"));
  await bench.pass(1_000);
  expect(bench.state.requests).toEqual([]);
  await bench.receive(text("look", { replyTo: { id: "x", toSelf: true } }));
  await bench.finish();
  expect(bench.states()).toEqual(["answered", "answered", "answered"]);
  expect(bench.asked()[0]).toContain("] one\ntwo\n");
  expect(bench.sent.map(({ replyToId }) => replyToId)).toHaveLength(2);
});

test("an album is one message with all files; a cut text is one text", async () => {
  const bench = await makeBench({
    account: {
      download: async (ref) => ({ path: `/m/${ref.fileName}`, mimeType: "application/pdf", sizeBytes: 10 }),
    },
  });
  const file = (fileName: string, body = "") =>
    text(body, {
      media: [{ kind: "document", fileName, ref: 1 }],
      join: { key: "album1", waitMs: 500, kind: "album" },
    });
  await bench.receive(file("a.pdf"), file("b.pdf", "two files"), file("c.pdf"));
  await bench.finish();
  expect(bench.state.requests).toHaveLength(1);
  expect(last(bench)).toMatch(
    /two files\n\[media attached: 1\/3 \/m\/a\.pdf \(application\/pdf\) a\.pdf\]\n.*2\/3 .*b\.pdf\]\n.*3\/3 .*c\.pdf\]/,
  );
  const join = { key: "p", waitMs: 1_500, kind: "paste" as const };
  await bench.receive(text("a".repeat(4_000), { join }), text("bc", { join }));
  await bench.finish();
  expect(last(bench)).toContain(`${"a".repeat(10)}bc\n`);
  expect(bench.states()).toEqual(Array(5).fill("answered"));
});

test("500 messages over 100 chats: every chat is answered in order, and nothing is left behind", async () => {
  const bench = await makeBench({
    access: { allowFrom: ["*"] },
    config: { session: { dmScope: "per-peer" }, messages: { queue: { mode: "followup" } } },
    script: (request) => say(/] (chat \d+ message \d+)/.exec(JSON.stringify(request.messages.at(-1)))?.[1] ?? "?"),
  });
  const messages = Array.from({ length: 500 }, (_, n) =>
    text(`chat ${n % 100} message ${Math.floor(n / 100)}`, { sender: { id: `user-${n % 100}` } }),
  );
  await bench.receive(...messages);
  await bench.finish();
  expect(new Set(bench.states())).toEqual(new Set(["answered"]));
  for (let chat = 0; chat < 100; chat++) {
    const texts = bench.sent.filter(({ chatId }) => chatId === `user-${chat}`).map(({ text: body }) => body);
    expect(texts).toEqual(Array.from({ length: 5 }, (_, n) => `chat ${chat} message ${n}`));
  }
}, 30_000);
