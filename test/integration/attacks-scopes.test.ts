/** S8 and S30 of the attack table (reliability.md §5): every method and every event against every scope a client may hold, over real
 *  sockets, and the trace that it leaves.
 *  What each scope grants is written down here again, so that a slip in the table of the protocol shows. */
import { eventTable, methodTable, type MethodName, type Scope, scopes } from "@openclaw/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Rig, startRig, type TestClient } from "../../packages/gateway/src/server/server.fixture.ts";

/** Who may, by what a method or an event asks for. */
const holders: Record<string, readonly string[]> = {
  none: [...scopes, "node"],
  all: [...scopes, "node"],
  node: ["node"],
  targeted: [],
  "operator.read": ["operator.read", "operator.write", "operator.admin"],
  reader: ["operator.read", "operator.write", "operator.admin"],
  "operator.write": ["operator.write", "operator.admin"],
  "operator.approvals": ["operator.approvals", "operator.admin"],
  approvals: ["operator.approvals", "operator.admin"],
  "operator.pairing": ["operator.pairing", "operator.admin"],
  pairing: ["operator.pairing", "operator.admin"],
  "operator.admin": ["operator.admin"],
};

const names = Object.keys(methodTable).filter((name) => name !== "connect") as MethodName[];
const called: string[] = [];
let rig: Rig;
beforeAll(async () => {
  const handlers = Object.fromEntries(names.map((name) => [name, () => (called.push(name), {})]));
  rig = await startRig({ handlers });
});
afterAll(() => rig.close());

const enter = (held: Scope | "node", protocol = 3): Promise<TestClient> =>
  rig.hello({
    minProtocol: protocol,
    maxProtocol: protocol,
    ...(held === "node" ? { role: "node" } : { scopes: [held] }),
  });

describe.each([...scopes, "node"] as const)("a client that holds %s", (held) => {
  test.each([3, 4])(
    "S8: may call what its scope grants, and is told of nothing else, in protocol %i",
    async (protocol) => {
      const wrong: unknown[] = [];
      let client = await enter(held, protocol);
      for (const [index, name] of names.entries()) {
        // Refused calls in a row, and many in a short time, close the connection.
        if (index % 8 === 7) {
          client.ws.terminate();
          client = await enter(held, protocol);
        }
        called.length = 0;
        const { error } = await client.request(name, {});
        const message = error?.message ?? "";
        const refused = /^(?:missing scope: |unauthorized role: )/.test(message);
        const may = holders[methodTable[name].scope]?.includes(held) === true;
        if (refused === may || (refused && called.length > 0))
          wrong.push([name, methodTable[name].scope, message, called]);
      }
      client.ws.terminate();
      expect(wrong).toEqual([]);
    },
  );
});

test("S8: every scope is asked for by some method, so that nothing above is empty", () => {
  expect(new Set(names.map((name) => methodTable[name].scope))).toEqual(new Set([...scopes, "none", "node"]));
  expect(names.length).toBeGreaterThan(100);
});

test("S8: an unknown method is hidden from everybody but the admin", async () => {
  for (const held of [...scopes, "node"] as const) {
    const client = await enter(held);
    for (const name of [
      "no.such.method",
      "__proto__",
      "constructor",
      "toString",
      "health.extra",
      "Health",
      " health",
    ]) {
      const { error } = await client.request(name, {});
      expect([held, name, error?.message.startsWith("unknown method")]).toEqual([
        held,
        name,
        held === "operator.admin",
      ]);
    }
    client.ws.terminate();
  }
});

test("S8: each event is heard by those it is meant for, and by nobody else", async () => {
  const clients = await Promise.all(
    ([...scopes, "node"] as const).map(async (held) => ({ held, client: await enter(held, 4) })),
  );
  const payloads: Record<string, unknown> = {
    agent: { runId: "r", stream: "lifecycle", data: { phase: "start" }, seq: 1, ts: 1 },
    chat: { runId: "r", sessionKey: "agent:main:main", seq: 1, state: "final" },
    presence: { presence: [] },
  };
  const heard: Record<string, string[]> = {};
  for (const [name] of Object.entries(eventTable)) {
    rig.bus.publish(name as never, (payloads[name] ?? {}) as never);
    heard[name] = [];
  }
  for (const { held, client } of clients) {
    client.ws.ping();
    await new Promise((resolve) => client.ws.once("pong", resolve));
    for (const { event = "" } of client.frames) if (Object.hasOwn(heard, event)) heard[event]?.push(held);
    client.ws.terminate();
  }
  const table = Object.entries(eventTable);
  const expected = table.map(([name, { audience }]) => [name, (holders[audience] ?? []).toSorted()]);
  const got = table.map(([name]) => [name, [...new Set(heard[name])].toSorted()]);
  const challenge = (rows: unknown[]) => rows.filter((row) => (row as string[])[0] !== "connect.challenge");
  expect(challenge(got)).toEqual(challenge(expected));
});

test("S30: what only an admin may do is in the log with credential, address and origin, done or refused", async () => {
  const admins = names.filter((name) => methodTable[name].scope === "operator.admin" && !methodTable[name].planned);
  expect(admins).toEqual(expect.arrayContaining(["config.set", "config.apply", "sessions.delete", "update.run"]));
  const own = await startRig({
    handlers: Object.fromEntries(admins.map((name) => [name, () => ({})])),
  });
  const origin = `http://localhost:${own.listener.port}`;
  const who = { by: "shared", client: "cli", remote: "127.0.0.1", origin };
  /** Those of the others have required params, and what does not fit them changes nothing. */
  const done: string[] = [];
  try {
    for (const name of admins) {
      const from = own.lines.length;
      let succeeded = 0;
      for (const held of ["operator.admin", "operator.read"]) {
        const client = await own.hello({ scopes: [held] }, { origin });
        const idempotencyKey = `key-${name}`;
        const answers = [await client.request(name, {}), await client.request(name, { idempotencyKey })];
        succeeded += answers.filter((answer) => answer.ok === true).length;
        client.ws.terminate();
      }
      if (succeeded > 0) done.push(name);
      await own.world.clock.advance(1_000);
      const fieldsOf = (begins: RegExp) =>
        own.lines.slice(from).flatMap(({ message, fields }) => (begins.test(message) ? [fields] : []));
      expect([name, fieldsOf(/^⇄ res ✓ /)]).toEqual([name, Array.from({ length: succeeded }, () => who)]);
      expect([name, fieldsOf(/^unauthorized call /)]).toEqual([name, [who]]);
    }
    expect(done).toEqual(expect.arrayContaining(["update.run", "wizard.start", "web.login.start"]));
  } finally {
    await own.close();
  }
});
