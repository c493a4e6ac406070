/** The gateway's log as it is written: filtered, followed, taken along as a file. Text only. */
import { Component } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { ArrowDown, Download, Eraser, Pause, Play } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { exact } from "../../app/format.ts";
import { Ago, Button, Empty, ErrorNotice, Notice, Page, SearchField, Skeleton } from "../../ui/index.ts";
import "../../style/views.css";
import "./logs.css";
import { levels, passes, type Level, type LogLine } from "./log-line.ts";
import { LogTail } from "./log-tail.ts";

/** Nearer to the end than this counts as being there; px. */
const nearEnd = 40;

export default function LogsView() {
  const { link, router } = useApp();
  const tail = useMemo(() => new LogTail(link), [link]);
  useEffect(() => tail.open(), [tail]);
  const [wanted, setWanted] = useState<ReadonlySet<Level>>(new Set(levels));
  const [text, setText] = useState(router.current.query.get("find") ?? "");
  const [paused, setPaused] = useState(false);
  const { lines, file, truncated, readAt, error, notOffered } = tail.state.value;
  const shown = useMemo(() => lines.filter((line) => passes(line, { levels: wanted, text })), [lines, wanted, text]);
  const pause = (on: boolean) => {
    setPaused(on);
    tail.pause(on);
  };
  const live = link.connected.value && !paused && error === undefined;
  const toggle = (level: Level) => {
    const next = new Set(wanted);
    if (!next.delete(level)) next.add(level);
    setWanted(next);
  };
  return (
    <Page
      title="Logs"
      lead={file === "" ? "What the gateway writes down." : <code>{file}</code>}
      actions={
        <>
          <Button icon={paused ? Play : Pause} aria-pressed={paused} onClick={() => pause(!paused)}>
            {paused ? "Follow" : "Pause"}
          </Button>
          <Button icon={Eraser} onClick={() => tail.clear()} disabled={lines.length === 0}>
            Clear
          </Button>
          <Button icon={Download} onClick={() => save(shown)} disabled={shown.length === 0}>
            Download
          </Button>
        </>
      }
    >
      <div class="toolbar">
        <SearchField label="Search the log" value={text} onText={setText} />
        <div class="level-buttons" role="group" aria-label="Levels">
          {levels.map((level) => (
            <button
              key={level}
              type="button"
              class={`level-button ${level}`}
              aria-pressed={wanted.has(level)}
              onClick={() => toggle(level)}
            >
              {level}
            </button>
          ))}
        </div>
      </div>
      {error !== undefined && (
        <ErrorNotice
          text={notOffered ? "This gateway does not offer its log." : `Could not read the log. ${error}`}
          retry={notOffered ? undefined : () => void tail.read()}
        />
      )}
      {!live && readAt !== undefined && (
        <Notice tone="warn">
          <p>
            {paused ? "Paused" : "Not live"}: read <Ago at={readAt} />.
          </p>
        </Notice>
      )}
      {readAt === undefined && error === undefined ? (
        <Skeleton lines={8} label="Loading the log" />
      ) : (
        <LogLines
          lines={shown}
          all={lines.length}
          truncated={truncated}
          filtered={text !== "" || wanted.size < levels.length}
        />
      )}
    </Page>
  );
}

function LogLines({
  lines,
  all,
  truncated,
  filtered,
}: {
  lines: readonly LogLine[];
  all: number;
  truncated: boolean;
  filtered: boolean;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const sticks = useRef(true);
  sticks.current = atEnd;
  /** Only scrolling up means that somebody wants to stay. */
  const lastTop = useRef(0);
  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  useLayoutEffect(() => {
    if (atEnd) toEnd();
  }, [lines, atEnd]);
  useEffect(() => {
    if (!box.current) return;
    // Another width or height breaks the lines elsewhere; whoever was at the end stays there.
    const observer = new ResizeObserver(() => {
      if (sticks.current) toEnd();
    });
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const scrolled = () => {
    const { current } = box;
    if (!current) return;
    const { scrollTop, scrollHeight, clientHeight } = current;
    if (scrollHeight - scrollTop - clientHeight < nearEnd) setAtEnd(true);
    else if (scrollTop < lastTop.current) setAtEnd(false);
    lastTop.current = scrollTop;
  };
  return (
    <div class="log-frame">
      <p class="dim small log-count">
        {filtered ? `${lines.length} of ${all} lines` : `${all} lines`}
        {truncated && "; older ones are in the file"}
      </p>
      {/* A region that scrolls must be reachable by keyboard. */}
      <div class="log-box" ref={box} onScroll={scrolled} tabIndex={0} role="log" aria-label="Log" aria-live="off">
        {lines.length === 0 ? (
          <Empty title={filtered ? "No line fits" : "The log is empty"} />
        ) : (
          lines.map((line) => <Row key={line.id} line={line} />)
        )}
      </div>
      {!atEnd && (
        <Button
          icon={ArrowDown}
          class="log-end"
          onClick={() => {
            setAtEnd(true);
            toEnd();
          }}
        >
          To the end
        </Button>
      )}
    </div>
  );
}

/** Lines never change: each is drawn once. */
class Row extends Component<{ line: LogLine }> {
  override shouldComponentUpdate(): boolean {
    return false;
  }

  override render() {
    const { at, level, subsystem, message, fields } = this.props.line;
    return (
      <div class={`log-row ${level ?? ""}`.trimEnd()}>
        {at !== undefined && (
          <time dateTime={new Date(at).toISOString()} title={exact(at)}>
            {wallClock(at)}
          </time>
        )}
        <span class="log-level">{level ?? ""}</span>
        <span class="log-text">
          {subsystem !== "" && <span class="log-subsystem">{subsystem} </span>}
          {message}
          {fields !== "" && <span class="log-fields"> {fields}</span>}
        </span>
      </div>
    );
  }
}

/** `14:05:09.123` of the reader's own day. */
function wallClock(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** The lines that are shown, as the gateway wrote them. */
function save(lines: readonly LogLine[]): void {
  const blob = new Blob([lines.map(({ raw }) => `${raw}\n`).join("")], { type: "text/plain" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `openclaw-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.log`;
  link.click();
  URL.revokeObjectURL(link.href);
}
