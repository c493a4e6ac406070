/** What a crash leaves, for the tests of the pipeline. */
import type { Store } from "../../../store/index.ts";

/** A process: from its death on nothing of it is written, and nothing it waits for returns. */
export function mortal(disk: Store): { store: Store; die(): void } {
  let dead = false;
  const never = new Promise<never>(() => {});
  const commit: Store["commit"] = (unit) => {
    if (dead) return never;
    const done = disk.commit((tx) => {
      if (dead) throw new Error("this process is dead");
      return unit(tx);
    });
    return done.then(
      (value) => (dead ? never : value),
      (error: unknown) => {
        if (dead) return never;
        throw error;
      },
    );
  };
  const store: Store = {
    path: disk.path,
    get: (sql, ...params) => disk.get(sql, ...params),
    all: (sql, ...params) => disk.all(sql, ...params),
    check: () => disk.check(),
    close: () => {},
    commit,
  };
  return {
    store,
    die: () => {
      dead = true;
    },
  };
}
