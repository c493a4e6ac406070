import { useApp } from "../../app/app.ts";
import { sessionTitle, type SessionRow } from "../../chat/session-title.ts";
import { Confirm, spoken } from "../../ui/index.ts";

interface SessionDialogProps {
  row: SessionRow;
  onDone: () => void;
  onClose: () => void;
}

export function ResetSession({ row, onDone, onClose }: SessionDialogProps) {
  const { link, toasts } = useApp();
  const title = sessionTitle(row);
  const reset = async () => {
    await link.call("sessions.reset", { key: row.key });
    toasts.show(`${title} starts anew.`, { tone: "ok" });
    onDone();
  };
  return (
    <Confirm title={`Start ${title} anew?`} action="Start anew" onConfirm={spoken(reset)} onClose={onClose}>
      <p>
        The agent forgets this conversation. Label, model and levels stay, and the former transcript is kept on the
        gateway's machine.
      </p>
      <p class="id">{row.key}</p>
    </Confirm>
  );
}

export function DeleteSession({ row, onDone, onClose }: SessionDialogProps) {
  const { link, toasts } = useApp();
  const title = sessionTitle(row);
  const remove = async () => {
    const { deleted } = await link.call(
      "sessions.delete",
      { key: row.key, deleteTranscript: true },
      { timeoutMs: 30_000 },
    );
    toasts.show(deleted ? `${title} is deleted.` : `${title} was gone already.`, { tone: "ok" });
    onDone();
  };
  return (
    <Confirm title={`Delete ${title}?`} action="Delete session" onConfirm={spoken(remove)} onClose={onClose}>
      <p>The session and its transcript will be gone, and a run that is under way is stopped.</p>
      <p class="id">{row.key}</p>
    </Confirm>
  );
}
