/** Commands that wait for a person's decision, over all views (control-ui.md §12). The gateway decides what is pending; what is
 *  kept here is a queue of questions, each with the moment at which it is void. */
import { signal, type ReadonlySignal } from "@preact/signals";
import type { EventPayload } from "@openclaw/protocol";
import { isRecord, type GatewayLink } from "../gateway/index.ts";

export type Decision = "allow-once" | "allow-always" | "deny";
type Requested = EventPayload<"exec.approval.requested">;

export interface Approval {
  id: string;
  request: Requested["request"];
  /** ms since the epoch by this browser's clock. */
  voidAt: number;
}

/** More at a time is no question a person can answer; the gateway's own deadline refuses the rest. */
const maxWaiting = 50;
const maxDecided = 100;
const longestTimerMs = 2 ** 31 - 1;

/** The part of the link that is needed here. */
export type ApprovalPort = Pick<GatewayLink, "on" | "onRefresh" | "offers" | "may" | "callAny">;

export class Approvals {
  readonly #port: ApprovalPort;
  readonly #waiting = signal<readonly Approval[]>([]);
  /** Ids that were decided: a list that was read before must not bring them back. */
  readonly #decided = new Set<string>();
  readonly #now: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Says how a question ended that was not answered here. */
  onOutcome: (approval: Approval, outcome: { decision: Decision; by: string | undefined } | "expired") => void =
    () => {};

  constructor(port: ApprovalPort, now: () => number = Date.now) {
    this.#port = port;
    this.#now = now;
    port.on("exec.approval.requested", (payload) => this.#take(payload, now()));
    port.on("exec.approval.resolved", ({ id, decision, resolvedBy }) => {
      const known = this.#waiting.peek().find((approval) => approval.id === id);
      this.#forget(id);
      if (known) this.onOutcome(known, { decision, by: resolvedBy ?? undefined });
    });
    port.onRefresh(() => void this.#readPending());
  }

  /** Oldest first. Empty where the gateway does not ask. */
  get waiting(): ReadonlySignal<readonly Approval[]> {
    return this.#waiting;
  }

  /** Rejects with the gateway's refusal; the question stays then. */
  async decide(id: string, decision: Decision): Promise<void> {
    await this.#port.callAny("exec.approval.resolve", { id, decision });
    this.#forget(id);
  }

  /** Takes a question away that the gateway no longer knows. */
  drop(id: string): void {
    this.#forget(id);
  }

  #take(payload: Requested, createdAt: number): void {
    const { id, request, createdAtMs, expiresAtMs } = payload;
    if (!this.#port.offers("exec.approval.resolve") || !this.#port.may("operator.approvals")) return;
    const waiting = this.#waiting.peek();
    if (this.#decided.has(id) || waiting.length >= maxWaiting || waiting.some((approval) => approval.id === id)) return;
    // Counted from its arrival: the clocks of gateway and browser need not agree.
    const voidAt = createdAt + (expiresAtMs - createdAtMs);
    if (voidAt <= this.#now()) return;
    this.#waiting.value = [...waiting, { id, request, voidAt }];
    this.#wait();
  }

  /** Events are not repeated to a page that connects later: what it missed is asked for, where the gateway can tell. */
  async #readPending(): Promise<void> {
    if (!this.#port.offers("exec.approval.list") || !this.#port.may("operator.approvals")) return;
    try {
      const answer = await this.#port.callAny("exec.approval.list", {});
      const pending = isRecord(answer) && Array.isArray(answer.pending) ? answer.pending : [];
      for (const entry of pending) if (isRequested(entry)) this.#take(entry, entry.createdAtMs);
    } catch {
      // A page that cannot ask shows what it is told from now on.
    }
  }

  #forget(id: string): void {
    this.#decided.add(id);
    if (this.#decided.size > maxDecided)
      for (const oldest of this.#decided) {
        this.#decided.delete(oldest);
        break;
      }
    this.#waiting.value = this.#waiting.peek().filter((approval) => approval.id !== id);
    this.#wait();
  }

  /** One timer, for the question that is void first. */
  #wait(): void {
    clearTimeout(this.#timer);
    const waiting = this.#waiting.peek();
    if (waiting.length === 0) return;
    const first = Math.min(...waiting.map(({ voidAt }) => voidAt));
    this.#timer = setTimeout(() => this.#expire(), Math.min(Math.max(0, first - this.#now()), longestTimerMs));
  }

  #expire(): void {
    const now = this.#now();
    for (const approval of this.#waiting.peek()) {
      if (approval.voidAt > now) continue;
      this.#forget(approval.id);
      this.onOutcome(approval, "expired");
    }
    this.#wait();
  }
}

const isRequested = (entry: unknown): entry is Requested =>
  isRecord(entry) &&
  typeof entry.id === "string" &&
  isRecord(entry.request) &&
  typeof entry.request.command === "string" &&
  typeof entry.createdAtMs === "number" &&
  typeof entry.expiresAtMs === "number";
