import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Approvals, type ApprovalPort } from "./approvals.ts";

const request = {
  command: "ls",
  cwd: null,
  host: "gateway",
  security: null,
  ask: null,
  agentId: null,
  resolvedPath: null,
  sessionKey: null,
};

function open(lent: { offered?: string[]; answers?: Record<string, unknown>; scopes?: boolean } = {}) {
  const { offered = ["exec.approval.resolve"], answers = {}, scopes = true } = lent;
  const listeners = new Map<string, (payload: never) => void>();
  const calls: [string, unknown][] = [];
  let refresh = () => {};
  const port = {
    on: (event: string, listener: (payload: never) => void) => {
      listeners.set(event, listener);
      return () => {};
    },
    onRefresh: (listener: () => void) => {
      refresh = listener;
      return () => {};
    },
    offers: (method: string) => offered.includes(method),
    may: () => scopes,
    callAny: (method: string, params: unknown) => {
      calls.push([method, params]);
      const answer = answers[method];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? { ok: true });
    },
  } as unknown as ApprovalPort;
  const approvals = new Approvals(port);
  const ask = (id: string, forMs = 1_000, createdAtMs = 5) =>
    listeners.get("exec.approval.requested")?.({ id, request, createdAtMs, expiresAtMs: createdAtMs + forMs } as never);
  const resolved = (id: string) =>
    listeners.get("exec.approval.resolved")?.({ id, decision: "deny", resolvedBy: "Phone", ts: 1 } as never);
  const ids = () => approvals.waiting.value.map(({ id }) => id);
  return { approvals, ask, resolved, ids, calls, refresh: () => refresh() };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("questions wait in their order, each id once, and a decision takes its own away", async () => {
  const { approvals, ask, ids, calls } = open();
  for (const id of ["a", "b", "a"]) ask(id);
  expect(ids()).toEqual(["a", "b"]);
  await approvals.decide("a", "allow-once");
  expect(calls).toEqual([["exec.approval.resolve", { id: "a", decision: "allow-once" }]]);
  expect(ids()).toEqual(["b"]);
});

test("a refused decision leaves the question where it is", async () => {
  const { approvals, ask, ids } = open({ answers: { "exec.approval.resolve": new Error("unknown approval id") } });
  ask("a");
  await expect(approvals.decide("a", "deny")).rejects.toThrow("unknown approval id");
  expect(ids()).toEqual(["a"]);
});

test("a question decided elsewhere goes, with who decided, and does not come back", () => {
  const { approvals, ask, resolved, ids } = open();
  const seen = vi.fn();
  approvals.onOutcome = (approval, outcome) => seen(approval.id, outcome);
  ask("a");
  resolved("a");
  ask("a");
  expect(ids()).toEqual([]);
  expect(seen).toHaveBeenCalledWith("a", { decision: "deny", by: "Phone" });
});

test("a question is void after its own time, whatever the gateway's clock says", () => {
  const { approvals, ask, ids } = open();
  const seen = vi.fn();
  approvals.onOutcome = (approval, outcome) => seen(approval.id, outcome);
  ask("short", 1_000, Date.now() + 9e9);
  ask("long", 3_000);
  vi.advanceTimersByTime(1_000);
  expect(ids()).toEqual(["long"]);
  expect(seen).toHaveBeenCalledWith("short", "expired");
  vi.advanceTimersByTime(2_000);
  expect(ids()).toEqual([]);
});

test("nothing is asked of a page that cannot answer", () => {
  for (const page of [open({ offered: [] }), open({ scopes: false })]) {
    page.ask("a");
    expect(page.ids()).toEqual([]);
  }
});

test("after a connection what is pending is read, where the gateway lists it, without what is void", async () => {
  const now = Date.now();
  const entry = (id: string, expiresAtMs: number) => ({ id, request, createdAtMs: now - 500, expiresAtMs });
  const page = open({
    offered: ["exec.approval.resolve", "exec.approval.list"],
    answers: {
      "exec.approval.list": { pending: [entry("late", now - 1), entry("here", now + 500), { id: 7 }] },
    },
  });
  page.refresh();
  await vi.advanceTimersByTimeAsync(0);
  expect(page.ids()).toEqual(["here"]);
});

test("no flood of questions fills the memory", () => {
  const { ask, ids } = open();
  for (let index = 0; index < 200; index++) ask(`q${index}`);
  expect(ids()).toHaveLength(50);
});
