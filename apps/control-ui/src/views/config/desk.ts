/** What lies on the desk: the file as it was read, the changes that are not saved, and whether somebody else saved since. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { RequestError } from "@openclaw/client";
import type { MethodResult } from "@openclaw/protocol";
import { useApp } from "../../app/app.ts";
import { isRecord, useQuery, type Query } from "../../gateway/index.ts";
import { useAction, type Action } from "../../ui/index.ts";
import { apply, edited, noEdits, patchOf, valueAt, type Draft } from "./draft.ts";
import { pathKey } from "./json5.ts";
import { isSensitive, schemaAt, type Hint, type Hints, hintAt, type Path, type Schema } from "./schema.ts";
import { validate, type Issue } from "./validate.ts";

export type Snapshot = MethodResult<"config.get">;

export interface ConfigParts {
  snapshot: Snapshot;
  schema: Schema;
  hints: Hints;
}

export interface Desk {
  /** What the changes are based on; saving names its hash. */
  base: ConfigParts;
  /** Newer than the base: somebody else saved meanwhile. */
  newer: Snapshot | undefined;
  draft: Draft;
  /** The raw text while it differs from the file's. */
  raw: string | undefined;
  /** The document with the form's changes. */
  document: unknown;
  /** Problems of the changes, by path. */
  issues: ReadonlyMap<string, Issue>;
  dirty: boolean;
  mayEdit: boolean;
  action: Action;
  /** What the gateway said about the last text it refused. */
  refused: readonly { path: string; message: string }[];
  /** The last save of this visit, while it can be taken back. `restart`: one was asked for, and has begun. */
  saved: { at: number; note: string; former: string | undefined; restart: "asked" | "begun" | undefined } | undefined;
  edit: (path: Path, value: unknown) => void;
  drop: (path: Path) => void;
  setRaw: (text: string) => void;
  reset: () => void;
  /** Goes on from the newer file; own changes stay. */
  rebase: () => void;
  saveForm: () => Promise<boolean>;
  saveRaw: (restart: boolean) => Promise<boolean>;
  /** Makes a former text the file again. */
  restore: (id: string) => Promise<boolean>;
  undo: () => Promise<void>;
  hint: (path: Path) => Hint;
  sensitive: (path: Path) => boolean;
  /** What counts while the path is not set. */
  fallback: (path: Path) => unknown;
}

const DeskContext = createContext<Desk | undefined>(undefined);
export const DeskProvider = DeskContext.Provider;

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("useDesk outside of the config view");
  return desk;
}

export function useConfigQuery(): Query<ConfigParts> {
  const { link } = useApp();
  const schema = useMemo(() => ({ value: undefined as MethodResult<"config.schema"> | undefined, version: "" }), []);
  const query = useQuery(link, "config", {
    load: async (gateway) => {
      const version = gateway.hello.peek()?.server.connId ?? "";
      // The schema belongs to the running gateway: read once per connection.
      if (schema.version !== version || schema.value === undefined) {
        schema.value = await gateway.call("config.schema", {});
        schema.version = version;
      }
      const snapshot = await gateway.call("config.get", {});
      return { snapshot, schema: schema.value.schema as Schema, hints: schema.value.uiHints as Hints };
    },
  });
  useEffect(
    () =>
      link.on("health", ({ config }) => {
        const known = query.state.peek().data?.snapshot.hash;
        if (config !== undefined && known !== undefined && config.hash !== known) void query.refresh();
      }),
    [link, query],
  );
  return query;
}

export function useNewDesk(query: Query<ConfigParts>, latest: ConfigParts): Desk {
  const { link, toasts, settings } = useApp();
  const [kept, setBase] = useState(latest);
  const [draft, setDraft] = useState<Draft>(noEdits);
  const [raw, setRawText] = useState<string>();
  const [refused, setRefused] = useState<Desk["refused"]>([]);
  const [saved, setSaved] = useState<Desk["saved"]>();
  const action = useAction();
  const dirty = draft.size > 0 || raw !== undefined;
  // Without changes there is nothing to keep: the newest file is the base.
  const base = dirty ? kept : latest;
  useEffect(() => {
    if (!dirty) setBase(latest);
  }, [dirty, latest]);
  const { snapshot, schema, hints } = base;
  const document = useMemo(() => apply(snapshot.parsed, draft), [snapshot, draft]);
  const issues = useMemo(() => issuesOf(schema, document, draft), [schema, document, draft]);
  const hash = snapshot.hash === undefined ? {} : { baseHash: snapshot.hash };
  // Its agent is told of the restart in the next prompt.
  const { lastActiveSessionKey } = settings.current;
  const told = lastActiveSessionKey === "" ? {} : { sessionKey: lastActiveSessionKey };
  const phase = link.phase.value.name;
  useEffect(() => {
    if (saved?.restart === "asked" && phase === "restarting") setSaved({ ...saved, restart: "begun" });
    if (saved?.restart !== "begun" || phase !== "connected") return;
    const note = "Saved. The gateway restarted and runs with it.";
    setSaved({ ...saved, at: Date.now(), note, restart: undefined });
    toasts.announce(note);
  }, [saved, phase]);

  const save = (work: () => Promise<{ note: string; restart: boolean }>) =>
    action.run("save", async () => {
      setRefused([]);
      const former = snapshot.raw ?? undefined;
      try {
        const { note, restart } = await work();
        setDraft(noEdits);
        setRawText(undefined);
        setSaved({ at: Date.now(), note, former, restart: restart ? "asked" : undefined });
        toasts.announce(note);
      } catch (error) {
        setRefused(issuesIn(error));
        throw error;
      } finally {
        // After a refusal too: it may have been refused because the file is another by now.
        await query.refresh();
      }
    });

  const change = (next: Draft) => {
    if (!dirty) setBase(latest);
    setSaved(undefined);
    action.clear();
    setDraft(next);
  };

  return {
    base,
    newer: dirty && latest.snapshot.hash !== snapshot.hash ? latest.snapshot : undefined,
    draft,
    raw,
    document,
    issues,
    dirty,
    mayEdit: link.connected.value && link.may("operator.admin") && link.offers("config.set"),
    action,
    refused,
    saved,
    edit: (path, value) => change(edited(draft, snapshot.parsed, path, value)),
    drop: (path) => change(edited(draft, snapshot.parsed, path, valueAt(snapshot.parsed, path))),
    setRaw: (text) => {
      if (!dirty) setBase(latest);
      setSaved(undefined);
      setRefused([]);
      action.clear();
      setRawText(text === (snapshot.raw ?? "") ? undefined : text);
    },
    reset: () => {
      setDraft(noEdits);
      setRawText(undefined);
      setRefused([]);
      action.clear();
    },
    rebase: () => {
      setBase(latest);
      setRefused([]);
      action.clear();
      // Changes that the other save made as well are none any more.
      let next = noEdits;
      for (const { path, value } of draft.values()) next = edited(next, latest.snapshot.parsed, path, value);
      setDraft(next);
    },
    saveForm: () =>
      save(async () => {
        const patch = JSON.stringify(patchOf(draft));
        const { restart } = await link.call("config.patch", { raw: patch, ...hash, ...told }, { timeoutMs: 30_000 });
        return restart === null
          ? { note: "Saved and applied.", restart: false }
          : { note: "Saved. The gateway restarts to apply it.", restart: true };
      }),
    saveRaw: (restart) =>
      save(async () => {
        const text = raw ?? snapshot.raw ?? "{}";
        if (restart) await link.call("config.apply", { raw: text, ...hash, ...told }, { timeoutMs: 30_000 });
        else await link.call("config.set", { raw: text, ...hash }, { timeoutMs: 30_000 });
        const note = restart
          ? "Saved. The gateway restarts."
          : "Saved. The gateway applies what it can without a restart.";
        return { note, restart };
      }),
    restore: (id) =>
      save(async () => {
        await link.call("config.restore", { id, ...hash }, { timeoutMs: 30_000 });
        return {
          note: "The former text is the config again. The gateway applies what it can without a restart.",
          restart: false,
        };
      }),
    undo: async () => {
      const former = saved?.former;
      if (former === undefined) return;
      const current = latest.snapshot.hash === undefined ? {} : { baseHash: latest.snapshot.hash };
      await action.run("undo", async () => {
        await link.call("config.set", { raw: former, ...current }, { timeoutMs: 30_000 });
        setSaved(undefined);
        toasts.show("The former config is back.", { tone: "ok" });
        await query.refresh();
      });
    },
    hint: (path) => hintAt(hints, path),
    sensitive: (path) => isSensitive(hints, path),
    fallback: (path) => valueAt(snapshot.config, path) ?? schemaAt(schema, path)?.default,
  };
}

/** Only what the changes touch: problems that were there before do not stand in their way here. */
function issuesOf(schema: Schema, document: unknown, draft: Draft): ReadonlyMap<string, Issue> {
  const found = new Map<string, Issue>();
  if (draft.size === 0) return found;
  const keys = [...draft.keys()];
  for (const issue of validate(schema, document)) {
    const key = pathKey(issue.path);
    if (keys.some((edit) => key === edit || key.startsWith(`${edit}\u0000`) || edit.startsWith(`${key}\u0000`)))
      found.set(key, issue);
  }
  return found;
}

function issuesIn(error: unknown): { path: string; message: string }[] {
  if (!(error instanceof RequestError) || !isRecord(error.details) || !Array.isArray(error.details.issues)) return [];
  return error.details.issues.flatMap((issue: unknown) =>
    isRecord(issue) && typeof issue.path === "string" && typeof issue.message === "string"
      ? [{ path: issue.path, message: issue.message }]
      : [],
  );
}
