/** The gateway's config: a form made from its schema, the text itself, and what changes before it is saved. */
import { useEffect, useState } from "preact/hooks";
import { History } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { Ago, Button, ErrorNotice, Loaded, Notice, Page, Segments, Status } from "../../ui/index.ts";
import "../../style/views.css";
import "./config.css";
import { ConfigForm } from "./config-form.tsx";
import { DeskProvider, useConfigQuery, useDesk, useNewDesk, type ConfigParts } from "./desk.ts";
import { HistoryDialog } from "./history-dialog.tsx";
import { RawEditor } from "./raw-editor.tsx";
import { ReviewDialog } from "./review-dialog.tsx";
import { SaveBar } from "./save-bar.tsx";
import type { Query } from "../../gateway/index.ts";

export default function ConfigView() {
  const { link } = useApp();
  const query = useConfigQuery();
  const { data } = query.state.value;
  const may = link.may("operator.admin");
  return (
    <Page title="Config" lead={data ? <code>{data.snapshot.path}</code> : "What the gateway does, and how."}>
      {!may && (
        <Notice tone="warn">
          <p>This connection may read the config. Changing it needs the scope operator.admin.</p>
        </Notice>
      )}
      <Loaded query={query} what="the config" skeletonLines={8}>
        {(latest) => <ConfigDesk query={query} latest={latest} />}
      </Loaded>
    </Page>
  );
}

type Mode = "form" | "raw";

function ConfigDesk({ query, latest }: { query: Query<ConfigParts>; latest: ConfigParts }) {
  const { router, link } = useApp();
  const desk = useNewDesk(query, latest);
  const [looking, setLooking] = useState(false);
  const [reviewing, setReviewing] = useState(false);
  const { snapshot } = desk.base;
  const asked = router.current.query.get("mode");
  // A file with mistakes cannot be patched field by field.
  const mode: Mode = asked === "raw" || (asked === null && !snapshot.valid) ? "raw" : "form";
  const go = (next: Mode) =>
    router.go(router.href("/config", "", { mode: next, path: router.current.query.get("path") ?? undefined }), {
      replace: true,
    });
  useLeaveGuard(desk.dirty);
  const blocked = (other: Mode) =>
    (other === "raw" && desk.draft.size > 0) || (other === "form" && desk.raw !== undefined)
      ? "Save or discard your changes first"
      : undefined;
  return (
    <DeskProvider value={desk}>
      <div class="config">
        <div class="toolbar spread">
          <Segments<Mode>
            label="How to change the config"
            value={mode}
            options={[
              { value: "form", label: "Form", disabled: blocked("form") !== undefined, title: blocked("form") },
              { value: "raw", label: "Text", disabled: blocked("raw") !== undefined, title: blocked("raw") },
            ]}
            onPick={go}
          />
          <div class="row">
            <Status tone={snapshot.valid ? "ok" : "bad"}>
              {!snapshot.exists ? "no file yet" : snapshot.valid ? "the file is valid" : "the file has mistakes"}
            </Status>
            {link.offers("config.history") && (
              <Button
                kind="plain"
                icon={History}
                disabled={desk.dirty}
                title={desk.dirty ? "Save or discard your changes first" : undefined}
                onClick={() => setLooking(true)}
              >
                History
              </Button>
            )}
          </div>
        </div>
        <Notices mode={mode} />
        {mode === "form" ? <ConfigForm onRaw={() => go("raw")} /> : <RawEditor />}
        <SaveBar onReview={() => setReviewing(true)} />
        {looking && <HistoryDialog onClose={() => setLooking(false)} />}
        {reviewing && <ReviewDialog onClose={() => setReviewing(false)} />}
      </div>
    </DeskProvider>
  );
}

/** What stands above both ways of changing: somebody else saved, it failed, it is saved. */
function Notices({ mode }: { mode: Mode }) {
  const desk = useDesk();
  const { newer, action, saved, refused } = desk;
  return (
    <>
      {newer && (
        <Notice tone="warn">
          <p>The file was changed by somebody else since you began. Your changes are kept, and not saved.</p>
          <div class="row notice-actions">
            <Button onClick={desk.rebase}>Go on with the new file</Button>
            <Button kind="plain" onClick={desk.reset}>
              Discard my changes
            </Button>
          </div>
        </Notice>
      )}
      {action.error !== undefined && !newer && (
        <ErrorNotice text={action.error}>
          {mode === "form" &&
            refused.map(({ path, message }) => (
              <p key={`${path} ${message}`}>
                <code>{path}</code>: {message}
              </p>
            ))}
        </ErrorNotice>
      )}
      {saved && (
        <Notice>
          <div class="row spread">
            <p>
              {saved.note}{" "}
              <span class="dim">
                <Ago at={saved.at} />
              </span>
            </p>
            {saved.former !== undefined && (
              <Button disabled={!desk.mayEdit || action.busy !== undefined} onClick={() => void desk.undo()}>
                Take it back
              </Button>
            )}
          </div>
        </Notice>
      )}
    </>
  );
}

/** Asks before unsaved changes are left, within the app and when the page is closed. */
function useLeaveGuard(dirty: boolean): void {
  const { router } = useApp();
  useEffect(() => {
    if (!dirty) return;
    const end = router.guard((href) => {
      const stays = new URL(href, location.href).pathname === location.pathname;
      return stays || confirm("Your changes of the config are not saved. Leave them?");
    });
    const closing = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", closing);
    return () => {
      end();
      removeEventListener("beforeunload", closing);
    };
  }, [dirty]);
}
