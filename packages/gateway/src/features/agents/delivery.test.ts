import { expect, test } from "vitest";
import { makeBench, fail, hang, say, settle, until } from "./agents.fixture.ts";
import type { ReplyRoute, RunEnd } from "./delivery.ts";

const route: ReplyRoute = { channel: "fake", accountId: "default", chatId: "ann", kind: "direct" };

/** A bench whose ends are recorded, and a message of a chat for it. */
function chatBench(options: Parameters<typeof makeBench>[0] = {}) {
  const ends: RunEnd[] = [];
  const bench = makeBench({ ...options, endings: { store: (_tx, end) => void ends.push(end) } });
  let written = 0;
  const submit = (text: string, runId = `channel:${++written}`) =>
    bench.agents.submit(
      bench.agents.fromChannel({
        runId,
        sessionKey: "agent:main:main",
        agentId: "main",
        seed: { channel: "fake" },
        parsed: bench.agents.parse(text),
        body: (said) => `<${said}>`,
        images: [],
        owner: false,
        sender: "fake:ann",
        route,
        write: (tx, runRowId) => {
          expect(tx.get("SELECT 1 FROM run WHERE id = ?", runRowId)).toBeDefined();
        },
      }),
    );
  return { bench, ends, submit };
}

test("the end of a chat's run is told in its commit, with the texts as the model wrote them", async () => {
  const { bench, ends, submit } = chatBench({ script: () => say("[[reply_to_current]] fine\nNO_REPLY") });
  const { ended } = await submit("hello");
  await ended;
  expect(ends).toMatchObject([
    {
      family: "channel",
      runId: "channel:1",
      state: "ok",
      started: true,
      command: false,
      route,
      texts: ["[[reply_to_current]] fine\nNO_REPLY"],
      sessionKey: "agent:main:main",
    },
  ]);
  expect(bench.state.requests[0]?.messages).toMatchObject([
    { content: [{ text: expect.stringContaining("<hello>") }] },
  ]);
});

test("failures, stops and stops before the start are told, each once", async () => {
  const { bench, ends, submit } = chatBench({ script: () => fail("billing", "no credit") });
  await (
    await submit("one")
  ).ended;
  bench.state.script = hang("partial");
  const second = await submit("two");
  const third = await submit("three");
  await until(() => bench.state.requests.length === 2);
  await bench.abort({ sessionKey: "main" });
  await Promise.all([second.ended, third.ended]);
  expect(ends.map(({ state, started, reason }) => [state, started, reason])).toEqual([
    ["error", true, undefined],
    ["aborted", true, "rpc"],
    ["aborted", false, "rpc"],
  ]);
  expect(ends[0]?.error).toContain("no credit");
});

test("a command of a chat is answered beside the lane, and its text is told", async () => {
  const { ends, submit } = chatBench();
  await (
    await submit("/whoami")
  ).ended;
  expect(ends[0]).toMatchObject({ state: "ok", command: true, texts: [expect.stringContaining("fake:ann")] });
});

test("a run of a chat may not do what an operator's may: its origin and owner are stored", async () => {
  const { bench, submit } = chatBench({ script: hang() });
  await submit("hello");
  await until(() => bench.state.requests.length === 1);
  expect(bench.row("channel", "channel:1")?.request).toMatchObject({ origin: "channel", owner: false, route });
  await bench.abort({ sessionKey: "main" });
});

test("a stop of the gateway leaves a chat's run open where it did nothing yet, and ends an operator's", async () => {
  const { bench, ends, submit } = chatBench({ script: hang("x") });
  await submit("hello");
  await bench.chat("hi", "op", { sessionKey: "other" });
  await until(() => bench.state.requests.length === 2);
  await bench.agents.stop(500);
  await settle();
  expect(bench.row("channel", "channel:1")).toMatchObject({ state: "accepted", attempts: 1 });
  expect(bench.row("chat", "op")).toMatchObject({ state: "aborted" });
  expect(ends.map(({ family }) => family)).toEqual(["chat"]);
});

test("a listener hears when a session has nothing left to run", async () => {
  const { bench, submit } = chatBench();
  const idle: string[] = [];
  const forget = bench.agents.runs.onIdle((key) => idle.push(key));
  const [one, two] = [await submit("one"), await submit("two")];
  expect(bench.agents.isBusy("agent:main:main")).toBe(true);
  await Promise.all([one.ended, two.ended]);
  expect(idle).toEqual(["agent:main:main"]);
  forget();
  await (
    await submit("three")
  ).ended;
  expect(idle).toHaveLength(1);
});

test("a chat's limit shows the model only the newest turns", async () => {
  const { bench } = chatBench();
  for (const text of ["one", "two", "three"]) {
    const { ended } = await bench.agents.submit(
      bench.agents.fromChannel({
        runId: `channel:${text}`,
        sessionKey: "agent:main:main",
        agentId: "main",
        seed: {},
        parsed: { text },
        body: (said) => said,
        images: [],
        owner: false,
        sender: "fake:ann",
        route,
        historyTurns: 2,
        write: () => {},
      }),
    );
    await ended;
  }
  const roles = bench.state.requests.at(-1)?.messages.map(({ role }) => role);
  expect(roles).toEqual(["user", "assistant", "user"]);
});
