/** Found by SIM. A second stop, asked while the end of the run was still on its way to the disk, was acknowledged before it was
 *  there: a crash in that moment started the run again although its stop had been confirmed. */
import { expect, test } from "vitest";
import { hang, makeBench, until } from "../../packages/gateway/src/features/agents/agents.fixture.ts";

test("every stop of a run is acknowledged only once its end is durable", async () => {
  const bench = makeBench({ script: hang("x") });
  await bench.chat("go", "k");
  await until(() => bench.state.requests.length === 1);
  const seen: (string | undefined)[] = [];
  const stop = async () => {
    const { aborted } = await bench.abort({ sessionKey: "main" });
    seen.push(bench.row("chat", "k")?.state);
    return aborted;
  };
  expect(await Promise.all([stop(), stop()])).toEqual([true, false]);
  expect(seen).toEqual(["aborted", "aborted"]);
});
