import type { EventPayload } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { Follower } from "./follower.ts";

function follow() {
  const said: string[] = [];
  const follower = new Follower((delta) => said.push(delta));
  const hear = (stream: string, data: object) =>
    follower.hear({ runId: "r", stream, data, seq: 1, ts: 1 } as unknown as EventPayload<"agent">);
  let text = "";
  return {
    said,
    begin: () => (text = ""),
    say: (delta: string) => {
      text += delta;
      hear("assistant", { text, delta });
    },
    tool: () => hear("tool", { phase: "start" }),
  };
}

test("deltas come as they are", () => {
  const { said, say } = follow();
  say("Hel");
  say("lo");
  expect(said).toEqual(["Hel", "lo"]);
});

test("a message after tools is set apart by a blank line, a first one is not", () => {
  const { said, begin, say, tool } = follow();
  tool();
  say("one");
  begin();
  tool();
  tool();
  say("two");
  say("!");
  expect(said.join("|")).toBe("one|\n\ntwo|!");
});

test("a model that starts over says only what goes beyond what it said", () => {
  const { said, begin, say } = follow();
  say("Hello wor");
  begin();
  say("Hello");
  say(" world");
  expect(said.join("")).toBe("Hello world");
});
