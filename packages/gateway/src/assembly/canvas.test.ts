import { GatewayError } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { actionPort } from "./canvas.ts";

const action = { id: "a1", name: "press", surfaceId: "main", sourceComponentId: "b", context: undefined };
const holder = { connId: "c1", host: "phone", instanceId: "i1" };

function setting(submit: (runId: string) => Promise<unknown>) {
  const parts = {
    world: fakeWorld(),
    agents: { submit: ({ runId }: { runId: string }) => submit(runId) },
    sessions: { mainKey: () => "agent:main:main" },
    directory: { defaultId: () => "main" },
    config: { current: { agents: { defaults: { timeoutSeconds: 60 } } } },
  };
  return actionPort(parts as never);
}

test("the same action twice is one run, and both hear when it is on disk", async () => {
  const disk = Promise.withResolvers<void>();
  const runs: string[] = [];
  const port = setting((runId) => {
    runs.push(runId);
    return disk.promise;
  });
  const answers: string[] = [];
  const both = ["first", "second"].map((name) => port(action, holder).then(() => answers.push(name)));
  await Promise.resolve();
  expect([runs.length, answers]).toEqual([1, []]);
  disk.resolve();
  await Promise.all(both);
  expect([runs.length, answers.toSorted()]).toEqual([1, ["first", "second"]]);
});

test("an action that was not taken may be sent again", async () => {
  let full = true;
  let runs = 0;
  const port = setting(async () => {
    if (full) throw new GatewayError("unavailable", "Too many runs are waiting.");
    runs++;
  });
  await expect(port(action, holder)).rejects.toThrow("Too many runs");
  full = false;
  await port(action, holder);
  await port(action, holder);
  expect(runs).toBe(1);
});
