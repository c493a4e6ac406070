/** The question about one command, above everything. Nothing that allows has the focus when it opens, nothing can be pressed in
 *  its first moments, and Esc only puts it aside. */
import { useEffect, useState } from "preact/hooks";
import { now } from "../app/clock.ts";
import { useApp } from "../app/app.ts";
import { plainError } from "../gateway/index.ts";
import { Button, Dialog, ErrorNotice, Facts, Link, Notice, Verbatim, VerbatimText } from "../ui/index.ts";
import { piecesOf } from "../ui/hidden-characters.ts";
import "./approvals.css";
import type { Approval, Decision } from "./approvals.ts";

/** A press that was meant for what stood there before must not decide. */
const settleMs = 600;

interface ApprovalDialogProps {
  approval: Approval;
  /** Questions behind this one. */
  behind: number;
  onAside: () => void;
}

export function ApprovalDialog({ approval, behind, onAside }: ApprovalDialogProps) {
  const { link, router, approvals, toasts } = useApp();
  const { id, request } = approval;
  const [settled, setSettled] = useState(false);
  const [busy, setBusy] = useState<Decision>();
  const [error, setError] = useState<{ text: string; gone: boolean }>();
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), settleMs);
    return () => clearTimeout(timer);
  }, []);
  const decide = async (decision: Decision) => {
    setBusy(decision);
    setError(undefined);
    try {
      await approvals.decide(id, decision);
      toasts.announce(
        { "allow-once": "Allowed once.", "allow-always": "Allowed from now on.", deny: "Denied." }[decision],
      );
    } catch (failure) {
      const text = plainError(failure);
      setError({ text, gone: /unknown approval id|expired/i.test(text) });
      setBusy(undefined);
    }
  };
  const off = !settled || busy !== undefined || !link.connected.value || error?.gone === true;
  const odd = piecesOf(request.command).some(({ name, text }) => name !== undefined && text !== "\n" && text !== "\t");
  const lines = request.command.split("\n").length;
  return (
    <Dialog title="May this command run?" onClose={onAside} class="approval">
      <div class="dialog-body">
        <p class="approval-time">
          <TimeLeft until={approval.voidAt} />
          {behind > 0 && <span>{behind === 1 ? "1 more command waits" : `${behind} more commands wait`}</span>}
        </p>
        <Verbatim text={request.command} label="The command" autofocus />
        <p class="dim small">
          {lines > 1 && `${lines} lines, `}
          {request.command.length} characters
        </p>
        {odd && (
          <Notice tone="warn">
            <p>It holds characters that cannot be seen or that change how text looks. They are shown by their codes.</p>
          </Notice>
        )}
        <Facts
          rows={[
            ["Runs on", request.host ?? "the gateway"],
            ["In", <Exact text={request.cwd} or="the agent's workspace" />],
            ["Program", <Exact text={request.resolvedPath} or="not found" />],
            ["For agent", <Exact text={request.agentId} or="the default agent" />],
            [
              "In session",
              request.sessionKey === null ? (
                "none"
              ) : (
                <Link
                  href={router.href("/chat", request.sessionKey)}
                  onClick={(event) => {
                    router.follow(event, router.href("/chat", request.sessionKey ?? ""));
                    onAside();
                  }}
                >
                  <VerbatimText text={request.sessionKey} />
                </Link>
              ),
            ],
            ["Rule", [request.security, request.ask && `ask ${request.ask}`].filter(Boolean).join(", ") || "not told"],
          ]}
        />
        {!link.connected.value && (
          <Notice tone="warn">
            <p>There is no connection to the gateway, so nothing can be decided now.</p>
          </Notice>
        )}
        {error !== undefined && (
          <ErrorNotice
            text={
              error.gone
                ? "The gateway no longer waits for this: it was decided elsewhere, or its time is over."
                : `Nothing was decided. ${error.text}`
            }
          />
        )}
        {request.ask !== "always" && error?.gone !== true && (
          <p class="dim small">{alwaysTitle(request.resolvedPath)}</p>
        )}
        <div class="approval-actions">
          {error?.gone === true ? (
            <Button onClick={() => approvals.drop(id)}>Close</Button>
          ) : (
            <>
              <Button kind="danger" disabled={off} onClick={() => void decide("deny")}>
                Deny
              </Button>
              <span class="approval-gap" />
              {request.ask !== "always" && (
                <Button
                  disabled={off}
                  title={alwaysTitle(request.resolvedPath)}
                  onClick={() => void decide("allow-always")}
                >
                  Always allow
                </Button>
              )}
              <Button kind="primary" disabled={off} onClick={() => void decide("allow-once")}>
                Allow once
              </Button>
            </>
          )}
        </div>
      </div>
    </Dialog>
  );
}

const alwaysTitle = (path: string | null): string =>
  `“Always allow” lets ${path === null ? "the program" : path} run for this agent from now on, with any arguments.`;

const Exact = ({ text, or }: { text: string | null; or: string }) =>
  text === null || text === "" ? <span class="dim">{or}</span> : <VerbatimText text={text} />;

function TimeLeft({ until }: { until: number }) {
  const seconds = Math.max(0, Math.ceil((until - now().value) / 1_000));
  const minutes = Math.floor(seconds / 60);
  const text = minutes === 0 ? `${seconds} s` : `${minutes}:${String(seconds % 60).padStart(2, "0")} min`;
  return (
    <span role="timer">
      Waits for <b class="number">{text}</b>, then the rule for unanswered commands applies.
    </span>
  );
}
