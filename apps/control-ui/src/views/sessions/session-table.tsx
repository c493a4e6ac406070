import { useState } from "preact/hooks";
import { Eraser, Pencil, Scissors, Trash2 } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { count } from "../../app/format.ts";
import { isMain, sessionTitle, type SessionRow } from "../../chat/session-title.ts";
import { Ago, Chip, Link, Menu, Table } from "../../ui/index.ts";
import { DeleteSession, ResetSession } from "./confirm-session.tsx";
import { EditSession } from "./edit-session.tsx";

interface SessionTableProps {
  rows: readonly SessionRow[];
  defaults: { modelProvider: string | null; model: string | null; contextTokens: number | null };
  onChanged: () => void;
}

type Asked = { what: "edit" | "reset" | "delete"; row: SessionRow } | undefined;

export function SessionTable({ rows, defaults, onChanged }: SessionTableProps) {
  const { link, router, toasts } = useApp();
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const mainKey = link.hello.value?.snapshot.sessionDefaults?.mainSessionKey;
  const live = link.connected.value;
  const admin = link.may("operator.admin");
  const needs = admin ? undefined : "Needs the scope operator.admin";
  const compact = async (row: SessionRow) => {
    try {
      const { compacted, kept, reason } = await link.call("sessions.compact", { key: row.key });
      toasts.show(
        compacted ? `Kept the last ${kept ?? "few"} entries.` : `Nothing to shorten${reason ? `: ${reason}` : ""}.`,
      );
      onChanged();
    } catch (error) {
      toasts.show(error instanceof Error ? error.message : String(error), { tone: "bad" });
    }
  };
  return (
    <>
      <Table
        caption="Sessions"
        rows={rows}
        keyOf={({ key }) => key}
        columns={[
          {
            title: "Session",
            cell: (row) => (
              <div>
                <Link class="plain-link" href={router.href("/chat", row.key)}>
                  {sessionTitle(row)}
                </Link>
                <div class="id">{row.key}</div>
                <Levels row={row} />
              </div>
            ),
          },
          { title: "From", cell: (row) => row.lastChannel ?? row.channel ?? row.kind },
          { title: "Model", cell: (row) => <Model row={row} fallback={defaults.model} /> },
          { title: "Tokens", number: true, cell: (row) => <Tokens row={row} /> },
          { title: "Used", cell: (row) => (row.updatedAt === null ? "never" : <Ago at={row.updatedAt} />) },
          {
            title: "Actions",
            cell: (row) => {
              const main = row.key === mainKey || isMain(row.key);
              const off = !live || !admin;
              return (
                <div class="cell-actions">
                  <Menu
                    label={`Actions for ${sessionTitle(row)}`}
                    items={[
                      {
                        label: "Change…",
                        icon: Pencil,
                        disabled: off,
                        ...titled(needs),
                        run: () => setAsked({ what: "edit", row }),
                      },
                      {
                        label: "Start anew…",
                        icon: Eraser,
                        disabled: off,
                        ...titled(needs),
                        run: () => setAsked({ what: "reset", row }),
                      },
                      ...(link.offers("sessions.compact")
                        ? [
                            {
                              label: "Shorten",
                              icon: Scissors,
                              disabled: off,
                              ...titled(needs),
                              run: () => void compact(row),
                            },
                          ]
                        : []),
                      {
                        label: "Delete…",
                        icon: Trash2,
                        danger: true,
                        disabled: off || main,
                        ...titled(main ? "The main session cannot be deleted" : needs),
                        run: () => setAsked({ what: "delete", row }),
                      },
                    ]}
                  />
                </div>
              );
            },
          },
        ]}
      />
      {asked?.what === "edit" && (
        <EditSession row={asked.row} defaults={defaults} onSaved={onChanged} onClose={close} />
      )}
      {asked?.what === "reset" && <ResetSession row={asked.row} onDone={onChanged} onClose={close} />}
      {asked?.what === "delete" && <DeleteSession row={asked.row} onDone={onChanged} onClose={close} />}
    </>
  );
}

const titled = (title: string | undefined): { title?: string } => (title === undefined ? {} : { title });

function Levels({ row }: { row: SessionRow }) {
  const { thinkingLevel, verboseLevel, reasoningLevel, sendPolicy, abortedLastRun } = row;
  const chips = [
    thinkingLevel && `thinking ${thinkingLevel}`,
    verboseLevel && `verbose ${verboseLevel}`,
    reasoningLevel && `reasoning ${reasoningLevel}`,
    sendPolicy && `sending ${sendPolicy === "deny" ? "denied" : "allowed"}`,
  ].filter((text): text is string => typeof text === "string" && text !== "");
  if (chips.length === 0 && abortedLastRun !== true) return null;
  return (
    <div class="chips">
      {abortedLastRun === true && <Chip tone="warn">last run stopped</Chip>}
      {chips.map((text) => (
        <Chip key={text}>{text}</Chip>
      ))}
    </div>
  );
}

function Model({ row, fallback }: { row: SessionRow; fallback: string | null }) {
  const name = row.model ?? fallback;
  return name === null ? <span class="dim">none</span> : <span>{name}</span>;
}

function Tokens({ row: { totalTokens, contextTokens } }: { row: SessionRow }) {
  if (!contextTokens) return <span>{count(totalTokens)}</span>;
  const percent = Math.round((totalTokens / contextTokens) * 100);
  return (
    <span title={`${totalTokens} of ${contextTokens} tokens of context`}>
      {count(totalTokens)}
      <span class="dim">
        {" "}
        / {count(contextTokens)}
        {percent >= 50 && ` (${percent} %)`}
      </span>
    </span>
  );
}
