/** The entries of a transcript file, numbered and linked, and what must be known about all of them before the first is stored. */
import { maxLineChars, parseLine, type TranscriptHeader } from "./import-line.ts";
import type { TranscriptEntry } from "./types.ts";

export interface LineProblem {
  /** Counted from 1. */
  line: number;
  reason: string;
}

/** An entry and the length of its line. */
export interface ReadEntry {
  entry: TranscriptEntry;
  chars: number;
}

export interface Scan {
  header: TranscriptHeader | undefined;
  count: number;
  /** Id of the entry with seq `n` at place `n - 1`. */
  ids: string[];
  /** On the path from the last entry to the first; others belong to branches that were left. */
  live: ReadonlySet<string>;
  firstAt: number | undefined;
  lastAt: number | undefined;
  /** Lines left out, and lines kept without a part, at most a thousand. */
  bad: LineProblem[];
  moreBad: number;
  /** Every entry again, in order. */
  entries(): Iterable<ReadEntry>;
}

const maxBadReported = 1_000;
/** Short transcripts stay in memory between the two passes. */
const keptChars = 2 * 1024 * 1024;

interface Found {
  header?: TranscriptHeader;
  bad: LineProblem[];
  moreBad: number;
}

/** Reads all lines once, and a long file a second time when its entries are taken. A function of the lines alone, so that an
 *  import that was broken off goes on where it stopped. */
export function scanLines(lines: () => Iterable<string>, sessionId: string): Scan {
  const found: Found = { bad: [], moreBad: 0 };
  const parents = new Map<string, string | null>();
  const ids: string[] = [];
  let kept: ReadEntry[] | undefined = [];
  let chars = 0;
  let [firstAt, lastAt]: (number | undefined)[] = [];
  for (const read of entriesOf(lines(), sessionId, found)) {
    const { entry } = read;
    ids.push(entry.id);
    parents.set(entry.id, entry.parentId);
    firstAt ??= entry.timestamp;
    lastAt = entry.timestamp;
    chars += read.chars;
    if (chars > keptChars) kept = undefined;
    kept?.push(read);
  }
  const live = new Set<string>();
  // A parent stands before its child, so this ends.
  for (let id: string | null | undefined = ids.at(-1); id !== undefined && id !== null; id = parents.get(id))
    live.add(id);
  const entries = kept
    ? () => kept as ReadEntry[]
    : () => entriesOf(lines(), sessionId, { bad: [], moreBad: maxBadReported });
  return {
    header: found.header,
    count: ids.length,
    ids,
    live,
    firstAt,
    lastAt,
    bad: found.bad,
    moreBad: found.moreBad,
    entries,
  };
}

function* entriesOf(lines: Iterable<string>, sessionId: string, found: Found): Generator<ReadEntry> {
  const seen = new Set<string>();
  const note = (line: number, reason: string) => {
    if (found.bad.length < maxBadReported) found.bad.push({ line, reason });
    else found.moreBad++;
  };
  let before: TranscriptEntry | undefined;
  let number = 0;
  for (const line of lines) {
    number++;
    if (line.length <= maxLineChars && line.trim() === "") continue;
    const read = parseLine(line);
    if (read.kind === "bad") note(number, read.reason);
    else if (read.kind === "header") found.header ??= read.header;
    else {
      if (read.note !== undefined) note(number, read.note);
      // A parent that is unknown was on a bad line: the entry before takes its place, so that the path is not cut.
      const { parentId } = read;
      const known = parentId === null || (parentId !== undefined && seen.has(parentId));
      const entry: TranscriptEntry = {
        id: freeId(read.id, number, seen),
        sessionId,
        seq: seen.size + 1,
        parentId: known ? parentId : (before?.id ?? null),
        timestamp: read.timestamp ?? before?.timestamp ?? found.header?.startedAt ?? 0,
        body: read.body,
      };
      seen.add(entry.id);
      before = entry;
      yield { entry, chars: line.length };
    }
  }
}

/** The id of a line, else one made of its number. */
function freeId(id: string | undefined, line: number, seen: ReadonlySet<string>): string {
  if (id !== undefined && !seen.has(id)) return id;
  let free = `line-${line}`;
  while (seen.has(free)) free += "-";
  return free;
}
