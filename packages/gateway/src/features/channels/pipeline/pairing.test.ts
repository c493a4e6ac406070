import { expect, test } from "vitest";
import { makeBench, settle, text, until, type Bench } from "./pipeline.fixture.ts";

const stranger = (id: string, more = {}) =>
  text("let me in", { sender: { id, name: "Eve", username: "eve" }, ...more });
const codeIn = (reply: string | undefined): string => /Pairing code: (\w+)/.exec(reply ?? "")?.[1] ?? "";

async function asked(bench: Bench, id = "eve"): Promise<string> {
  const before = bench.sent.length;
  await bench.receive(stranger(id));
  await until(() => bench.sent.length > before);
  await settle();
  return codeIn(bench.texts().at(-1));
}

test("a stranger gets one reply with the own id, a code and the command, and reaches no model", async () => {
  const bench = await makeBench();
  const code = await asked(bench);
  expect(code).toMatch(/^[A-HJ-NP-Z2-9]{8}$/);
  expect(bench.texts()[0]).toContain("Your Fake id: eve");
  expect(bench.texts()[0]).toContain(`pairing approve fake ${code}`);
  await bench.receive(stranger("eve"), stranger("eve"));
  await bench.pass(10_000);
  expect(bench.sent).toHaveLength(1);
  expect(bench.state.requests).toEqual([]);
  expect(bench.shown).toEqual([]);
  expect(bench.states()).toEqual(Array(3).fill("ignored not-paired"));
  expect(bench.house.pairing.list()).toMatchObject([{ channel: "fake", id: "eve", code, meta: { name: "Eve" } }]);
});

test("after an hour the code is gone and the next message makes a new request", async () => {
  const bench = await makeBench();
  const code = await asked(bench);
  await bench.pass(60 * 60_000);
  expect(bench.house.pairing.list()).toEqual([]);
  await expect(bench.house.pairing.approve({ channel: "fake", code })).rejects.toMatchObject({ kind: "not-found" });
  expect(await asked(bench)).not.toBe("");
});

test("at most three strangers wait; further ones are ignored without a word", async () => {
  const bench = await makeBench();
  await bench.receive(...Array.from({ length: 1_000 }, (_, n) => stranger(`stranger-${n}`)));
  await bench.pass(60_000);
  expect(bench.sent).toHaveLength(3);
  expect(bench.house.pairing.list()).toHaveLength(3);
  expect(bench.state.requests).toEqual([]);
});

test("an approved sender is answered, told when that is wanted, and never let into groups", async () => {
  const bench = await makeBench({ access: { groupPolicy: "allowlist" } });
  const code = await asked(bench);
  const approved = await bench.house.pairing.approve({
    channel: "FAKE",
    code: ` ${code.toLowerCase()} `,
    notify: true,
  });
  expect(approved).toEqual({ channel: "fake", accountId: "default", id: "eve" });
  await until(() => bench.sent.length === 2);
  expect(bench.sent[1]).toMatchObject({ chatId: "eve", text: expect.stringContaining("approved") });
  await bench.receive(stranger("eve"));
  await until(() => bench.sent.length === 3);
  expect(bench.texts()[2]).toBe("ok");
  await bench.receive(stranger("eve", { chat: { kind: "group", id: "g1" }, mentions: { self: true, others: false } }));
  await settle();
  expect(bench.states().at(-1)).toBe("ignored group-sender-not-allowed");
  expect(bench.house.pairing.allowed("fake", "default")).toEqual(["eve"]);
  await expect(bench.house.pairing.approve({ channel: "fake", code })).rejects.toMatchObject({ kind: "not-found" });
});

test("a wrong code and a code of another account approve nobody", async () => {
  const bench = await makeBench();
  const code = await asked(bench);
  for (const params of [
    { channel: "fake", code: "AAAAAAAA" },
    { channel: "fake", code: `${code}X` },
    { channel: "fake", code: "" },
    { channel: "other", code },
    { channel: "fake", code, accountId: "second" },
  ])
    await expect(bench.house.pairing.approve(params)).rejects.toMatchObject({ kind: "not-found" });
  expect(bench.house.pairing.allowed("fake", "default")).toEqual([]);
});

test("a rejected request is gone, and approval can be taken back", async () => {
  const bench = await makeBench();
  await bench.house.pairing.reject({ channel: "fake", code: await asked(bench) });
  expect(bench.house.pairing.list()).toEqual([]);
  await bench.house.pairing.approve({ channel: "fake", code: await asked(bench, "bob") });
  expect(await bench.house.pairing.remove("fake", "default", "bob")).toBe(true);
  expect(await bench.house.pairing.remove("fake", "default", "bob")).toBe(false);
  expect(bench.house.pairing.isAllowed("fake", "default", "bob")).toBe(false);
});

test("what arrived while we were away makes no pairing reply", async () => {
  const bench = await makeBench();
  await bench.receive(stranger("eve", { catchUp: true }));
  await bench.pass(5_000);
  expect(bench.sent).toEqual([]);
  expect(bench.house.pairing.list()).toEqual([]);
});

test("the request and its reply survive a restart together", async () => {
  const bench = await makeBench({ account: { send: () => new Promise(() => {}) } });
  await bench.receive(stranger("eve"));
  await until(() => bench.house.pairing.list().length === 1);
  await bench.again();
  expect(bench.house.pairing.list()).toHaveLength(1);
  expect(bench.outboxStates()).toHaveLength(1);
});

test("where nobody expects an agent, a stranger gets no pairing reply", async () => {
  const bench = await makeBench();
  await bench.receive(stranger("eve", { unasked: true }));
  await bench.pass(10_000);
  expect(bench.sent).toEqual([]);
  expect(bench.house.pairing.list()).toEqual([]);
  expect(bench.states()).toEqual(["ignored not-paired"]);
});
