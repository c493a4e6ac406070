import { Button, Dialog, ErrorNotice } from "../../ui/index.ts";
import { changesOf } from "./draft.ts";
import { useDesk } from "./desk.ts";
import { TextDiff } from "./text-diff.tsx";

/** What will change, before it does. Secrets are never written out. */
export function ReviewDialog({ onClose }: { onClose: () => void }) {
  const desk = useDesk();
  const { raw, action, newer } = desk;
  const save = async (work: () => Promise<boolean>) => {
    if (await work()) onClose();
  };
  const off = action.busy !== undefined || newer !== undefined || !desk.mayEdit;
  return (
    <Dialog title="Save these changes?" onClose={onClose} class="review">
      {raw === undefined ? <FormChanges /> : <TextDiff before={desk.base.snapshot.raw ?? ""} after={raw} />}
      {newer && (
        <ErrorNotice text="The file was changed by somebody else meanwhile. Close this, and go on with the new file." />
      )}
      {action.error !== undefined && !newer && <ErrorNotice text={action.error} />}
      <div class="dialog-actions">
        <Button onClick={onClose}>Cancel</Button>
        {raw !== undefined && (
          <Button disabled={off} onClick={() => void save(() => desk.saveRaw(true))}>
            Save and restart
          </Button>
        )}
        <Button
          kind="primary"
          disabled={off}
          onClick={() => void save(() => (raw === undefined ? desk.saveForm() : desk.saveRaw(false)))}
        >
          {action.busy === undefined ? "Save" : "Saving…"}
        </Button>
      </div>
    </Dialog>
  );
}

function FormChanges() {
  const { draft, base } = useDesk();
  const changes = changesOf(draft, base.snapshot.parsed, base.hints);
  return (
    <ul class="changes">
      {changes.map(({ path, before, after }) => (
        <li key={path}>
          <code>{path}</code>
          <div class="change">
            <del>
              <span class="sr-only">Was </span>
              {before}
            </del>
            <ins>
              <span class="sr-only">Becomes </span>
              {after}
            </ins>
          </div>
        </li>
      ))}
    </ul>
  );
}
