/** A World in which time flows as usual and can also jump: timers fire when they fall due by either. So a real gateway with
 *  real sockets can be asked what it does after ten seconds without waiting for them. */
import { systemWorld, type Timer, type World } from "../../packages/gateway/src/kernel/world.ts";

interface Armed {
  due: number;
  order: number;
  run: () => void;
  everyMs?: number;
  real?: NodeJS.Timeout;
}

export interface JumpWorld extends World {
  /** Moves both clocks and fires what falls due on the way, in order. */
  jump(ms: number): Promise<void>;
  /** Moves the wall clock only. */
  shiftWall(ms: number): void;
  /** Moves both clocks at once and lets what fell due come late, as after a stopped process. */
  stall(ms: number): void;
  readonly marks: string[];
  /** Timers armed now. */
  pending(): number;
}

export function jumpWorld(env: Record<string, string>, overrides: Partial<World> = {}): JumpWorld {
  const real = systemWorld(env);
  let jumped = 0;
  let shifted = 0;
  let order = 0;
  const armed = new Set<Armed>();
  const marks: string[] = [];
  const monotonic = () => real.monotonic() + jumped;

  const fire = (entry: Armed) => {
    clearTimeout(entry.real);
    if (entry.everyMs === undefined) armed.delete(entry);
    else {
      entry.due += entry.everyMs;
      schedule(entry);
    }
    entry.run();
  };
  const schedule = (entry: Armed) => {
    entry.real = setTimeout(() => fire(entry), Math.max(0, entry.due - monotonic()));
    entry.real.unref();
  };
  const arm = (ms: number, run: () => void, everyMs?: number): Timer => {
    const entry: Armed = {
      due: monotonic() + Math.max(0, ms),
      order: order++,
      run,
      ...(everyMs === undefined ? {} : { everyMs }),
    };
    armed.add(entry);
    schedule(entry);
    return {
      cancel: () => {
        clearTimeout(entry.real);
        armed.delete(entry);
      },
    };
  };
  return {
    ...real,
    now: () => Math.round(real.now() + jumped + shifted),
    monotonic,
    after: (ms, run) => arm(ms, run),
    every: (ms, run) => arm(ms, run, ms),
    sleep: (ms) => new Promise((resolve) => arm(ms, resolve)),
    mark: (name) => void marks.push(name),
    marks,
    pending: () => armed.size,
    stall: (ms) => void (jumped += ms),
    shiftWall: (ms) => void (shifted += ms),
    async jump(ms) {
      const end = monotonic() + ms;
      for (;;) {
        const next = [...armed]
          .filter((entry) => entry.due <= end)
          .sort((a, b) => a.due - b.due || a.order - b.order)[0];
        if (!next) break;
        jumped += Math.max(0, next.due - monotonic());
        fire(next);
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      jumped += Math.max(0, end - monotonic());
      for (const entry of armed) {
        clearTimeout(entry.real);
        schedule(entry);
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
    ...overrides,
  };
}
