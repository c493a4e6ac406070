import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { silentLogger } from "../../../kernel/log.ts";
import type { InboundState } from "../inbound.ts";
import { inboundPhases, inboundTransitions, type InboundPhase } from "./inbound-state.ts";
import { Inbox } from "./inbox.ts";
import { inboundMessage, memoryStore, outboxBench, request } from "./ledger.fixture.ts";
import { outboxStates, outboxTransitions } from "./outbox-state.ts";
import { OutboxTable } from "./outbox.store.ts";

const outboxPairs = outboxStates.flatMap((from) => outboxStates.map((to) => [from, to] as const));

test("the outbox has the moves of the specification and no others", () => {
  const listed = outboxPairs
    .filter(([from, to]) => outboxTransitions[from].includes(to))
    .map((pair) => pair.join(" → "));
  expect(listed).toEqual([
    "queued → attempting",
    "queued → failed",
    "attempting → queued",
    "attempting → sent",
    "attempting → failed",
    "attempting → unknown",
    "unknown → sent",
    "unknown → failed",
  ]);
});

test.each(outboxPairs)("an outbox row in %s moves to %s only if that is listed", async (from, to) => {
  const { store, insert, states } = outboxBench();
  await insert(request("hello"));
  const table = new OutboxTable(store, silentLogger);
  await store.commit((tx) => tx.run("UPDATE outbox SET state = ?", from));
  const before = store.get("SELECT * FROM outbox");
  const moved = await store.commit((tx) => table.move(tx, 1, to, 5, { reason: "r", attempts: 2 }));
  if (outboxTransitions[from].includes(to)) {
    expect(moved?.state).toBe(to);
    expect(states()).toEqual([to]);
    expect(table.refused).toBe(0);
  } else {
    expect(moved).toBeUndefined();
    expect(store.get("SELECT * FROM outbox")).toEqual(before);
    expect(table.refused).toBe(1);
  }
});

const inboundPairs = inboundPhases.flatMap((from) => inboundPhases.map((to) => [from, to] as const));
/** Changes that stand for two listed moves, or for none. */
const composed = ["stored → stored", "stored → running", "running → running", "waiting → waiting", "command → command"];

test("the inbox has the moves of the specification and no others", () => {
  const listed = inboundPairs
    .filter(([from, to]) => inboundTransitions[from].includes(to))
    .map((pair) => pair.join(" → "));
  expect(listed).toEqual([
    "stored → ignored",
    "stored → command",
    "stored → waiting",
    "command → answered",
    "command → silent",
    "waiting → running",
    "waiting → dropped",
    "running → waiting",
    "running → answered",
    "running → silent",
    "running → noticed",
    "running → dropped",
    "running → quarantined",
  ]);
});

test.each(inboundPairs)("an inbound row in %s moves to %s only if that is listed", async (from, to) => {
  const world = fakeWorld();
  const store = memoryStore(world);
  const inbox = new Inbox({ store, world, log: silentLogger });
  await inbox.receive("fake", "default", { ownId: "me", messages: [inboundMessage("1")] });
  const [state, run] = columnsOf(from);
  await store.commit((tx) => tx.run("UPDATE inbound SET state = ?, run_row_id = ?", state, run));
  const before = store.get("SELECT * FROM inbound");
  const [wanted, runRowId] = columnsOf(to);
  const changed = await store.commit((tx) => inbox.move(tx, 1, wanted, { runRowId, reason: "r" }));
  if (inboundTransitions[from].includes(to) || composed.includes(`${from} → ${to}`)) {
    expect(changed).toBe(true);
    expect(store.get("SELECT state, run_row_id AS run FROM inbound")).toEqual({ state: wanted, run: runRowId });
    expect(inbox.refused).toBe(0);
  } else {
    expect(changed).toBe(false);
    expect(store.get("SELECT * FROM inbound")).toEqual(before);
    expect(inbox.refused).toBe(1);
  }
});

/** State and run of a row in this phase. */
const columnsOf = (phase: InboundPhase): [InboundState, number | null] =>
  phase === "running" ? ["waiting", 7] : [phase, null];
