/** Which commands run without asking: the rules of the gateway or of a node, for all agents or one (control-ui.md §9.5). */
import { useEffect, useState } from "preact/hooks";
import type { MethodResult } from "@openclaw/protocol";
import { useApp } from "../../app/app.ts";
import { plainError, useQuery, type GatewayLink } from "../../gateway/index.ts";
import { Button, ErrorNotice, Field, Loaded, Notice, Section, Select, useAction } from "../../ui/index.ts";
import { AllowedList } from "./allowed-list.tsx";
import { asSnapshot, everyAgent, type RulesFile, type Scope, type Snapshot } from "./exec-rules.ts";
import { PolicyFields } from "./policy-fields.tsx";

type NodeRow = MethodResult<"node.list">["nodes"][number];

const nodeCommands = ["system.execApprovals.get", "system.execApprovals.set"];
/** In a list of choices: the gateway itself. */
const gatewayItself = "";

export function ExecRulesPanel({ nodes }: { nodes: readonly NodeRow[] }) {
  const { link } = useApp();
  const [target, setTarget] = useState(gatewayItself);
  const hosts = link.offers("exec.approvals.node.get")
    ? nodes.filter(({ connected, commands }) => connected && nodeCommands.every((name) => commands.includes(name)))
    : [];
  const nodeId = hosts.some((node) => node.nodeId === target) ? target : gatewayItself;
  return (
    <Section title="Which commands may run">
      <p class="dim">
        An agent asks before it runs a command, unless a rule here says otherwise. The stricter of these rules and the
        config counts.
      </p>
      {hosts.length > 0 && (
        <Field label="On">
          {(attributes) => (
            <Select
              {...attributes}
              value={nodeId}
              options={[
                { value: gatewayItself, label: "The gateway's machine" },
                ...hosts.map((node) => ({ value: node.nodeId, label: node.displayName ?? node.nodeId.slice(0, 12) })),
              ]}
              onPick={setTarget}
            />
          )}
        </Field>
      )}
      <Rules key={nodeId} nodeId={nodeId} />
    </Section>
  );
}

const readRules = async (link: GatewayLink, nodeId: string): Promise<Snapshot> =>
  asSnapshot(
    await (nodeId === gatewayItself
      ? link.call("exec.approvals.get", {})
      : link.call("exec.approvals.node.get", { nodeId })),
  );

const writeRules = async (link: GatewayLink, nodeId: string, file: RulesFile, baseHash: string): Promise<Snapshot> =>
  asSnapshot(
    await (nodeId === gatewayItself
      ? link.call("exec.approvals.set", { file, baseHash })
      : link.call("exec.approvals.node.set", { nodeId, file, baseHash })),
  );

function Rules({ nodeId }: { nodeId: string }) {
  const { link } = useApp();
  const rules = useQuery(link, `rules:${nodeId}`, { load: (gateway) => readRules(gateway, nodeId) });
  return (
    <Loaded query={rules} what="the rules for commands" skeletonLines={3}>
      {(snapshot) => (
        <RulesForm
          nodeId={nodeId}
          snapshot={snapshot}
          onSaved={(saved) => rules.assume(() => saved)}
          onReload={() => rules.refresh()}
        />
      )}
    </Loaded>
  );
}

interface RulesFormProps {
  nodeId: string;
  snapshot: Snapshot;
  onSaved: (snapshot: Snapshot) => void;
  onReload: () => Promise<void>;
}

function RulesForm({ nodeId, snapshot, onSaved, onReload }: RulesFormProps) {
  const { link, router, toasts } = useApp();
  const agents = useQuery(link, "agents", { load: (gateway) => gateway.call("agents.list", {}) });
  const [edit, setEdit] = useState<{ file: RulesFile; hash: string }>();
  const [scope, setScope] = useState<Scope>(undefined);
  const [conflict, setConflict] = useState(false);
  const action = useAction();
  // What is being edited is not overtaken by a later reading: saving tells about the conflict.
  const file = edit?.file ?? snapshot.file;
  const change = (next: RulesFile) => setEdit({ file: next, hash: edit?.hash ?? snapshot.hash });
  const dirty = edit !== undefined && JSON.stringify(edit.file) !== JSON.stringify(snapshot.file);
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    const end = router.guard(() => confirm("Leave without saving the rules for commands?"));
    return () => {
      removeEventListener("beforeunload", ask);
      end();
    };
  }, [dirty]);
  const save = () =>
    action.run("save", async () => {
      if (edit === undefined) return;
      try {
        onSaved(await writeRules(link, nodeId, edit.file, edit.hash));
        toasts.show("The rules for commands are saved.", { tone: "ok" });
        setConflict(false);
      } catch (error) {
        if (!/changed since|base hash required/i.test(plainError(error))) throw error;
        await onReload();
        setConflict(true);
      }
      setEdit(undefined);
    });
  const known = agents.state.value.data?.agents ?? [];
  const ids = [...new Set([...known.map(({ id }) => id), ...Object.keys(file.agents ?? {})])].filter(
    (id) => id !== everyAgent,
  );
  const nameOf = (id: string) => known.find((agent) => agent.id === id)?.identity?.name ?? id;
  const off = !link.connected.value || !link.may("operator.admin") || action.busy !== undefined;
  const tabs: readonly (readonly [Scope, string])[] = [
    [undefined, "Defaults"],
    [everyAgent, "Every agent"],
    ...ids.map((id) => [id, nameOf(id)] as const),
  ];
  return (
    <div class="card rules">
      <div class="scope-tabs" role="group" aria-label="Rules for">
        {tabs.map(([id, name]) => (
          <button key={name} type="button" class="scope-tab" aria-pressed={scope === id} onClick={() => setScope(id)}>
            {name}
          </button>
        ))}
      </div>
      {conflict && (
        <Notice tone="warn">
          <p>
            The rules were changed elsewhere and have been read again. Your change was not saved: make it once more.
          </p>
        </Notice>
      )}
      <PolicyFields file={file} scope={scope} disabled={off} onChange={change} />
      {scope !== undefined && <AllowedList key={scope} file={file} scope={scope} disabled={off} onChange={change} />}
      {action.error !== undefined && <ErrorNotice text={action.error} />}
      <div class="dialog-actions">
        {dirty && <Button onClick={() => setEdit(undefined)}>Reset</Button>}
        <Button kind="primary" disabled={off || !dirty} onClick={() => void save()}>
          Save rules
        </Button>
      </div>
      <p class="id">{snapshot.path}</p>
    </div>
  );
}
