import { useEffect, useRef } from "preact/hooks";
import { CircleAlert, CircleCheck } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { CopyButton } from "../../ui/index.ts";
import { useDesk } from "./desk.ts";
import { lineAndColumn, parseJson5, pathKey } from "./json5.ts";
import { useRawState, type RawIssue } from "./raw-state.ts";
import { parsePath } from "./schema.ts";

const shownIssues = 20;

export function RawEditor() {
  const { router } = useApp();
  const desk = useDesk();
  const { snapshot } = desk.base;
  const text = desk.raw ?? snapshot.raw ?? "";
  const { issues } = useRawState(desk);
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const asked = router.current.query.get("path");
  useEffect(() => {
    if (asked === null) return;
    const offset = offsetOf(text, asked);
    if (offset !== undefined) reveal(area.current, offset, offset);
  }, [asked]);
  const lines = text.split("\n").length;
  const wrong = new Set(issues.map(({ line }) => line));
  const scrolled = () => {
    if (area.current && gutter.current) gutter.current.scrollTop = area.current.scrollTop;
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Tab" || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
    const { current } = area;
    // Tab indents a selection; with none it goes on, so that the keyboard is never trapped.
    if (!current || current.selectionStart === current.selectionEnd) return;
    event.preventDefault();
    indent(current);
    desk.setRaw(current.value);
  };
  return (
    <div class="raw">
      <div class="raw-frame">
        <div class="raw-gutter" ref={gutter} aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => (
            <div key={index} class={wrong.has(index + 1) ? "wrong" : ""}>
              {index + 1}
            </div>
          ))}
        </div>
        <textarea
          ref={area}
          class="raw-text"
          aria-label="Text of the config"
          aria-describedby="raw-help raw-issues"
          aria-invalid={issues.length > 0}
          wrap="off"
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          readOnly={!desk.mayEdit}
          value={text}
          onInput={(event) => desk.setRaw(event.currentTarget.value)}
          onScroll={scrolled}
          onKeyDown={press}
        />
      </div>
      <div class="raw-foot">
        <p class="dim small" id="raw-help">
          JSON5: comments and trailing commas are fine, and kept. <code>__OPENCLAW_REDACTED__</code> stands for a
          secret; leave it where it is to keep the secret.
        </p>
        <CopyButton text={text} label="Copy the text" />
      </div>
      <Issues issues={issues} onPick={({ start, end }) => reveal(area.current, start, end)} />
      {desk.raw === undefined && <Remarks />}
    </div>
  );
}

function Issues({ issues, onPick }: { issues: readonly RawIssue[]; onPick: (issue: RawIssue) => void }) {
  return (
    <div id="raw-issues" role="status">
      {issues.length === 0 ? (
        <p class="raw-well small">
          <CircleCheck size={16} aria-hidden="true" /> Nothing is wrong with this text.
        </p>
      ) : (
        <ul class="raw-issues">
          {issues.slice(0, shownIssues).map((issue) => (
            <li key={`${issue.start} ${issue.message}`}>
              <CircleAlert size={16} aria-hidden="true" />
              <button type="button" class="issue-link" onClick={() => onPick(issue)}>
                Line {issue.line}, column {issue.column}
              </button>
              <span>{issue.message}</span>
            </li>
          ))}
          {issues.length > shownIssues && <li class="dim">and {issues.length - shownIssues} more</li>}
        </ul>
      )}
    </div>
  );
}

/** What the gateway says about the file beside mistakes. */
function Remarks() {
  const { warnings, legacyIssues } = useDesk().base.snapshot;
  const all = [...warnings, ...legacyIssues];
  if (all.length === 0) return null;
  return (
    <ul class="raw-issues remarks">
      {all.map(({ path, message }) => (
        <li key={`${path} ${message}`}>
          <code>{path}</code>
          <span>{message}</span>
        </li>
      ))}
    </ul>
  );
}

function reveal(area: HTMLTextAreaElement | null, start: number, end: number): void {
  if (!area) return;
  area.focus();
  area.setSelectionRange(start, Math.max(start, end));
  const { line } = lineAndColumn(area.value, start);
  const height = Number.parseFloat(getComputedStyle(area).lineHeight) || 20;
  area.scrollTop = Math.max(0, (line - 4) * height);
  area.scrollLeft = 0;
}

function offsetOf(text: string, asked: string): number | undefined {
  try {
    const parsed = parseJson5(text);
    const place = parsed.places.get(pathKey(parsePath(asked, parsed.value)));
    return place?.key ?? place?.start;
  } catch {
    return undefined; // A text that cannot be read has no places.
  }
}

function indent(area: HTMLTextAreaElement): void {
  const { value, selectionStart, selectionEnd } = area;
  const from = value.lastIndexOf("\n", selectionStart - 1) + 1;
  const lines = value.slice(from, selectionEnd).replace(/^/gm, "  ");
  area.setRangeText(lines, from, selectionEnd, "select");
}
