/** The files an agent reads before it answers: shown, changed, saved. */
import { useState } from "preact/hooks";
import { useApp } from "../../app/app.ts";
import { bytes } from "../../app/format.ts";
import { useQuery } from "../../gateway/index.ts";
import { Ago, Button, Dialog, ErrorNotice, Loaded, Section, Table, useAction } from "../../ui/index.ts";

export function AgentFiles({ agentId }: { agentId: string }) {
  const { link } = useApp();
  const [open, setOpen] = useState<string>();
  const files = useQuery(link, `files:${agentId}`, {
    load: (gateway) => gateway.call("agents.files.list", { agentId }),
  });
  return (
    <Section title="Workspace">
      <Loaded query={files} what="files of the workspace" skeletonLines={3}>
        {(data) => (
          <Table
            caption="Files of the workspace"
            rows={data.files}
            keyOf={({ name }) => name}
            columns={[
              { title: "File", cell: ({ name }) => <code>{name}</code> },
              { title: "Size", number: true, cell: (file) => (file.missing ? "not there yet" : bytes(file.size ?? 0)) },
              {
                title: "Changed",
                cell: (file) => (file.updatedAtMs === undefined ? "–" : <Ago at={file.updatedAtMs} />),
              },
              {
                title: "Actions",
                cell: ({ name }) => (
                  <div class="cell-actions">
                    <Button aria-label={`Open ${name}`} onClick={() => setOpen(name)}>
                      Open
                    </Button>
                  </div>
                ),
              },
            ]}
          />
        )}
      </Loaded>
      {open !== undefined && (
        <FileDialog
          agentId={agentId}
          name={open}
          onClose={() => {
            setOpen(undefined);
            void files.refresh();
          }}
        />
      )}
    </Section>
  );
}

function FileDialog({ agentId, name, onClose }: { agentId: string; name: string; onClose: () => void }) {
  const { link, toasts } = useApp();
  const [text, setText] = useState<string>();
  const action = useAction();
  const file = useQuery(link, `file:${agentId}:${name}`, {
    load: (gateway) => gateway.call("agents.files.get", { agentId, name }),
  });
  const save = async () => {
    const saved = await action.run("save", () => link.call("agents.files.set", { agentId, name, content: text ?? "" }));
    if (!saved) return;
    toasts.show(`${name} is saved.`, { tone: "ok" });
    onClose();
  };
  const may = link.connected.value && link.offers("agents.files.set") && link.may("operator.admin");
  return (
    <Dialog title={name} onClose={onClose} class="file-dialog">
      <Loaded query={file} what={name}>
        {(data) => (
          <div class="dialog-body">
            <textarea
              class="code-area"
              rows={18}
              aria-label={`Content of ${name}`}
              spellcheck={false}
              readOnly={!may}
              value={text ?? data.file.content ?? ""}
              onInput={(event) => setText(event.currentTarget.value)}
            />
            {action.error !== undefined && <ErrorNotice text={action.error} />}
            <div class="dialog-actions">
              <Button onClick={onClose}>Close</Button>
              <Button
                kind="primary"
                disabled={!may || action.busy !== undefined || text === undefined || text === data.file.content}
                onClick={() => void save()}
              >
                Save
              </Button>
            </div>
          </div>
        )}
      </Loaded>
    </Dialog>
  );
}
