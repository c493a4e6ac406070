/** What the connection is doing, always visible, in words: the line in the rail and the banner above the view. */
import { RotateCw } from "lucide-preact";
import { useApp } from "../app/app.ts";
import type { Phase } from "../gateway/index.ts";
import { Button, Countdown, Status, type Tone } from "../ui/index.ts";

const words: Record<Phase["name"], { tone: Tone; text: string }> = {
  connecting: { tone: "idle", text: "Connecting" },
  connected: { tone: "ok", text: "Connected" },
  offline: { tone: "bad", text: "Not reachable" },
  restarting: { tone: "warn", text: "Restarting" },
  refused: { tone: "warn", text: "Needs you" },
};

export function ConnectionPill() {
  const { link } = useApp();
  const phase = link.phase.value;
  const { tone } = words[phase.name];
  const stopping = phase.name === "restarting" && phase.expectedAt === undefined;
  const text = stopping ? "Stopping" : words[phase.name].text;
  const host = URL.canParse(link.url) ? new URL(link.url).host : link.url;
  return (
    <div class="connection" data-phase={phase.name} title={`${text}: ${host}`}>
      <Status tone={tone}>{phase.name === "connecting" && phase.again ? "Reconnecting" : text}</Status>
    </div>
  );
}

/** Nothing while all is well; a line with cause, next attempt and "now" while it is not. */
export function ConnectionBanner() {
  const { link } = useApp();
  const phase = link.phase.value;
  if (phase.name === "restarting") return <RestartingBanner reason={phase.reason} expectedAt={phase.expectedAt} />;
  if (phase.name !== "offline") return null;
  const url = URL.canParse(link.url) ? new URL(link.url) : undefined;
  return (
    <div class="banner bad" role="status">
      <p>
        <b>No gateway at {url?.host ?? link.url}.</b> It is not running or not reachable from here. What you see may be
        old. Next attempt <Countdown until={phase.retryAt} />.
      </p>
      <RetryButton />
    </div>
  );
}

/** They say what the sentence before them says. */
const plainReasons: ReadonlySet<string> = new Set(["", "gateway stopping", "gateway restarting"]);

function RestartingBanner({ reason, expectedAt }: { reason: string; expectedAt: number | undefined }) {
  return (
    <div class="banner warn" role="status">
      <p>
        <b>{expectedAt === undefined ? "The gateway is stopping." : "The gateway is restarting."}</b>
        {plainReasons.has(reason) ? "" : ` Reason: ${reason}.`}
        {expectedAt === undefined ? (
          " This page connects again by itself."
        ) : (
          <>
            {" "}
            Back <Countdown until={expectedAt} />.
          </>
        )}
      </p>
      <RetryButton />
    </div>
  );
}

function RetryButton() {
  const { link } = useApp();
  return (
    <Button icon={RotateCw} onClick={() => link.retryNow()}>
      Retry now
    </Button>
  );
}
