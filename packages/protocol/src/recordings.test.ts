import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  connectParams,
  frameValidators,
  loadAnswerValidators,
  paramsValidators,
  type ValidateFunction,
} from "@openclaw/protocol/validators";
import { expect, test } from "vitest";
import type { Frame } from "./frames.ts";

/** Frames between published clients and gateways, with secrets and long texts replaced. */
const folder = join(import.meta.dirname, "../fixtures/frames");

interface Recorded {
  /** File and line. */
  at: string;
  conn: number;
  from: "client" | "gateway";
  frame: Frame;
}

function recordings(version: string): Recorded[] {
  return readdirSync(join(folder, version)).flatMap((name) =>
    readFileSync(join(folder, version, name), "utf8")
      .split("\n")
      .flatMap((line, index) => {
        if (!line.includes('"frame":')) return [];
        const record = JSON.parse(line) as Omit<Recorded, "at">;
        return [{ ...record, at: `${version}/${name}:${index + 1}` }];
      }),
  );
}

function expectValid(validate: ValidateFunction | undefined, value: unknown, at: string): void {
  if (validate === undefined) throw new Error(`${at}: no validator`);
  const valid = validate(value);
  expect(valid ? [] : validate.errors, at).toEqual([]);
}

/** What node hosts of generation N call and this protocol does not have; they take the error for an answer. */
const foreign = new Set(["node.runnerInventory.update", "node.skills.update", "node.pluginTools.update"]);

test.for(["v3", "v4"])("every request of %s clients passes the validators of frame and params", (version) => {
  let requests = 0;
  for (const { at, from, frame } of recordings(version)) {
    if (from !== "client" || frame.type !== "req") continue;
    requests += 1;
    expectValid(frameValidators.request, frame, at);
    if (frame.method === "connect") expectValid(connectParams, frame.params, at);
    else if (!foreign.has(frame.method)) expectValid(paramsValidators[frame.method], frame.params ?? {}, at);
  }
  expect(requests).toBeGreaterThan(10);
});

test("every frame of a 2026.2.9 gateway fits the closed envelopes", () => {
  for (const { at, from, frame } of recordings("v3")) {
    if (from !== "gateway") continue;
    expectValid(frame.type === "res" ? frameValidators.response : frameValidators.event, frame, at);
  }
});

test("every answer and event of a 2026.2.9 gateway fits its schema", async () => {
  const answers = await loadAnswerValidators();
  const asked = new Map<string, string>();
  let checked = 0;
  for (const { at, conn, frame } of recordings("v3")) {
    if (frame.type === "req") asked.set(`${conn} ${frame.id}`, frame.method);
    else if (frame.type === "event") expectValid(answers.eventValidators[frame.event], frame.payload, at);
    else if (frame.ok) {
      const method = asked.get(`${conn} ${frame.id}`);
      if (method === undefined) throw new Error(`${at}: an answer to nothing`);
      const isAck = JSON.stringify(frame.payload).includes('"status":"accepted"');
      expectValid((isAck ? answers.ackValidators : answers.resultValidators)[method], frame.payload, at);
      checked += 1;
    }
  }
  expect(checked).toBeGreaterThan(10);
});
