/** A World for tests: virtual clock, counted ids, recorded marks; no network and no processes unless given. */
import type { Timer, World } from "./world.ts";

interface Due {
  at: number;
  order: number;
  run: () => void;
  everyMs?: number;
}

export interface FakeWorld extends World {
  readonly clock: {
    /** Moves both clocks and fires what falls due, in order. Awaits microtasks between timers. */
    advance(ms: number): Promise<void>;
    /** Moves the wall clock only (a clock that was set). */
    shiftWall(ms: number): void;
    /** Timers armed now. */
    pending(): number;
  };
  readonly marks: string[];
  env: Record<string, string | undefined>;
}

export function fakeWorld(overrides: Partial<World> & { startAt?: number } = {}): FakeWorld {
  const { startAt = 1_770_000_000_000, ...rest } = overrides;
  let mono = 1_000;
  let wall = startAt;
  let order = 0;
  let ids = 0;
  const due = new Set<Due>();
  const arm = (ms: number, run: () => void, everyMs?: number): Timer => {
    const entry: Due = {
      at: mono + Math.max(0, ms),
      order: order++,
      run,
      ...(everyMs === undefined ? {} : { everyMs }),
    };
    due.add(entry);
    return { cancel: () => void due.delete(entry) };
  };
  const settle = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  const marks: string[] = [];
  return {
    now: () => wall,
    monotonic: () => mono,
    after: (ms, run) => arm(ms, run),
    every: (ms, run) => arm(ms, run, ms),
    sleep: (ms) => new Promise((resolve) => arm(ms, resolve)),
    uuid: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
    randomBytes: (size) => Buffer.alloc(size, ++ids % 256),
    env: {},
    pid: 4242,
    platform: "linux",
    arch: "x64",
    nodeVersion: "v24.0.0",
    hostname: () => "box",
    homedir: () => "/home/user",
    tmpdir: () => "/tmp",
    cwd: () => "/home/user",
    fetch: () => Promise.reject(new Error("fake world has no network")),
    spawn: () => {
      throw new Error("fake world has no processes");
    },
    mark: (name) => void marks.push(name),
    marks,
    clock: {
      async advance(ms) {
        const end = mono + ms;
        for (;;) {
          await settle();
          const next = [...due].filter((d) => d.at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
          if (!next) break;
          wall += next.at - mono;
          mono = next.at;
          if (next.everyMs === undefined) due.delete(next);
          else next.at += next.everyMs;
          next.run();
        }
        wall += end - mono;
        mono = end;
        await settle();
      },
      shiftWall(ms) {
        wall += ms;
      },
      pending: () => due.size,
    },
    ...rest,
  };
}
