import { Type } from "typebox";
import { expect, test } from "vitest";
import { type Tool, textResult, tool } from "../../tools/index.ts";
import { type Bench, callTool, gate, inGroup, inTurn, makeBench, say, text, until } from "./pipeline.fixture.ts";

const look = (output = "a\nb"): Tool =>
  tool({
    name: "look",
    description: "",
    params: Type.Object({ path: Type.String() }),
    effects: false,
    run: () => Promise.resolve(textResult(output)),
  });

const looks = (path: string) => () => callTool("look", { path });

async function answered(bench: Bench): Promise<string[]> {
  await bench.receive(text("go"));
  await bench.finish();
  return bench.texts();
}

test("with /verbose on a direct chat sees a line per tool before the answer; without it, none", async () => {
  const quiet = await makeBench({ tools: [look()], script: inTurn(looks("notes.md"), () => say("done")) });
  expect(await answered(quiet)).toEqual(["done"]);
  const bench = await makeBench({
    tools: [look()],
    script: inTurn(looks("notes.md"), looks("other.md"), () => say("done")),
  });
  await bench.receive(text("/verbose on"));
  await bench.finish();
  expect((await answered(bench)).slice(1)).toEqual(["🛠️ look: notes.md\n🛠️ look: other.md", "done"]);
  expect(bench.states()).toEqual(["answered", "answered"]);
});

test("full shows what came back, cut; a level in a message holds for that message", async () => {
  const bench = await makeBench({
    tools: [look(`${"x".repeat(2_000)}\`\`\``)],
    script: inTurn(
      looks("a"),
      () => say("done"),
      looks("b"),
      () => say("done again"),
    ),
  });
  await bench.receive(text("go /verbose full"));
  await bench.finish();
  expect(bench.texts()[0]).toMatch(/^🛠️ look: a\n```\nx{999}…\n```$/u);
  expect((await answered(bench)).slice(2)).toEqual(["done again"]);
});

test("groups are spared, and so is a session that may not send", async () => {
  const verbose = { agents: { defaults: { verboseDefault: "on" } } };
  const script = () => inTurn(looks("a"), () => say("done"));
  const group = await makeBench({
    config: verbose,
    access: { groups: { "*": { requireMention: false } } },
    tools: [look()],
    script: script(),
  });
  await group.receive(inGroup("go"));
  await group.finish();
  expect(group.texts()).toEqual(["done"]);
  const muted = await makeBench({
    config: { ...verbose, session: { sendPolicy: { default: "deny" } } },
    tools: [look()],
    script: script(),
  });
  await muted.receive(text("first"));
  await muted.finish();
  expect(muted.texts()).toEqual([]);
});

test("a run that waited long for its turn says so", async () => {
  const held = gate("first");
  const bench = await makeBench({
    config: { agents: { defaults: { verboseDefault: "on", maxConcurrent: 1 } }, session: { dmScope: "per-peer" } },
    access: { allowFrom: ["ann", "bob"] },
    script: inTurn(held.script, () => say("second")),
  });
  await bench.receive(text("one"));
  await until(() => bench.state.requests.length === 1);
  await bench.receive(text("two", { sender: { id: "bob" } }));
  await bench.pass(5_000);
  held.open();
  await bench.finish();
  expect(bench.texts()).toEqual(["first", "⏳ waited 5 s for its turn", "second"]);
});

test("a tool that takes long shows while it runs; after a stop nothing more is said", async () => {
  const never = gate("no");
  let running = false;
  const slow = tool({
    name: "slow",
    description: "",
    params: Type.Object({}),
    effects: false,
    run: async (_args, { signal }) => {
      running = true;
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      return textResult("stopped");
    },
  });
  const bench = await makeBench({
    config: { agents: { defaults: { verboseDefault: "full" } } },
    tools: [slow],
    script: inTurn(() => callTool("slow"), never.script),
  });
  await bench.receive(text("go"));
  await until(() => running);
  await bench.pass(2_000);
  await until(() => bench.sent.length === 1);
  expect(bench.texts()).toEqual(["🛠️ slow"]);
  await bench.receive(text("stop"));
  await bench.pass(10_000);
  expect(bench.texts()).toEqual(["🛠️ slow", "⚙️ Agent was aborted."]);
});

test("a model that loops does not flood the chat", async () => {
  const bench = await makeBench({
    config: { agents: { defaults: { verboseDefault: "on" } }, tools: { loopDetection: { enabled: false } } },
    tools: [look()],
    script: inTurn(
      ...Array.from(
        { length: 60 },
        (_, n) =>
          async function* () {
            yield { type: "text" as const, delta: `${n}` };
            yield* callTool("look", { path: n % 2 === 0 ? `file ${n}` : "same" });
          },
      ),
      () => say("done"),
    ),
  });
  await bench.receive(text("go"));
  await bench.finish();
  expect(bench.texts().filter((line) => line.startsWith("🛠️")).length).toBeLessThanOrEqual(20);
  expect(bench.texts().at(-1)).toContain("done");
});
