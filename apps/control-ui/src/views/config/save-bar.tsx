import { useApp } from "../../app/app.ts";
import { plural } from "../../app/format.ts";
import { Button } from "../../ui/index.ts";
import { useDesk } from "./desk.ts";
import { useRawState } from "./raw-state.ts";

/** How much is not saved, and the way on. Stays in sight while one scrolls. */
export function SaveBar({ onReview }: { onReview: () => void }) {
  const { link } = useApp();
  const desk = useDesk();
  const { dirty, draft, raw, issues, mayEdit, action, newer } = desk;
  const { problem } = useRawState(desk);
  if (!dirty) return null;
  const wrong = raw === undefined ? [...issues.values()][0]?.message : problem?.message;
  const why = newer
    ? "The file changed meanwhile"
    : wrong !== undefined
      ? `Not valid: ${wrong}`
      : !link.connected.value
        ? "No connection"
        : undefined;
  return (
    <div class="save-bar" role="region" aria-label="Unsaved changes">
      <p role="status">
        <b>{raw === undefined ? plural(draft.size, "unsaved change") : "The text is changed"}</b>
        {why !== undefined && <span class="dim"> · {why}</span>}
      </p>
      <div class="actions">
        <Button onClick={desk.reset}>Discard</Button>
        <Button
          kind="primary"
          disabled={!mayEdit || newer !== undefined || wrong !== undefined || action.busy !== undefined}
          onClick={onReview}
        >
          Review and save
        </Button>
      </div>
    </div>
  );
}
