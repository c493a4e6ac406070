import { Type } from "typebox";
import { expect, test } from "vitest";
import { diffConfig } from "./diff.ts";
import { group, optMap } from "./fields.ts";
import { reloadPlan } from "./plan.ts";
import { section } from "./section.ts";

const account = group("One.", {
  token: Type.Optional(Type.String()),
  dir: Type.Optional(Type.String({ reload: "phone" })),
});
const declared = {
  sections: [
    section(
      "core",
      { reload: "restart", description: "" },
      {
        port: Type.Integer({ default: 1 }),
        remote: Type.Object({ url: Type.Optional(Type.String()) }, { reload: "live" }),
      },
    ),
    section("phone", { reload: "live", description: "" }, { accounts: optMap(account, "", { entryReload: "phone" }) }),
    section(
      "hooks",
      { reload: "hooks", description: "" },
      {
        path: Type.Optional(Type.String()),
        mail: Type.Object({ box: Type.Optional(Type.String()) }, { reload: "hooks mail" }),
      },
    ),
    section(
      "places",
      { reload: "restart", description: "" },
      {
        phone: Type.Optional(
          group("One.", { name: Type.Optional(Type.String()) }, { reload: "live", ownReload: "phone" }),
        ),
      },
    ),
    section("meta", { reload: "none", description: "" }, { at: Type.Optional(Type.String()) }),
  ],
};
const plan = (...paths: string[]) => {
  const { live, services, restart, ignored } = reloadPlan(paths, declared);
  return { live, services: Object.fromEntries(services), restart, ignored };
};

test("objects are compared key by key, lists and scalars as a whole", () => {
  expect(diffConfig({ a: { b: 1, c: [1, 2] }, d: 1 }, { a: { b: 2, c: [1, 3] }, e: {} })).toEqual([
    "a.b",
    "a.c",
    "d",
    "e",
  ]);
  expect(diffConfig({ a: [{ x: 1, y: 2 }] }, { a: [{ y: 2, x: 1 }] })).toEqual([]);
});

test("a key takes the class of the nearest declaration above it", () => {
  expect(plan("core.port", "core.remote.url", "meta.at", "unknown.key")).toEqual({
    live: ["core.remote.url"],
    services: {},
    restart: ["core.port", "unknown.key"],
    ignored: ["meta.at"],
  });
});

test("a group that comes or goes may have another class than its keys", () => {
  expect(plan("places.phone").services).toEqual({ phone: ["places.phone"] });
  expect(plan("places.phone.name").live).toEqual(["places.phone.name"]);
});

test("a class may name several services", () => {
  expect(plan("hooks.path", "hooks.mail.box").services).toEqual({
    hooks: ["hooks.path", "hooks.mail.box"],
    mail: ["hooks.mail.box"],
  });
});

test("entries that come or go have a class of their own, and what changes inside one has not", () => {
  expect(plan("phone.accounts.work", "phone.accounts.work.token", "phone.accounts.work.dir")).toEqual({
    live: ["phone.accounts.work.token"],
    services: { phone: ["phone.accounts.work", "phone.accounts.work.dir"] },
    restart: [],
    ignored: [],
  });
});
