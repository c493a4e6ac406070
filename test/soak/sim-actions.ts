/** What happens in one simulation: a list of actions drawn from the seed. Each action carries all its choices, so that a list
 *  with some of them left out means the same for the others; that is what makes a violation shrinkable. */
import { seededRandom } from "../support/random.ts";

/** Where a process may die besides between two turns (reliability.md §4.0). */
export const crashPoints = [
  "store.commit.before",
  "store.commit.after",
  "run.after-accept",
  "run.before-effect",
  "run.after-tool",
  "run.before-final",
] as const;

export const sessionNames = ["one", "two", "three"] as const;

export interface Message {
  key: string;
  family: "agent" | "chat";
  session: string;
  text: string;
  /** A chat command: answered without a model. */
  command: boolean;
  timeoutMs: number;
}

export type Action =
  | { kind: "send"; message: Message }
  /** Asks with a key that was used before: the nth message of the list, counted around. */
  | { kind: "again"; nth: number }
  | { kind: "stop"; session: string; word: boolean }
  | { kind: "abort"; nth: number }
  | { kind: "wait"; nth: number; timeoutMs: number }
  | { kind: "pass"; ms: number; slices: number }
  /** The machine slept: the clock jumps at once and nobody runs in between. */
  | { kind: "jump"; ms: number }
  | { kind: "turns"; n: number }
  | { kind: "restart" }
  /** After so many microtasks. */
  | { kind: "crash"; ticks: number }
  | { kind: "crashAt"; point: (typeof crashPoints)[number]; nth: number };

export function drawActions(seed: number, count: number): Action[] {
  const random = seededRandom(seed);
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  let keys = 0;
  const message = (): Message => {
    const key = `k${++keys}`;
    const roll = random();
    const text =
      roll < 0.06
        ? `/status #${key}#`
        : roll < 0.1
          ? `/new hello #${key}#`
          : roll < 0.13
            ? `/think high`
            : `do #${key}#`;
    return {
      key,
      family: random() < 0.5 ? "agent" : "chat",
      session: pick(sessionNames),
      text,
      command: text.startsWith("/status") || text.startsWith("/think"),
      timeoutMs: pick([5_000, 20_000, 60_000, 200_000, 400_000]),
    };
  };
  const draw = (): Action => {
    const roll = random();
    if (roll < 0.34) return { kind: "send", message: message() };
    if (roll < 0.42) return { kind: "again", nth: below(1_000) };
    if (roll < 0.46) return { kind: "stop", session: pick(sessionNames), word: random() < 0.5 };
    if (roll < 0.51) return { kind: "abort", nth: below(1_000) };
    if (roll < 0.54) return { kind: "wait", nth: below(1_000), timeoutMs: pick([0, 1_000, 60_000]) };
    if (roll < 0.72) return { kind: "turns", n: 1 + below(6) };
    if (roll < 0.88) return { kind: "pass", ms: pick([10, 200, 1_500, 10_000]), slices: 1 + below(5) };
    if (roll < 0.91) return { kind: "jump", ms: pick([1_000, 30_000, 121_000, 500_000, 3_700_000]) };
    if (roll < 0.93) return { kind: "restart" };
    if (roll < 0.96) return { kind: "crash", ticks: below(40) };
    return { kind: "crashAt", point: pick(crashPoints), nth: 1 + below(4) };
  };
  return Array.from({ length: count }, draw);
}
