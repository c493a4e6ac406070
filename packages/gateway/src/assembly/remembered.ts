/** Answers that are asked for with every `status` and list, and change only with the config or with a commit. */

/** Computed once per config: a reload swaps `current`. */
export function perConfig<C, T>(config: { readonly current: C }, compute: () => T): () => T {
  let known: { config: C; value: T } | undefined;
  return () => {
    if (known?.config !== config.current) known = { config: config.current, value: compute() };
    return known.value;
  };
}

const maxKeys = 64;

/** Computed once per key until the next transaction of the store. Keys are few: agents and list lengths. */
export function perCommit<T>(store: { readonly generation: number }, compute: (key: string) => T): (key: string) => T {
  let generation = -1;
  const known = new Map<string, T>();
  return (key) => {
    if (generation !== store.generation || known.size >= maxKeys) {
      known.clear();
      generation = store.generation;
    }
    const found = known.get(key);
    if (found !== undefined) return found;
    const value = compute(key);
    known.set(key, value);
    return value;
  };
}
