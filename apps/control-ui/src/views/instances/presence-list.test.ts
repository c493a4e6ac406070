import { expect, test } from "vitest";
import { afterPresence, type Entry } from "./presence-list.ts";

const gateway: Entry = { host: "Box", mode: "gateway", ts: 5 };
const phone: Entry = { host: "phone", deviceId: "D1", ts: 3 };
const tab: Entry = { host: "openclaw-control-ui", instanceId: "i1", ts: 1 };

test("what changed takes its place, who went goes, the latest stands first", () => {
  const list = [gateway, phone, tab];
  const again = { ...tab, ts: 9 };
  expect(afterPresence(list, { delta: { upserted: [again], removed: ["d1"] } })).toEqual([again, gateway]);
  expect(afterPresence(list, { delta: { upserted: [{ ...phone, reason: "disconnect" }], removed: [] } })).toHaveLength(
    3,
  );
  expect(afterPresence(list, { delta: { upserted: [], removed: ["box"] } })).toEqual([phone, tab]);
});

test("a whole list is taken as it is", () => {
  expect(afterPresence([gateway], { presence: [phone] })).toEqual([phone]);
});

test("what cannot be placed makes the list be read again", () => {
  const nameless: Entry = { host: "lamp", ts: 2 };
  expect(afterPresence([gateway], { delta: { upserted: [nameless], removed: [] } })).toBeUndefined();
  expect(afterPresence([gateway], { delta: { upserted: [], removed: ["conn-7"] } })).toBeUndefined();
  expect(afterPresence([nameless], { delta: { upserted: [phone], removed: [] } })).toBeUndefined();
});
