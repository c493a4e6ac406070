/** The messages of a conversation: only those near the window are in the page, what is being read never moves, and the end
 *  stays in view while somebody is there. */
import { ArrowDown } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { Anchor } from "./positions.ts";
import { RowHeights } from "./row-heights.ts";

export interface Row {
  key: string;
  draw: () => ComponentChildren;
}

interface MessageListProps {
  rows: readonly Row[];
  /** Changes when something of the reader's own was added: then the end is shown wherever they were. */
  jump: unknown;
  onTop: () => void;
  /** Kept over a change of session; undefined is the end. */
  position: { get: () => Anchor | undefined; set: (anchor: Anchor | undefined) => void };
  head?: ComponentChildren;
}

const nearEnd = 80;
const beyond = 900;
const guessedHeight = 120;

export function MessageList({ rows, jump, onTop, position, head }: MessageListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const heights = useMemo(() => new RowHeights(guessedHeight), []);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const view = useRef({ top: 0, height: 800 });
  const anchor = useRef<Anchor | undefined>(position.get());
  const atEnd = useRef(anchor.current === undefined);
  const [away, setAway] = useState(false);
  const [fresh, setFresh] = useState(false);
  const jumped = useRef(jump);
  const lastKey = useRef<string | undefined>(undefined);

  heights.lay(rows.map((row) => row.key));
  // The row somebody was at is not in this page of the history any more.
  if (anchor.current && heights.indexOf(anchor.current.key) === -1) atEnd.current = true;
  if (jumped.current !== jump) {
    jumped.current = jump;
    atEnd.current = true;
  }
  const [from, to] = atEnd.current
    ? heights.window(heights.total - view.current.height, view.current.height, beyond)
    : heights.window(topOfView(heights, anchor.current) ?? view.current.top, view.current.height, beyond);

  const note = () => {
    const box = scroller.current;
    if (!box) return;
    const offset = content.current?.offsetTop ?? 0;
    view.current = { top: box.scrollTop - offset, height: box.clientHeight };
    const left = box.scrollHeight - box.scrollTop - box.clientHeight;
    atEnd.current = left < nearEnd;
    const index = heights.rowAt(Math.max(0, view.current.top));
    const key = heights.keyAt(index);
    anchor.current = key === undefined ? undefined : { key, offset: view.current.top - heights.topOf(index) };
    position.set(atEnd.current ? undefined : anchor.current);
    setAway(!atEnd.current);
    if (atEnd.current) setFresh(false);
    if (box.scrollTop < 600) onTop();
    const [a, b] = heights.window(view.current.top, view.current.height, beyond / 2);
    if (a < from || b > to) redraw(0);
  };

  /** Puts the window where it was meant to be, whatever grew or shrank. */
  const settle = () => {
    const box = scroller.current;
    if (!box) return;
    if (atEnd.current) box.scrollTop = box.scrollHeight;
    else {
      const top = topOfView(heights, anchor.current);
      if (top !== undefined) {
        const wanted = top + (content.current?.offsetTop ?? 0);
        if (Math.abs(box.scrollTop - wanted) > 1) box.scrollTop = wanted;
      }
    }
  };

  /** What is opened or folded stays where it is, also near the end. */
  const hold = (event: MouseEvent) => {
    if (event.target instanceof Element && event.target.closest("[aria-expanded]")) atEnd.current = false;
  };

  useLayoutEffect(() => {
    const list = content.current;
    if (!list) return;
    let changed = false;
    for (const element of list.querySelectorAll<HTMLElement>(":scope > [data-row]"))
      changed = heights.measured(element.dataset.row ?? "", element.offsetHeight) || changed;
    if (changed) {
      heights.lay(rows.map((row) => row.key));
      redraw(0);
    }
    settle();
  });

  // Pictures, opened tool cards and colours change heights without a redraw of the list.
  useLayoutEffect(() => {
    const box = scroller.current;
    const list = content.current;
    if (!box || !list) return;
    const observer = new ResizeObserver(() => {
      view.current.height = box.clientHeight;
      for (const element of list.querySelectorAll<HTMLElement>(":scope > [data-row]"))
        heights.measured(element.dataset.row ?? "", element.offsetHeight);
      redraw(0);
    });
    observer.observe(box);
    observer.observe(list);
    return () => observer.disconnect();
  }, []);

  const last = rows.at(-1)?.key;
  useLayoutEffect(() => {
    if (lastKey.current !== undefined && lastKey.current !== last && !atEnd.current) setFresh(true);
    lastKey.current = last;
  }, [last]);

  return (
    <div class="messages" ref={scroller} onScroll={note} tabIndex={0} role="log" aria-live="off" aria-label="Messages">
      {head}
      <div class="messages-rows" ref={content} onClickCapture={hold}>
        <div aria-hidden="true" style={{ height: `${heights.topOf(from)}px` }} />
        {rows.slice(from, to).map((row) => (
          <div key={row.key} data-row={row.key} class="message-row">
            {row.draw()}
          </div>
        ))}
        <div aria-hidden="true" style={{ height: `${Math.max(0, heights.total - heights.topOf(to))}px` }} />
      </div>
      {away && (
        <button
          type="button"
          class={`to-end ${fresh ? "fresh" : ""}`}
          onClick={() => {
            atEnd.current = true;
            setAway(false);
            setFresh(false);
            redraw(0);
          }}
        >
          <ArrowDown size={16} aria-hidden="true" />
          {fresh ? "New messages" : "To the end"}
        </button>
      )}
    </div>
  );
}

function topOfView(heights: RowHeights, anchor: Anchor | undefined): number | undefined {
  if (!anchor) return undefined;
  const index = heights.indexOf(anchor.key);
  return index === -1 ? undefined : heights.topOf(index) + anchor.offset;
}
