/** Any schedule of messages, stops, answers, crashes, full disks and channels that are off for a while: every message has exactly
 *  one end and stands in at most one turn (R-RUN-5, R-RUN-6, I2, I4). */
import { messageText } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { Type } from "typebox";
import { textResult, tool } from "../../tools/index.ts";
import { type Bench, callTool, inGroup, makeBench, say, settle, text } from "./pipeline.fixture.ts";

const schedules = 30;
const steps = 40;

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Words of the persons in all transcripts, current and former. */
function asked(bench: Bench): string[] {
  return bench.store
    .all<{ json: string }>("SELECT json FROM entry WHERE role = 'user' LIMIT 10000")
    .map(({ json }) => messageText((JSON.parse(json) as { message: Parameters<typeof messageText>[0] }).message));
}

/** The next thing that is to be sent cannot be written. */
function fullDisk({ house: { outbox } }: Bench): void {
  const insert = outbox.insert.bind(outbox);
  outbox.insert = () => {
    outbox.insert = insert;
    throw Object.assign(new Error("database or disk is full"), { errcode: 13 });
  };
}

async function play(seed: number): Promise<void> {
  const random = seeded(seed);
  const pick = <T>(...choices: T[]): T => choices[Math.floor(random() * choices.length)] as T;
  const waiting: (() => void)[] = [];
  let answers = 0;
  const turn = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  const slow = tool({
    name: "slow",
    description: "Waits.",
    params: Type.Object({}),
    effects: random() < 0.3,
    run: async (_args, { signal }) => {
      await turn(signal);
      return textResult("done");
    },
  });
  const bench = await makeBench({
    access: { allowFrom: ["ann", "bob"], debounceMs: pick(0, 0, 300), groups: { "*": { requireMention: false } } },
    config: {
      session: { dmScope: pick("main", "per-peer") },
      messages: {
        queue: {
          mode: pick("collect", "followup", "steer", "interrupt"),
          cap: pick(2, 20),
          drop: pick("old", "new", "summarize"),
          debounceMs: pick(0, 500),
        },
      },
    },
    tools: [slow],
    script: async function* (_request, signal) {
      await turn(signal);
      if (random() < 0.3) yield* callTool("slow");
      else yield* say(`answer ${seed}-${++answers}`);
    },
  });
  const words: string[] = [];
  let stops = 0;
  for (let step = 0; step < steps; step++) {
    const dice = random();
    if (dice < 0.5) {
      const word = `word${words.length}x`;
      words.push(word);
      const sender = pick("ann", "bob", "eve");
      await bench.receive(
        random() < 0.3 ? inGroup(word, { sender: { id: sender } }) : text(word, { sender: { id: sender } }),
      );
    } else if (dice < 0.75) {
      waiting.shift()?.();
    } else if (dice < 0.82) {
      stops++;
      await bench.receive(text("/stop", { sender: { id: pick("ann", "bob") } }));
    } else if (dice < 0.92) {
      await bench.pass(pick(100, 700, 2_000));
    } else if (dice < 0.97) {
      waiting.length = 0;
      // The channel may be off for a while.
      bench.platform.loaded = random() < 0.6;
      await bench.again();
    } else {
      bench.platform.loaded = !bench.platform.loaded;
      bench.house.pipeline.accountsChanged();
    }
    if (random() < 0.05) fullDisk(bench);
    if (random() < 0.6) await settle(pick(1, 3, 12));
  }
  bench.platform.loaded = true;
  bench.house.pipeline.accountsChanged();
  for (let round = 0; round < 400 && bench.states().some((state) => /^(stored|command|waiting)/.test(state)); round++) {
    for (const go of waiting.splice(0)) go();
    await bench.pass(500);
  }
  await bench.finish();

  const states = bench.states();
  expect(states).toHaveLength(words.length + stops);
  const open = states.filter((state) => !/^(ignored|answered|silent|noticed|dropped|quarantined)/.test(state));
  expect(open, "open at the end").toEqual([]);
  expect(bench.house.inbox.refused, "moves that were refused").toBe(0);
  const turns = asked(bench);
  const rows = bench.store.all<{ message: string; state: string }>("SELECT message, state FROM inbound LIMIT 1000");
  for (const word of words) {
    const row = rows.find(({ message }) => message.includes(`"${word}"`));
    const within = turns.filter((turn) => turn.includes(`${word}\n`)).length;
    const state = row?.state ?? "missing";
    expect(within, `${word} (${state}) is in one turn at most`).toBeLessThanOrEqual(1);
    if (state === "answered") expect(within, `${word} was answered`).toBe(1);
    if (state === "ignored") expect(within, `${word} was ignored`).toBe(0);
  }
  const said = bench.texts().filter((line) => line.startsWith("answer "));
  expect(new Set(said).size, "no answer is sent twice").toBe(said.length);
}

test.each(Array.from({ length: schedules }, (_, seed) => [seed + 1]))("schedule %i", async (seed) => {
  await play(seed);
});
