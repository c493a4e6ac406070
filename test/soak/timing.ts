/** S5 (reliability.md §5): whether the time of a comparison tells how much of a guess was right. Two classes of guesses of one length,
 *  wrong in the first character and wrong in the last, are compared in random order; Welch's t of their times must stay below 4.5,
 *  and so must that of a class against itself, which says whether the machine is quiet enough to judge at all. */
import { bearerValid, secretEquals } from "../../packages/gateway/src/server/index.ts";
import { seededRandom } from "../support/random.ts";

export interface TimingReport {
  programme: "timing";
  samples: number;
  t: Record<string, number>;
  violations: string[];
}

const limit = 4.5;
/** Comparisons within one sample: one alone is shorter than the clock is fine. */
const perSample = 32;
/** The slowest are other work of the machine. */
const kept = 0.9;

export function timing({ samples, seed }: { samples: number; seed: number }): TimingReport {
  const random = seededRandom(seed);
  const secret = Array.from({ length: 48 }, () => Math.floor(random() * 36).toString(36)).join("");
  const settings = { mode: "token", token: secret } as const;
  const guesses: Record<string, string> = {
    first: `!${secret.slice(1)}`,
    last: `${secret.slice(0, -1)}!`,
    again: `!${secret.slice(1)}`,
  };
  const ways: Record<string, (guess: string) => boolean> = {
    secretEquals: (guess) => secretEquals(guess, secret),
    bearerValid: (guess) => bearerValid(settings, guess),
  };
  const t: Record<string, number> = {};
  const violations: string[] = [];
  for (const [way, compare] of Object.entries(ways)) {
    const times: Record<string, number[]> = { first: [], last: [], again: [] };
    const classes = Object.keys(guesses);
    const run = (name: string): number => {
      const guess = guesses[name] ?? "";
      const startedAt = process.hrtime.bigint();
      for (let i = 0; i < perSample; i++) if (compare(guess)) violations.push(`${way}: a wrong guess was taken`);
      return Number(process.hrtime.bigint() - startedAt);
    };
    for (let warm = 0; warm < 2_000; warm++) for (const name of classes) run(name);
    for (let sample = 0; sample < samples; sample++) {
      const at = Math.floor(random() * classes.length);
      for (let turn = 0; turn < classes.length; turn++) {
        const name = classes[(at + turn) % classes.length] ?? "";
        times[name]?.push(run(name));
      }
    }
    for (const [one, other] of [
      ["first", "again"],
      ["first", "last"],
    ] as const) {
      const value = welch(middle(times[one] ?? []), middle(times[other] ?? []));
      t[`${way} ${one}/${other}`] = Math.round(value * 100) / 100;
      if (Math.abs(value) >= limit) violations.push(`${way}: t of ${one} against ${other} is ${value.toFixed(2)}`);
    }
  }
  return { programme: "timing", samples, t, violations };
}

const middle = (times: readonly number[]): number[] => times.toSorted((a, b) => a - b).slice(0, times.length * kept);

function welch(a: readonly number[], b: readonly number[]): number {
  const mean = (x: readonly number[]) => x.reduce((sum, value) => sum + value, 0) / x.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const spread = (x: readonly number[], m: number) =>
    x.reduce((sum, value) => sum + (value - m) ** 2, 0) / (x.length - 1) / x.length;
  return (meanA - meanB) / Math.sqrt(spread(a, meanA) + spread(b, meanB));
}
