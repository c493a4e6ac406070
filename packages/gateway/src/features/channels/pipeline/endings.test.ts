import { GatewayError } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { makeBench, say, settle, text, until } from "./pipeline.fixture.ts";

/** What node:sqlite throws inside a unit. */
const diskFull = () => Object.assign(new Error("database or disk is full"), { errcode: 13 });

test.each([
  ["full", diskFull],
  ["busy", () => Object.assign(new Error("database is locked"), { errcode: 5 })],
  ["refusing", () => new GatewayError("unavailable", "The store could not be used.")],
])("a disk that is %s when the reply is written delays the answer, and loses nothing", async (_name, error) => {
  const bench = await makeBench();
  const { outbox } = bench.house;
  const insert = outbox.insert.bind(outbox);
  let refused = 0;
  outbox.insert = (tx, request) => {
    if (refused++ < 3) throw error();
    return insert(tx, request);
  };
  await bench.receive(text("hello"));
  await until(() => refused === 1);
  await settle();
  expect(bench.states()).not.toContain("answered");
  await bench.finish();
  expect(bench.texts()).toEqual(["ok"]);
  expect(bench.states()).toEqual(["answered"]);
});

test("a reply the store will never take ends with a notice instead of being tried for ever", async () => {
  const bench = await makeBench();
  const { outbox } = bench.house;
  const insert = outbox.insert.bind(outbox);
  let refused = 0;
  outbox.insert = (tx, request) => {
    if (request.kind !== "reply") return insert(tx, request);
    refused++;
    throw Object.assign(new Error("UNIQUE constraint failed: outbox.key"), { errcode: 2067 });
  };
  await bench.receive(text("hello"));
  await bench.finish();
  expect(refused).toBe(1);
  expect(bench.states()).toEqual(["noticed reply-failed"]);
  expect(bench.texts()).toEqual([expect.stringMatching(/^⚠️ The answer could not be sent/)]);
});

test("a process that dies while the reply cannot be written answers after its restart, once", async () => {
  const bench = await makeBench();
  let refused = 0;
  bench.house.outbox.insert = () => {
    refused++;
    throw diskFull();
  };
  await bench.receive(text("hello"));
  await until(() => refused > 0);
  await bench.again();
  await bench.finish();
  expect(bench.texts()).toEqual(["ok"]);
  expect(bench.states()).toEqual(["answered"]);
});

test("a reply that cannot be put together ends with a notice, never with silence", async () => {
  const bench = await makeBench();
  const { sessions } = bench.house;
  sessions.maySend = () => {
    throw new TypeError("a mistake of ours");
  };
  await bench.receive(text("hello"));
  await bench.finish();
  expect(bench.texts()).toEqual([
    expect.stringMatching(/^⚠️ The answer could not be sent because of an internal error/),
  ]);
  expect(bench.states()).toEqual(["noticed reply-failed"]);
});

test("a message of which not even that can be said ends as reported in the log", async () => {
  const bench = await makeBench();
  bench.house.outbox.insert = () => {
    throw new TypeError("a mistake of ours");
  };
  await bench.receive(text("hello"));
  await until(() => bench.states()[0] !== "waiting" && bench.states()[0] !== "stored");
  expect(bench.states()).toEqual(["dropped reply-failed"]);
  await bench.again();
  await bench.pass(5_000);
  expect(bench.sent).toEqual([]);
});

test("a command whose run the store refuses for a while is answered once it is taken", async () => {
  const bench = await makeBench();
  const { agents } = bench.house;
  const submit = agents.submit.bind(agents);
  let refused = 0;
  agents.submit = (acceptance) =>
    refused++ < 6 ? Promise.reject(new GatewayError("unavailable", "The disk is full.")) : submit(acceptance);
  await bench.receive(text("/whoami"));
  await bench.finish();
  expect(bench.texts()).toEqual([expect.stringContaining("You are fake:ann")]);
});

test("a message the agents room will never take does not stand in the way of the others for ever", async () => {
  const bench = await makeBench({ config: { messages: { queue: { mode: "followup" } } }, script: () => say("fine") });
  const { agents } = bench.house;
  const submit = agents.submit.bind(agents);
  agents.submit = (acceptance) =>
    acceptance.request.message.includes("odd")
      ? Promise.reject(new GatewayError("invalid", "no such thing"))
      : submit(acceptance);
  await bench.receive(text("odd"), text("plain"));
  await bench.finish();
  expect(bench.states()).toEqual(["dropped failed", "answered"]);
  expect(bench.texts()).toEqual([expect.stringMatching(/could not be handled/), "fine"]);
});
