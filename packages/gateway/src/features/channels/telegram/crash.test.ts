/** Deaths between the steps of receiving, judged by the platform's own ledger (R-IN-1, C1, C2): the account is abandoned as a
 *  killed process would leave it, and a new one starts on the same store. */
import { expect, test } from "vitest";
import { silentLogger } from "../../../kernel/log.ts";
import { openStore } from "../../../store/index.ts";
import { channelMigrations } from "../channels.store.ts";
import { Inbox } from "../ledger/index.ts";
import { type Rig, withAccount } from "./account.fixture.ts";

const died = new Error("killed here");

/** An inbox on the rig's store that dies at `point`, `times` times. */
function inboxOf(rig: Rig, store: ReturnType<typeof openStore>, point: string, times: number) {
  let left = times;
  const mark = (name: string) => {
    if (name === point && left-- > 0) throw died;
  };
  const inbox = new Inbox({ store, world: { ...rig.world, mark }, log: silentLogger });
  const turns: number[] = [];
  rig.onReceive = async (batch) => {
    for (const row of await inbox.receive("telegram", "default", batch)) turns.push(row.id);
    if (point === "after-receive" && left-- > 0) throw died;
  };
  Object.defineProperty(rig, "cursor", {
    get: () => inbox.cursor("telegram", "default", String(rig.fake.bot.id)),
    set: () => {},
  });
  return inbox;
}

test.each([
  ["inbound.before-commit", 2],
  ["inbound.after-commit", 1],
  ["after-receive", 1],
] as const)("killed at %s, with three updates in work: none lost, none stored twice", (point, deaths) =>
  withAccount(async (rig) => {
    const { fake } = rig;
    const store = openStore({ path: ":memory:", migrations: channelMigrations, world: rig.world, log: silentLogger });
    try {
      const inbox = inboxOf(rig, store, point, deaths);
      for (const text of ["one", "two", "three"]) fake.chats.message(fake.bot, 42, { text });
      for (let attempt = 0; attempt < deaths; attempt++) {
        const end = await rig.connect().end;
        expect(end).toMatchObject({ kind: "retry", message: "killed here" });
      }
      const { end, stop } = rig.connect();
      await fake.until(() => fake.bot.ledger.every((fate) => fate.confirmed));
      fake.chats.message(fake.bot, 42, { text: "four" });
      await fake.until(() => fake.bot.ledger.every((fate) => fate.confirmed));
      stop.abort();
      await end;
      expect(inbox.open(0).map(({ message }) => message.text)).toEqual(["one", "two", "three", "four"]);
    } finally {
      store.close();
    }
  }),
);

test("another bot begins its own sequence: nothing of it is skipped", () =>
  withAccount(async (rig) => {
    const { fake } = rig;
    const store = openStore({ path: ":memory:", migrations: channelMigrations, world: rig.world, log: silentLogger });
    try {
      const inbox = inboxOf(rig, store, "", 0);
      fake.chats.message(fake.bot, 42, { text: "to the first" });
      const first = rig.connect();
      await fake.until(() => fake.bot.ledger.every((fate) => fate.confirmed));
      first.stop.abort();
      await first.end;
      const other = fake.addBot({ token: "200:other-token-BBBBBBBBBBBBBBBBBBBB", id: 200, username: "other_bot" });
      other.nextUpdateId = 3;
      fake.chats.message(other, 42, { text: "to the second" });
      rig.config["botToken"] = other.token;
      Object.defineProperty(rig, "cursor", { get: () => inbox.cursor("telegram", "default", "200"), set: () => {} });
      const second = rig.connect();
      await fake.until(() => other.ledger.every((fate) => fate.confirmed));
      second.stop.abort();
      await second.end;
      expect(inbox.open(0).map(({ ownId, message }) => [ownId, message.text])).toEqual([
        [String(fake.bot.id), "to the first"],
        ["200", "to the second"],
      ]);
    } finally {
      store.close();
    }
  }));
