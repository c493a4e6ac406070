/** Who may write, through the whole pipeline (channels.md §2): what a message that is not let in leaves behind, the order of the
 *  rules, the life of a pairing code, and whom a message in a group is meant for. */
import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { createLogger, type Line } from "../../kernel/log.ts";
import type { AccessSettings } from "./channel.ts";
import type { InboundMessage } from "./inbound.ts";
import { type Bench, inGroup, makeBench, settle, settingsOf, text, until } from "./pipeline/pipeline.fixture.ts";

const mentioned = { mentions: { self: true, others: false } };
const by = (id: string) => ({ sender: { id } });
const loud = { messages: { ackReaction: "👀", ackReactionScope: "all" } };

async function judged(bench: Bench, message: InboundMessage): Promise<string | undefined> {
  await bench.receive(message);
  await until(() => !["stored", "command", "waiting"].includes(bench.states().at(-1) ?? "stored"));
  return bench.states().at(-1);
}

test.each<[string, Partial<AccessSettings>, InboundMessage, string]>([
  ["a stranger where only the list counts", { dmPolicy: "allowlist" }, text("psst", by("eve")), "dm-not-allowed"],
  ["direct messages that are off", { dmPolicy: "disabled" }, text("psst"), "dm-disabled"],
  ["groups that are off", { groupPolicy: "disabled" }, inGroup("psst", mentioned), "group-disabled"],
  ["a group that is not named", { groups: { g2: {} } }, inGroup("psst", mentioned), "group-not-listed"],
  ["a group that is off", { groups: { g1: { enabled: false } } }, inGroup("psst", mentioned), "group-off"],
  [
    "a sender who is not named",
    { groupPolicy: "allowlist" },
    inGroup("psst", { ...mentioned, ...by("eve") }),
    "group-sender-not-allowed",
  ],
])("%s: no turn, no answer, no context, no receipt, no typing, no reaction", async (_what, access, message, reason) => {
  const bench = await makeBench({ access, config: loud });
  expect(await judged(bench, { ...message, receipt: "r1" })).toBe(`ignored ${reason}`);
  await bench.pass(60_000);
  expect(bench.state.requests).toEqual([]);
  expect(bench.sent).toEqual([]);
  expect(bench.shown).toEqual([]);
  bench.settings.current = settingsOf({ groupPolicy: "open" });
  await bench.receive(inGroup("and now?", mentioned), text("and now?"));
  await bench.finish();
  expect(JSON.stringify(bench.state.requests)).toContain("and now?");
  expect(JSON.stringify(bench.state.requests)).not.toContain("psst");
});

test("policy, group, sender, mention: the first rule that fails is the reason", async () => {
  const bench = await makeBench();
  const message = () => inGroup("hello", by("eve"));
  const reasonUnder = async (access: Partial<AccessSettings>) => {
    bench.settings.current = settingsOf(access);
    return judged(bench, message());
  };
  const other = { groups: { g2: {} } };
  const own = { groups: { g1: {} } };
  expect(await reasonUnder({ groupPolicy: "disabled", ...other })).toBe("ignored group-disabled");
  expect(await reasonUnder({ groupPolicy: "allowlist", ...other })).toBe("ignored group-not-listed");
  expect(await reasonUnder({ groupPolicy: "allowlist", ...own })).toBe("ignored group-sender-not-allowed");
  expect(await reasonUnder({ groupPolicy: "allowlist", groupAllowFrom: ["eve"], ...own })).toBe(
    "ignored not-mentioned",
  );
  expect(bench.state.requests).toEqual([]);
});

test("a code lives for an hour from the first message; a repeat only says when it was seen last", async () => {
  const bench = await makeBench();
  await bench.receive(text("hello", by("eve")));
  await until(() => bench.sent.length === 1);
  const [first] = bench.house.pairing.list();
  expect(first).toMatchObject({ createdAt: bench.world.now(), lastSeenAt: bench.world.now() });
  await bench.pass(59 * 60_000);
  await bench.receive(text("hello?", by("eve")));
  await settle();
  const [again] = bench.house.pairing.list();
  expect(again).toEqual({ ...first, lastSeenAt: (first?.createdAt ?? 0) + 59 * 60_000 });
  expect(bench.sent).toHaveLength(1);
  await bench.pass(59_000);
  const approved = await bench.house.pairing.approve({ channel: "fake", code: first?.code ?? "" });
  expect(approved).toMatchObject({ id: "eve" });
});

test("a code is random, and another one as long as somebody waits with it", async () => {
  const drawn = [0, 0, 0, 33].map((byte) => Buffer.alloc(8, byte));
  const { randomBytes } = fakeWorld();
  const world = fakeWorld({ randomBytes: (size) => (size === 8 && drawn.shift()) || randomBytes(size) });
  const bench = await makeBench({ world });
  await bench.receive(text("hello", by("eve")), text("hello", by("bob")));
  await until(() => bench.sent.length === 2);
  expect(bench.house.pairing.list().map(({ code }) => code)).toEqual(["AAAAAAAA", "BBBBBBBB"]);
  expect(drawn).toEqual([]);
});

test("requests, codes, their limit and approvals belong to one account", async () => {
  const bench = await makeBench();
  const { pairing } = bench.house;
  const ask = (accountId: string, id: string) =>
    bench.store.commit((tx) => {
      const sender = { id, name: `Name of ${id}`, username: `user-${id}` };
      return pairing.request(tx, "fake", accountId, text("hi", { sender }), { silent: false });
    });
  for (const id of ["eve", "bob", "cid"]) expect(await ask("default", id)).toBe(true);
  expect(await ask("default", "dan")).toBe(false);
  expect(await ask("work", "eve")).toBe(true);
  const [request] = pairing.list({ accountId: "work" });
  expect(request?.meta).toEqual({ name: "Name of eve", username: "user-eve", accountId: "work" });
  const code = request?.code ?? "";
  await expect(pairing.approve({ channel: "fake", code, accountId: "default" })).rejects.toThrow("pairing request");
  expect(await pairing.approve({ channel: "fake", code, accountId: "work" })).toMatchObject({ accountId: "work" });
  expect(pairing.isAllowed("fake", "work", "eve")).toBe(true);
  expect(pairing.isAllowed("fake", "default", "eve")).toBe(false);
  expect(pairing.list({ accountId: "default" })).toHaveLength(3);
});

test.each<[string, Partial<InboundMessage>, Record<string, unknown>, boolean]>([
  [
    "the agent's emoji",
    { text: "good morning 🦞" },
    { agents: { list: [{ id: "main", identity: { emoji: "🦞" } }] } },
    true,
  ],
  [
    "a name with invisible characters in it",
    { text: "hey cl\u200ba\u2060w, look" },
    { messages: { groupChat: { mentionPatterns: ["\\bclaw\\b"] } } },
    true,
  ],
  ["a command nobody else is mentioned in", { text: "/whoami" }, {}, true],
  ["a command for somebody who is mentioned", { text: "/whoami", mentions: { self: false, others: true } }, {}, false],
])("without a mention in a group, %s", async (_what, more, config, answered) => {
  const bench = await makeBench({ config });
  expect(await judged(bench, inGroup("hello", more))).toBe(answered ? "answered" : "ignored not-mentioned");
});

test("where commands are the owner's and nobody is listed, those of a paired person are only words", async () => {
  const bench = await makeBench({ access: { commandsNeedOwner: true, allowFrom: [] } });
  await bench.receive(text("hello", by("bob")));
  await until(() => bench.house.pairing.list().length === 1);
  const [request] = bench.house.pairing.list();
  await bench.house.pairing.approve({ channel: "fake", code: request?.code ?? "" });
  await bench.receive(text("/status", by("bob")));
  await until(() => bench.sent.length === 2);
  expect(bench.texts()[1]).toBe("ok");
  expect(bench.asked()[0]).toContain("] /status");
});

test("a pattern that is none is left out with a warning, and the others count", async () => {
  const lines: Line[] = [];
  const log = createLogger({ subsystem: "t", sinks: [(line) => void lines.push(line)], now: () => 0 });
  const config = { messages: { groupChat: { mentionPatterns: ["(claw", "lobster"] } } };
  const bench = await makeBench({ config, log });
  expect(await judged(bench, inGroup("dear lobster"))).toBe("answered");
  expect(await judged(bench, inGroup("(claw"))).toBe("ignored not-mentioned");
  expect(lines.filter(({ message }) => message.includes("mention pattern"))).toMatchObject([
    { level: "warn", fields: { pattern: "(claw" } },
  ]);
});
