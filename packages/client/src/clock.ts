/** Time and chance as the client sees them. Passed in, so that tests of reconnecting and deadlines never sleep. */
export interface ClientClock {
  /** ms of a clock that never jumps backwards. */
  monotonic(): number;
  /** ms since the epoch: signatures only. */
  now(): number;
  /** Calls `run` once after `ms`. The returned function cancels and may be called twice. */
  after(ms: number, run: () => void): () => void;
  /** In [0, 1). */
  random(): number;
}

export const systemClock: ClientClock = {
  monotonic: () => performance.now(),
  now: () => Date.now(),
  after(ms, run) {
    const handle = setTimeout(run, ms);
    return () => clearTimeout(handle);
  },
  random: () => Math.random(),
};
