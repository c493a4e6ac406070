/** Ids of rows only grow, also after everything was forgotten: what is kept in memory says "seen up to here". */
import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { silentLogger } from "../../../kernel/log.ts";
import { Inbox, inboxLimits } from "./inbox.ts";
import { inboundMessage, memoryStore, request, running, settle } from "./ledger.fixture.ts";
import { outboxLimits } from "./outbox.ts";

test("a message after a quiet day leaves, although all rows before it are gone", async () => {
  const { account, insert, pass, states, store } = await running();
  await insert(request(["one", "two"]));
  await settle();
  await pass(outboxLimits.keepMs + 2 * outboxLimits.sweepEveryMs, outboxLimits.sweepEveryMs);
  expect(store.all("SELECT id FROM outbox")).toHaveLength(1);
  await insert(request("three"));
  await settle();
  expect(account.sent.map(({ text }) => text)).toEqual(["one", "two", "three"]);
  expect(states().at(-1)).toBe("sent");
});

test("an id of the inbox is never given twice, although all rows were swept", async () => {
  const world = fakeWorld();
  const store = memoryStore(world);
  const inbox = new Inbox({ store, world, log: silentLogger });
  const batch = (id: string) => ({ ownId: "me", messages: [inboundMessage(id)] });
  const [first] = await inbox.receive("fake", "default", batch("a"));
  await store.commit((tx) => inbox.move(tx, first?.id ?? 0, "ignored"));
  world.clock.shiftWall(inboxLimits.keepMs + 1_000);
  await inbox.sweep();
  const [second] = await inbox.receive("fake", "default", batch("b"));
  expect(second?.id).toBeGreaterThan(first?.id ?? 0);
});
