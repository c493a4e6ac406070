/** Found by SIM. A message that is stopped while it waits enters the transcript at that moment, in the middle of the run before
 *  it; the model of that run then answered the stopped message. */
import { messageText } from "@openclaw/protocol";
import { expect, test } from "vitest";
import {
  callTools,
  inTurn,
  lastUserText,
  makeBench,
  probeTool,
  say,
  texts,
  until,
} from "../../packages/gateway/src/features/agents/agents.fixture.ts";
import { textResult } from "../../packages/gateway/src/features/tools/index.ts";

test("a run never reads a message that was stopped while it waited behind it; the next run finds it in its history", async () => {
  const gate = Promise.withResolvers<void>();
  const tool = probeTool("work", async () => {
    await gate.promise;
    return textResult("worked");
  });
  const bench = makeBench({
    tools: [tool],
    script: inTurn(
      () => callTools({ name: "work" }),
      () => say("done"),
    ),
  });
  await bench.chat("first", "k1");
  await until(() => bench.state.requests.length === 1);
  await bench.chat("second", "k2");
  await bench.abort({ sessionKey: "main", runId: "k2" });
  expect(texts(bench.transcript())).toContain("user: second");
  gate.resolve();
  await until(() => bench.row("chat", "k1")?.state === "ok");
  const [, afterTool] = bench.state.requests;
  expect(afterTool && lastUserText(afterTool)).toContain("first");
  expect(afterTool?.messages.map(messageText).join(" ")).not.toContain("second");
  await bench.chat("third", "k3");
  await until(() => bench.row("chat", "k3")?.state === "ok");
  expect(bench.state.requests.at(-1)?.messages.map(messageText).join(" ")).toContain("second");
});
