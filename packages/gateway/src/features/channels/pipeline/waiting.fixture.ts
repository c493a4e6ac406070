/** Waiting without a clock, for the tests of the pipeline. */

/** Lets what is under way go on for some turns of the event loop. */
export async function settle(turns = 40): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export async function until(done: () => boolean, what = "the condition"): Promise<void> {
  const patienceMs = 10_000;
  for (const started = performance.now(); performance.now() - started < patienceMs;) {
    if (done()) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  throw new Error(`${what} did not come true`);
}
