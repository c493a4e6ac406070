import { GatewayError } from "@openclaw/protocol";
import { expect, test } from "vitest";
import type { EditList } from "./allowlist.ts";
import { inGroup, makeBench, settle, text, until } from "./pipeline.fixture.ts";

/** A bench whose config is a list in memory, and what the command answers. */
async function lists(more: Parameters<typeof makeBench>[0] = {}) {
  const written: { list: string; value: (string | number)[] }[] = [];
  const editList: EditList = async ({ channel, list }, edit) => {
    const { access } = bench.settings.current;
    const now = list === "allowFrom" ? access.allowFrom : access.groupAllowFrom;
    const value = edit(now);
    written.push({ list, value });
    bench.settings.current = { ...bench.settings.current, access: { ...access, [list]: value.map(String) } };
    return `channels.${channel}.${list}`;
  };
  const bench = await makeBench({ editList, ...more });
  const ask = async (message: ReturnType<typeof text>): Promise<string> => {
    const before = bench.sent.length;
    await bench.receive(message);
    await until(() => bench.sent.length > before);
    await settle();
    return bench.texts().at(-1) ?? "";
  };
  return { bench, written, ask };
}

test("the owner adds and removes senders from a chat, and they are let in at once", async () => {
  const { bench, written, ask } = await lists();
  expect(await ask(text("/allowlist"))).toContain("Direct messages (pairing): ann");
  expect(await ask(text("/allowlist add dm  Bob "))).toBe("bob was added (channels.fake.allowFrom).");
  expect(await ask(text("/allowlist add dm bob"))).toBe("bob is in the list already.");
  expect(await ask(text("hello", { sender: { id: "bob" } }))).toBe("ok");
  expect(await ask(text("/allowlist remove dm bob"))).toBe("bob was removed (channels.fake.allowFrom).");
  expect(await ask(text("/allowlist remove dm bob"))).toBe("bob is not in the list.");
  expect(written.map(({ value }) => value)).toEqual([["ann", "bob"], ["ann"]]);
  expect(bench.states().every((state) => state === "answered")).toBe(true);
  expect(bench.state.requests).toHaveLength(1);
});

test("the first sender of groups joins those who were let in before; nobody is locked out by it", async () => {
  const { written, ask } = await lists();
  expect(await ask(inGroup("/allowlist add group bob"))).toBe("bob was added (channels.fake.groupAllowFrom).");
  expect(written).toEqual([{ list: "groupAllowFrom", value: ["ann", "bob"] }]);
  expect(await ask(text("/allowlist list"))).toContain("Groups (open): ann, bob");
});

test("removing a sender takes a pairing back, too", async () => {
  const { bench, ask } = await lists();
  await bench.store.commit((tx) =>
    tx.run("INSERT INTO pairing_allow (channel, account_id, sender_id, added_at) VALUES ('fake', 'default', 'eve', 1)"),
  );
  expect(await ask(text("/allowlist"))).toContain("Paired: eve");
  expect(await ask(text("/allowlist remove dm eve"))).toBe("eve is not paired any more.");
  expect(bench.house.pairing.allowed("fake", "default")).toEqual([]);
});

test.each([
  ["/allowlist add dm", /Name one sender/],
  ["/allowlist add dm two words", /Name one sender/],
  ["/allowlist add everyone bob", /^Use \/allowlist/],
  ["/allowlist add constructor bob", /^Use \/allowlist/],
  ["/allowlist drop dm bob", /^Use \/allowlist/],
  ["/allowlist add dm *", /not done from a chat/],
  ["/allowlist remove dm ann", /cannot remove yourself/],
])("%s is refused, and nothing is written", async (asked, problem) => {
  const { written, ask } = await lists();
  expect(await ask(text(asked))).toMatch(problem);
  expect(written).toEqual([]);
});

test("who is not the owner changes and sees nothing; a stranger's command is no command", async () => {
  const { bench, written, ask } = await lists({ access: { groupAllowFrom: ["ann", "bob"] } });
  expect(await ask(inGroup("/allowlist add dm bob", { sender: { id: "bob" } }))).toContain("only for the owner");
  await bench.receive(inGroup("/allowlist add dm eve", { sender: { id: "eve" } }));
  await settle();
  expect(written).toEqual([]);
});

test("where chats may not change the config, or it cannot be written, that is said", async () => {
  const { bench, ask } = await lists();
  bench.settings.current = { ...bench.settings.current, configWrites: false };
  expect(await ask(text("/allowlist add dm bob"))).toContain("channels.fake.configWrites");
  const failing = await lists({
    editList: () => Promise.reject(new GatewayError("conflict", "The config was changed meanwhile.")),
  });
  expect(await failing.ask(text("/allowlist add dm bob"))).toBe("⚠️ The config was changed meanwhile.");
});
