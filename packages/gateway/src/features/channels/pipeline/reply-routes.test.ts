import { GatewayError } from "@openclaw/protocol";
import { expect, test } from "vitest";
import type { SessionEntry } from "../../sessions/index.ts";
import { makeBench, settingsOf, text, until } from "./pipeline.fixture.ts";
import { type ReplyRoutesOptions, replyRoutes } from "./reply-routes.ts";

const last: Partial<SessionEntry> = { lastChannel: "fake", lastTo: "ann", lastAccountId: "second", lastThreadId: "7" };

function resolver(
  session: Partial<SessionEntry> | undefined,
  resolve?: ReplyRoutesOptions["resolve"],
  more: Partial<ReplyRoutesOptions> = {},
) {
  return replyRoutes({
    letsIn: () => true,
    sessions: { get: () => session as SessionEntry | undefined },
    resolve:
      resolve ??
      (({ channel = "", accountId = "default", to, threadId }) => ({
        entry: { id: channel },
        runner: { accountId },
        target: { chatId: to, kind: "direct", ...(threadId ? { threadId } : {}) },
      })),
    settings: () => settingsOf({ allowFrom: ["*", "owner"] }),
    ...more,
  });
}

const key = "agent:main:main";

test("without a name the reply goes where the session was last spoken to", () => {
  const expected = { channel: "fake", accountId: "second", chatId: "ann", kind: "direct", threadId: "7" };
  expect(resolver(last)({ sessionKey: key })).toEqual(expected);
  expect(resolver(last)({ sessionKey: key, channel: "last" })).toEqual(expected);
});

test("a named person is taken, and the last account only for the last channel", () => {
  expect(resolver(last)({ sessionKey: key, to: "bob" })).toMatchObject({ chatId: "bob", accountId: "second" });
  expect(resolver(last)({ sessionKey: key, to: "bob" })).not.toHaveProperty("threadId");
  expect(resolver(last)({ sessionKey: key, channel: "other", to: "bob" })).toMatchObject({
    channel: "other",
    accountId: "default",
  });
});

test("another channel without a name means the first person it lets in", () => {
  expect(resolver(last)({ sessionKey: key, channel: "other" })).toMatchObject({ channel: "other", chatId: "owner" });
});

test("who wrote last and is not let in any more gets nothing: the first person who is does, or the call is refused", () => {
  const letsIn = (_channel: string, _account: string, chatId: string) => chatId !== "ann";
  expect(resolver(last, undefined, { letsIn })({ sessionKey: key })).toMatchObject({ chatId: "owner" });
  expect(resolver(last, undefined, { letsIn })({ sessionKey: key, to: "ann" })).toMatchObject({ chatId: "ann" });
  const nobody = { letsIn, settings: () => settingsOf({ allowFrom: ["*"] }) };
  expect(() => resolver(last, undefined, nobody)({ sessionKey: key })).toThrow(/not let in any more/);
});

test("a group is answered whoever spoke there last", () => {
  const resolve: ReplyRoutesOptions["resolve"] = ({ channel = "", accountId = "default", to }) => ({
    entry: { id: channel },
    runner: { accountId },
    target: { chatId: to, kind: "group" },
  });
  const route = resolver(last, resolve, { letsIn: () => false })({ sessionKey: key });
  expect(route).toMatchObject({ chatId: "ann", kind: "group" });
});

test("webchat is answered by itself", () => {
  expect(resolver(last)({ sessionKey: key, channel: "webchat" })).toBeUndefined();
});

test("a session nobody spoke to from a chat says what to name", () => {
  expect(() => resolver(undefined)({ sessionKey: key })).toThrow(/name where the reply goes/);
  expect(() => resolver({ lastChannel: "webchat" })({ sessionKey: key })).toThrow(GatewayError);
});

test("what cannot send is refused as the sends say it", () => {
  const resolve = () => {
    throw new GatewayError("not-linked", "not linked");
  };
  expect(() => resolver(last, resolve)({ sessionKey: key })).toThrow("not linked");
});

const caller = { principal: "shared", owner: true, sender: "cli" };

test("agent with deliver sends its reply to the session's last chat, once, and answers its caller too", async () => {
  const bench = await makeBench();
  await bench.receive(text("hello"));
  await bench.finish();
  const { agents } = bench.house;
  const params = { message: "report", sessionKey: "main", idempotencyKey: "k1", deliver: true };
  const admitted = await agents.agent(params, caller);
  if (!("run" in admitted)) throw new Error("the run is over");
  agents.runs.begin(admitted.run);
  expect((await admitted.run.ended.promise).outcome.payloads).toEqual([{ text: "ok", mediaUrl: null }]);
  await bench.finish();
  expect(bench.sent).toHaveLength(2);
  expect(bench.sent[1]).toEqual({ chatId: "ann", text: "ok" });
});

test("without deliver nothing is sent, and a route that fails refuses the call before it is accepted", async () => {
  const bench = await makeBench();
  const { agents } = bench.house;
  const base = { message: "hi", sessionKey: "main" };
  const quiet = await agents.agent({ ...base, idempotencyKey: "k1" }, caller);
  if (!("run" in quiet)) throw new Error("the run is over");
  agents.runs.begin(quiet.run);
  await quiet.run.ended.promise;
  await bench.finish();
  expect(bench.sent).toEqual([]);
  await expect(agents.agent({ ...base, idempotencyKey: "k2", deliver: true }, caller)).rejects.toThrow(/name where/);
  expect(agents.deps.table.byRunId("k2")).toBeUndefined();
  const best = await agents.agent({ ...base, idempotencyKey: "k3", deliver: true, bestEffortDeliver: true }, caller);
  expect("run" in best).toBe(true);
});

test("a delivery that a crash interrupted after tools had effects is told once", async () => {
  const bench = await makeBench();
  await bench.receive(text("hello"));
  await bench.finish();
  const { agents } = bench.house;
  bench.state.script = () =>
    (async function* () {
      await new Promise(() => {});
      yield { type: "text" as const, delta: "" };
    })();
  await bench.receive(text("second"));
  await until(() => bench.state.requests.length === 2);
  const row = agents.deps.table.open(0)[0];
  await bench.store.commit((tx) => agents.deps.table.markEffects(tx, row?.id ?? 0, "null"));
  await bench.again();
  await bench.finish();
  await bench.again();
  await bench.finish();
  expect(bench.texts().filter((line) => line.includes("stopped in the middle of this run"))).toHaveLength(1);
  expect(bench.states()).toEqual(["answered", "noticed"]);
});
