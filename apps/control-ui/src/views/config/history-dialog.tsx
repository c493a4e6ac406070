import { useState } from "preact/hooks";
import type { MethodResult } from "@openclaw/protocol";
import { useApp } from "../../app/app.ts";
import { useQuery } from "../../gateway/index.ts";
import { Ago, Button, Chip, Dialog, Empty, ErrorNotice, Loaded, Notice } from "../../ui/index.ts";
import { useDesk } from "./desk.ts";
import { TextDiff } from "./text-diff.tsx";

type Entry = MethodResult<"config.history">["entries"][number];

/** The texts the file had, and the way back to one of them. */
export function HistoryDialog({ onClose }: { onClose: () => void }) {
  const { link } = useApp();
  const { base } = useDesk();
  const query = useQuery(link, "config.history", { load: (gateway) => gateway.call("config.history", {}) });
  const [picked, setPicked] = useState<string>();
  const current = (entry: Entry) => base.snapshot.hash?.startsWith(entry.hash) === true;
  return (
    <Dialog title="Former texts of the config" onClose={onClose} class="review">
      <Loaded query={query} what="the history">
        {({ entries }) => {
          // The newest one with this text: the same text may be there more than once.
          const now = entries.find(current)?.id;
          const former = entries.filter(({ id }) => id !== now);
          const shown = former.find(({ id }) => id === picked) ?? former[0];
          if (!shown)
            return (
              <Empty title="No former text is kept yet">
                <p>Each save keeps one; the last 20 stay.</p>
              </Empty>
            );
          return (
            <div class="history">
              <ul class="history-list" aria-label="Former texts">
                {former.map((entry) => (
                  <li key={entry.id}>
                    <button
                      type="button"
                      class="history-entry"
                      aria-pressed={entry.id === shown.id}
                      onClick={() => setPicked(entry.id)}
                    >
                      <Ago at={entry.at} />
                      {current(entry) ? <Chip>as now</Chip> : <code class="dim">{entry.hash.slice(0, 7)}</code>}
                    </button>
                  </li>
                ))}
              </ul>
              <Former key={shown.id} entry={shown} same={current(shown)} onClose={onClose} />
            </div>
          );
        }}
      </Loaded>
    </Dialog>
  );
}

function Former({ entry, same, onClose }: { entry: Entry; same: boolean; onClose: () => void }) {
  const { link } = useApp();
  const desk = useDesk();
  const { action, base } = desk;
  const query = useQuery(link, entry.id, { load: (gateway) => gateway.call("config.history.get", { id: entry.id }) });
  const restore = async () => {
    if (await desk.restore(entry.id)) onClose();
  };
  return (
    <div class="history-text">
      <Loaded query={query} what="this text" skeletonLines={8}>
        {({ raw, valid, issues }) => (
          <>
            {!valid && (
              <Notice tone="warn">
                <p>The gateway would not accept this text now.</p>
                {issues.map(({ path, message }) => (
                  <p key={`${path} ${message}`}>
                    <code>{path}</code>: {message}
                  </p>
                ))}
              </Notice>
            )}
            {same ? (
              <p class="dim">This is what the file says now.</p>
            ) : (
              <>
                <p class="dim small">What restoring it would change. Secrets come back as they were.</p>
                <TextDiff before={base.snapshot.raw ?? ""} after={raw} />
              </>
            )}
            {action.error !== undefined && <ErrorNotice text={action.error} />}
            <div class="dialog-actions">
              <Button onClick={onClose}>Close</Button>
              <Button
                kind="primary"
                disabled={!valid || same || !desk.mayEdit || action.busy !== undefined}
                onClick={() => void restore()}
              >
                {action.busy === undefined ? "Restore this text" : "Restoring…"}
              </Button>
            </div>
          </>
        )}
      </Loaded>
    </div>
  );
}
