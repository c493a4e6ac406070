import { useEffect, useState } from "preact/hooks";
import { ShieldQuestion } from "lucide-preact";
import { useApp } from "../app/app.ts";
import { Button, Countdown } from "../ui/index.ts";
import { ApprovalDialog } from "./approval-dialog.tsx";
import type { Approval } from "./approvals.ts";

/** The first question of the queue, or, put aside, a line that leads back to it. */
export function ApprovalDesk() {
  const { approvals, toasts } = useApp();
  /** Questions that were looked at and left for later. */
  const [aside, setAside] = useState<ReadonlySet<string>>(new Set());
  const waiting = approvals.waiting.value;
  const [first] = waiting;
  const last = waiting.at(-1);
  useEffect(() => {
    approvals.onOutcome = (approval, outcome) => toasts.show(outcomeWords(approval, outcome));
  }, [approvals]);
  useEffect(() => {
    if (last) toasts.announce("A command waits for your decision.");
  }, [last?.id]);
  if (!first) return null;
  // Another question brings the others back with it.
  if (waiting.some(({ id }) => !aside.has(id)))
    return (
      <ApprovalDialog
        key={first.id}
        approval={first}
        behind={waiting.length - 1}
        onAside={() => setAside(new Set(waiting.map(({ id }) => id)))}
      />
    );
  return (
    <div class="banner warn" role="status">
      <ShieldQuestion size={18} aria-hidden="true" />
      <p>
        <b>
          {waiting.length === 1
            ? "A command waits for your decision."
            : `${waiting.length} commands wait for your decision.`}
        </b>{" "}
        The first lapses <Countdown until={Math.min(...waiting.map(({ voidAt }) => voidAt))} />.
      </p>
      <Button onClick={() => setAside(new Set())}>Review</Button>
    </div>
  );
}

function outcomeWords({ request }: Approval, outcome: Parameters<typeof outcomeOf>[0]): string {
  const command = request.command.length > 60 ? `${request.command.slice(0, 60)}…` : request.command;
  return `${outcomeOf(outcome)}: ${command.replace(/[\p{C}\p{Z}]+/gu, " ")}`;
}

function outcomeOf(outcome: { decision: string; by: string | undefined } | "expired"): string {
  if (outcome === "expired") return "Nobody decided in time";
  const by = outcome.by === undefined ? "elsewhere" : `by ${outcome.by}`;
  return outcome.decision === "deny" ? `Denied ${by}` : `Allowed ${by}`;
}
