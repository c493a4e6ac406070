import { expect, test } from "vitest";
import { draftOf, faultsOf, newDraft, patchOf, toJob, type JobDraft } from "./job-draft.ts";
import { expressionWords, fromLocalField, intervalWords, momentOf, toLocalField, type Job } from "./schedule.ts";

const now = Date.UTC(2026, 10, 21, 12);
const draft = (changes: Partial<JobDraft> = {}): JobDraft => ({
  ...newDraft(now),
  name: "Weather",
  text: "Look up the weather.",
  ...changes,
});

const job: Job = {
  id: "j1",
  name: "Weather",
  enabled: true,
  createdAtMs: now,
  updatedAtMs: now,
  schedule: { kind: "every", everyMs: 5_400_000, anchorMs: 7 },
  sessionTarget: "isolated",
  wakeMode: "now",
  payload: { kind: "agentTurn", message: "Look.", model: "mock/m1" },
  delivery: { mode: "announce", channel: "telegram", to: "42", bestEffort: true },
  state: {},
};

test("each kind of schedule becomes what the wire calls it", () => {
  const at = draft({ kind: "at", at: "2026-12-24T18:00" });
  expect(toJob(at)).toMatchObject({
    schedule: { kind: "at", at: new Date("2026-12-24T18:00").toISOString() },
    deleteAfterRun: true,
  });
  expect(toJob(draft({ count: "90", unit: "minutes" })).schedule).toEqual({ kind: "every", everyMs: 5_400_000 });
  const cron = draft({ kind: "cron", expr: " 0 9 * * 1-5 ", tz: "Europe/Berlin" });
  expect(toJob(cron).schedule).toEqual({ kind: "cron", expr: "0 9 * * 1-5", tz: "Europe/Berlin" });
  expect(toJob({ ...cron, tz: "" }).schedule).toEqual({ kind: "cron", expr: "0 9 * * 1-5" });
});

test("the payload follows the session, so that no refused pairing can be sent", () => {
  expect(toJob(draft({ target: "main" }))).toMatchObject({
    sessionTarget: "main",
    payload: { kind: "systemEvent", text: "Look up the weather." },
  });
  expect(toJob(draft({ target: "main" }))).not.toHaveProperty("delivery");
  expect(toJob(draft({ timeoutSeconds: "30", channel: "telegram", to: " 42 " }))).toMatchObject({
    sessionTarget: "isolated",
    payload: { kind: "agentTurn", message: "Look up the weather.", timeoutSeconds: 30 },
    delivery: { mode: "announce", channel: "telegram", to: "42" },
  });
});

test("what cannot be sent is told beside its field", () => {
  expect(faultsOf(draft(), now)).toEqual({});
  const faults = (changes: Partial<JobDraft>) => Object.keys(faultsOf(draft(changes), now));
  expect(faults({ name: " " })).toEqual(["name"]);
  expect(faults({ text: "\n" })).toEqual(["text"]);
  expect(faults({ kind: "at", at: "" })).toEqual(["at"]);
  expect(faultsOf(draft({ kind: "at", at: "2020-01-01T00:00" }), now).at).toBe("This moment has passed.");
  expect(faultsOf(draft({ kind: "at", at: "2090-01-01T00:00" }), now).at).toBe("At most ten years ahead.");
  for (const count of ["", "0", "-1", "x"]) expect(faults({ count })).toEqual(["count"]);
  expect(faults({ count: "0.0001", unit: "seconds" })).toEqual(["count"]);
  for (const expr of ["* * * *", "", "0 9 * * mon; rm"]) expect(faults({ kind: "cron", expr })).toEqual(["expr"]);
  expect(faults({ kind: "cron", tz: "Europe/Atlantis" })).toEqual(["tz"]);
  expect(faults({ timeoutSeconds: "0" })).toEqual(["timeoutSeconds"]);
  expect(faults({ to: "42" })).toEqual(["channel"]);
  expect(faults({ to: "42", target: "main" })).toEqual([]);
});

test("an edit sends only what was changed, and leaves alone what the form does not know", () => {
  const before = draftOf(job, now);
  expect(before).toMatchObject({ count: "90", unit: "minutes", channel: "telegram", to: "42", agentId: "" });
  expect(patchOf(before, before)).toEqual({});
  expect(patchOf(before, { ...before, name: "Sun" })).toEqual({ name: "Sun" });
  expect(patchOf(before, { ...before, text: "Look again." })).toEqual({
    payload: { kind: "agentTurn", message: "Look again." },
  });
  expect(patchOf(before, { ...before, to: "" })).toEqual({
    delivery: { mode: "announce", channel: "telegram", to: "" },
  });
  expect(patchOf({ ...before, timeoutSeconds: "30" }, before)).toEqual({
    payload: { kind: "agentTurn", message: "Look.", timeoutSeconds: null },
  });
  expect(patchOf(before, { ...before, count: "2", unit: "hours" })).toEqual({
    schedule: { kind: "every", everyMs: 7_200_000 },
  });
});

test("an agent, a description and a kind of session are given back too", () => {
  const before = draftOf({ ...job, agentId: "ada", description: "x" }, now);
  expect(patchOf(before, { ...before, agentId: "", description: "" })).toEqual({ agentId: null, description: "" });
  expect(patchOf(before, { ...before, target: "main" })).toEqual({
    sessionTarget: "main",
    payload: { kind: "systemEvent", text: "Look." },
  });
});

test("a schedule reads as a sentence where there is one", () => {
  expect(intervalWords(60_000)).toBe("every minute");
  expect(intervalWords(5_400_000)).toBe("every 90 minutes");
  expect(intervalWords(1_500)).toBe("every 1.5 seconds");
  expect(expressionWords("0 9 * * 1-5")).toBe("on weekdays at 09:00");
  expect(expressionWords("30 18 * * 7")).toBe("on Sundays at 18:30");
  expect(expressionWords("5 4 * * *")).toBe("every day at 04:05");
  expect(expressionWords("0 * * * *")).toBe("every full hour");
  for (const expr of ["*/5 * * * *", "0 9 1 * *", "0 0 9 * * *", "0 9 * * 1,3", "99"])
    expect(expressionWords(expr)).toBeUndefined();
});

test("moments go through the form unchanged; on the wire a time without zone is UTC", () => {
  const at = new Date("2026-12-24T18:00:05").getTime();
  expect(toLocalField(at)).toBe("2026-12-24T18:00:05");
  expect(fromLocalField(toLocalField(at))).toBe(at);
  expect(fromLocalField("soon")).toBeUndefined();
  expect(momentOf("2026-12-24T18:00:00")).toBe(Date.UTC(2026, 11, 24, 18));
  expect(momentOf("2026-12-24T18:00:00+01:00")).toBe(Date.UTC(2026, 11, 24, 17));
});
