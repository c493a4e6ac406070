import { expect, test } from "vitest";
import { perCommit, perConfig } from "./remembered.ts";

test("what depends on the config is computed again when a reload swapped it", () => {
  const config = { current: { n: 1 } };
  let computed = 0;
  const read = perConfig(config, () => (computed++, config.current.n * 10));
  expect([read(), read(), computed]).toEqual([10, 10, 1]);
  config.current = { n: 2 };
  expect([read(), read(), computed]).toEqual([20, 20, 2]);
});

test("what depends on the store is computed again after a commit, each key by itself", () => {
  const store = { generation: 0 };
  const computed: string[] = [];
  const read = perCommit(store, (key) => (computed.push(key), `${key}${store.generation}`));
  expect([read("a"), read("b"), read("a")]).toEqual(["a0", "b0", "a0"]);
  store.generation = 1;
  expect([read("a"), read("a")]).toEqual(["a1", "a1"]);
  expect(computed).toEqual(["a", "b", "a"]);
});
