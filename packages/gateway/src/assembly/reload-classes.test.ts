/** lifecycle.md §7.4 beyond the examples of `sections.test.ts`: every top-level section has the class its row gives it. */
import { expect, test } from "vitest";
import { reloadPlan } from "../config/index.ts";
import { declared } from "./sections.ts";

const classOf = (path: string): string => {
  const { live, restart, ignored, services } = reloadPlan([path], declared);
  if (live.length > 0) return "live";
  if (restart.length > 0) return "restart";
  return ignored.length > 0 ? "none" : [...services.keys()].join(" ");
};

/** Rows 13 to 15, and what row 15 allows to be live once it is read at use. */
const restarting = new Set(["gateway", "plugins", "discovery", "canvasHost", "env"]);
const hot = new Map([
  ["cron", "cron"],
  ["hooks", "hooks"],
  ["browser", "browser"],
  ["web", "whatsapp"],
]);
const read = new Set("models agents tools bindings audio messages session talk skills ui logging commands".split(" "));

test("lifecycle 7.4: rows 11 to 15 hold for every section as a whole", () => {
  const found = declared.sections.map(({ path }) => [path, classOf(`${path}.someKeyNobodyDeclared`)] as const);
  expect(found.length).toBeGreaterThan(20);
  const wrong = found.filter(([path, reload]) => {
    if (restarting.has(path)) return reload !== "restart";
    if (read.has(path)) return reload !== "live";
    return hot.has(path) && reload !== hot.get(path);
  });
  expect(wrong).toEqual([]);
});

test("lifecycle 7.4: legacy names never reach the plan, and what no section declares restarts", () => {
  for (const path of ["identity.name", "agent.heartbeat", "routing.bindings", "unheardOf", "channels.mychat.token"])
    expect([path, classOf(path)]).toEqual([path, "restart"]);
});

test("lifecycle 7.4: a list is one change, whatever in it differs", () => {
  expect(classOf("agents.list")).toBe("live");
  expect(classOf("gateway.trustedProxies")).toBe("restart");
});
