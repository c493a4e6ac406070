import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { Groups } from "./groups.ts";
import type { GroupMetadata } from "./socket.ts";

const jid = "120363@g.us";
const family = {
  id: jid,
  subject: "Family",
  participants: [{ id: "77@lid", phoneNumber: "4915112345678@s.whatsapp.net" }, { id: "88@lid" }],
} as unknown as GroupMetadata;

function setUp(answer: () => Promise<GroupMetadata> = () => Promise.resolve(family)) {
  const world = fakeWorld();
  const asked: string[] = [];
  const remembered: [string, GroupMetadata][] = [];
  const groups = new Groups(world, () => undefined);
  groups.connect({
    ask: (id) => (asked.push(id), { answer: answer(), soon: true }),
    remember: (id, metadata) => void remembered.push([id, metadata]),
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { world, asked, remembered, groups, turn };
}

test("a group's subject and members are asked for once in five minutes, and kept", async () => {
  const { world, asked, remembered, groups, turn } = setUp();
  for (let n = 0; n < 3; n++) groups.expect(jid);
  expect(await groups.get(jid)).toEqual({ subject: "Family", members: ["+4915112345678", "88@lid"] });
  expect(remembered).toEqual([[jid, family]]);
  await world.clock.advance(5 * 60_000 - 1);
  groups.expect(jid);
  expect(asked).toHaveLength(1);
  expect(groups.metadata(jid), "the library need not ask either").toBe(family);
  await world.clock.advance(1);
  expect(groups.metadata(jid)).toBeUndefined();
  groups.expect(jid);
  await turn();
  expect(asked).toHaveLength(2);
});

test("a change that the platform tells makes the next message ask again", async () => {
  const { asked, groups, turn } = setUp();
  groups.expect(jid);
  await turn();
  groups.changed(jid);
  groups.expect(jid);
  expect(asked).toHaveLength(2);
});

test("a question that fails or gets no answer keeps no message waiting, and the next message asks again", async () => {
  const failing = setUp(() => Promise.reject(new Error("not authorised")));
  failing.groups.expect(jid);
  expect(await failing.groups.get(jid)).toBeUndefined();
  failing.groups.expect(jid);
  expect(failing.asked).toHaveLength(2);
  const silent = setUp(() => new Promise(() => {}));
  silent.groups.expect(jid);
  const facts = silent.groups.get(jid);
  await silent.world.clock.advance(1_500);
  expect(await facts).toBeUndefined();
});

test("the number of a member known by local id comes from the group", async () => {
  const { groups, turn } = setUp();
  groups.expect(jid);
  await turn();
  expect(groups.pnOf(jid, "77@lid")).toBe("4915112345678@s.whatsapp.net");
  expect(groups.pnOf(jid, "88@lid")).toBeUndefined();
});
