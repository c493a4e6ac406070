/** The judge of the channel soak must find what it looks for. */
import { expect, test } from "vitest";
import { answerOf, type Numbered } from "./channels-crowd.ts";
import { type Evidence, judge } from "./channels-judge.ts";
import type { OutboxFact, Tables } from "./channels-tables.ts";

/** Three messages of one chat, the last of them silent; all went well. */
function goodLife() {
  const message = (n: number, silent = false): Numbered => ({ n, platform: "telegram", chat: "7", silent });
  const send = (n: number): OutboxFact => ({
    platform: "telegram",
    chat: "7",
    kind: "reply",
    state: "sent",
    run: n,
    text: answerOf(n),
  });
  const said = [1, 2].map((n) => ({ chat: "7", id: `id-${n}`, text: answerOf(n), at: n }));
  const outbox = [send(1), send(2)];
  const inboundRow = (n: number, state: string) => [{ id: n, platform: "telegram", state, run: n }];
  const tables: Tables = {
    inbound: new Map([
      [1, inboundRow(1, "answered")],
      [2, inboundRow(2, "answered")],
      [3, inboundRow(3, "silent")],
    ]),
    strays: 0,
    outbox,
    answers: new Map([1, 2].map((n) => [n, outbox.filter(({ run }) => run === n)])),
    runs: new Map([1, 2, 3].map((n) => [n, { state: "ok", attempts: 1 }])),
    integrity: "ok",
  };
  const acknowledged = new Set([1, 2, 3]);
  const evidence: Evidence = {
    messages: new Map([message(1), message(2), message(3, true)].map((one) => [one.n, one])),
    ledgers: new Map([["telegram", { acknowledged, said, violations: [] }]]),
    asked: [1, 2, 3].map((n) => ({ n, life: 0, times: 1 })),
    odd: [],
    tables,
    deaths: [],
    inFlight: new Map(),
    storeWithinMs: 1_000,
  };
  return { evidence, said, outbox, acknowledged, tables };
}

test("nothing is found where nothing is wrong", () => {
  expect(judge(goodLife().evidence)).toEqual([]);
});

test("a message that was acknowledged and never became a turn is lost", () => {
  const { evidence, tables } = goodLife();
  tables.inbound.delete(3);
  const found = judge({ ...evidence, asked: evidence.asked.filter(({ n }) => n !== 3) });
  expect(found).toEqual(["telegram #3: acknowledged, never a turn", "telegram #3: stored 0 times"]);
});

test("a message that stays on the platform is found", () => {
  const { evidence, acknowledged } = goodLife();
  acknowledged.delete(2);
  expect(judge(evidence)).toEqual(["telegram #2: never acknowledged"]);
});

test("two turns are two, in one process or in one transcript; a turn begun again by another process is one", () => {
  const { evidence } = goodLife();
  const again = (life: number, times = 1) => judge({ ...evidence, asked: [...evidence.asked, { n: 3, life, times }] });
  expect(again(0)).toEqual(["telegram #3: asked twice by one process (2 requests)"]);
  expect(again(1)).toEqual([]);
  expect(again(1, 2)).toEqual(["telegram #3: 2 times in its transcript"]);
});

test("a second delivery and a missing one are found, also when the tables say all is well", () => {
  const { evidence, said } = goodLife();
  said.push({ chat: "7", id: "id-9", text: answerOf(2), at: 9 });
  expect(judge(evidence)).toEqual(["telegram #2: answered twice (ids id-2, id-9)"]);
  said.splice(1);
  expect(judge(evidence)).toEqual(["telegram #2: no answer (row sent)"]);
});

test("the fate of a send may be unknown only if it was on its way at a kill", () => {
  const { evidence, outbox } = goodLife();
  const send = outbox[1];
  if (send) send.state = "unknown";
  expect(judge(evidence)).toContain("telegram: 1 sends of unknown fate, 0 were on their way at the kills");
  const cutOff = { ...evidence, inFlight: new Map([["telegram", 1]]) };
  expect(judge({ ...cutOff, deaths: [{ at: 20, lagMs: 0 }] })).toEqual([]);
  expect(judge({ ...cutOff, deaths: [{ at: 5_000, lagMs: 500 }] })).toEqual([]);
  expect(judge({ ...cutOff, deaths: [{ at: 5_000, lagMs: 100 }] })).toEqual([
    `telegram: "${answerOf(2)}" arrived long before a kill, and its fate is unknown`,
  ]);
});

test("turns and answers of a chat must be in the order of its messages", () => {
  const { evidence, said } = goodLife();
  said.reverse();
  expect(judge(evidence)).toEqual(["telegram 7: #1 answered after #2"]);
  const { evidence: other } = goodLife();
  const found = judge({ ...other, asked: other.asked.toReversed() });
  expect(found).toHaveLength(2);
  expect(found[0]).toMatch(/^telegram 7: #2 \(row 2, processes 0\) was asked after #3/u);
});
