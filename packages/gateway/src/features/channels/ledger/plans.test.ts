import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { silentLogger } from "../../../kernel/log.ts";
import type { Store } from "../../../store/index.ts";
import { Inbox } from "./inbox.ts";
import { inboundMessage, memoryStore, outboxBench, request, settle } from "./ledger.fixture.ts";

/** A store that writes down the statements it is asked. */
function recorded(store: Store): { store: Store; statements: Set<string> } {
  const statements = new Set<string>();
  const note = (sql: string) => {
    statements.add(sql);
    return sql;
  };
  return {
    statements,
    store: {
      path: store.path,
      get: (sql, ...params) => store.get(note(sql), ...params),
      all: (sql, ...params) => store.all(note(sql), ...params),
      check: () => store.check(),
      close: () => store.close(),
      commit: (unit) =>
        store.commit((tx) =>
          unit({
            get: (sql, ...params) => tx.get(note(sql), ...params),
            all: (sql, ...params) => tx.all(note(sql), ...params),
            run: (sql, ...params) => tx.run(note(sql), ...params),
            afterCommit: (run) => tx.afterCommit(run),
          }),
        ),
    },
  };
}

test("every statement of the ledger uses an index (R-DB-5)", async () => {
  const world = fakeWorld();
  const disk = memoryStore(world);
  const { store, statements } = recorded(disk);
  const { outbox, next, account, insert } = outboxBench({ world, store });
  await insert(request("left over"));
  await insert(request("cut off", { chatId: "bob" }));
  await store.commit((tx) => tx.run("UPDATE outbox SET state = 'attempting' WHERE id = 2"));
  await next().start();
  const fails = { state: "failed", reason: "blocked", detail: "blocked" } as const;
  account.answer = ({ target }) => (target.chatId === "cat" ? fails : { state: "sent", messageId: "" });
  await insert(request(["one", "two"], { chatId: "cat", sessionKey: "s" }));
  await settle();
  outbox.confirmed("fake", "default", "C1", "M1");
  outbox.sentPart("fake", "default", "ann", "M1");
  outbox.backlog();
  outbox.backlog("fake");
  outbox.backlog("fake", "default");
  await settle();

  const inbox = new Inbox({ store, world, log: silentLogger });
  await inbox.receive("fake", "default", { ownId: "me", messages: [inboundMessage("1")], cursor: "1" });
  inbox.open(0);
  inbox.byRun(1);
  inbox.cursor("fake", "default", "you");
  inbox.counts("fake", "default");
  await store.commit((tx) => {
    inbox.move(tx, 1, "waiting", { runRowId: 1 });
    inbox.endRun(tx, 1, "answered");
  });
  await inbox.sweep();

  statements.delete("UPDATE outbox SET state = 'attempting' WHERE id = 2");
  expect(statements.size).toBeGreaterThan(25);
  const bad: string[] = [];
  for (const sql of statements) {
    const parameters = Array.from({ length: (sql.match(/\?(?!\d)/g) ?? []).length }, () => 0);
    const numbered = sql.includes("?1") ? ["", "", 0] : [];
    const plan = disk.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...parameters, ...numbered);
    for (const { detail } of plan)
      if ((detail.startsWith("SCAN ") && !/subquery|COVERING INDEX/.test(detail)) || detail.includes("TEMP B-TREE"))
        bad.push(`${detail}: ${sql}`);
  }
  expect(bad).toEqual([]);
});
