/** Two texts line by line. Bounded: texts that differ too much are told apart as a whole. Pure. */
import { redacted } from "./schema.ts";

export interface DiffLine {
  kind: "same" | "gone" | "new" | "skip";
  text: string;
}

const maxCells = 4_000_000;
const context = 3;

/** Changed lines with a few around them; `skip` says how many were left out. */
export function lineDiff(before: string, after: string): DiffLine[] {
  return folded(compare(before.split("\n"), after.split("\n")));
}

function compare(a: readonly string[], b: readonly string[]): DiffLine[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const head = a.slice(0, start).map(sameLine);
  const tail = a.slice(a.length - end).map(sameLine);
  return [...head, ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)), ...tail];
}

const sameLine = (text: string): DiffLine => ({ kind: "same", text });

function middle(a: readonly string[], b: readonly string[]): DiffLine[] {
  const gone = a.map((text): DiffLine => ({ kind: "gone", text }));
  const fresh = b.map((text): DiffLine => ({ kind: "new", text }));
  if (a.length === 0 || b.length === 0 || a.length * b.length > maxCells) return [...gone, ...fresh];
  // Lengths of the longest common subsequence of the rests, row by row from the end.
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (left !== undefined && left === right) {
      lines.push(sameLine(left));
      i += 1;
      j += 1;
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ kind: "gone", text: left });
      i += 1;
    } else {
      lines.push({ kind: "new", text: right ?? "" });
      j += 1;
    }
  }
  return lines;
}

function folded(lines: readonly DiffLine[]): DiffLine[] {
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - context), index + context + 1).some(({ kind }) => kind !== "same"),
  );
  const out: DiffLine[] = [];
  let skipped = 0;
  lines.forEach((line, index) => {
    if (near[index] === true) {
      if (skipped > 0) out.push({ kind: "skip", text: `${skipped} lines` });
      skipped = 0;
      out.push(line);
    } else skipped += 1;
  });
  if (skipped > 0 && out.length > 0) out.push({ kind: "skip", text: `${skipped} lines` });
  return out;
}

const secretLine = /((?:token|password|secret|api_?key)["']?\s*:\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/gi;

/** Hides what was typed as a secret; somebody may look over the shoulder. */
export const withoutSecrets = (text: string): string =>
  text.replace(secretLine, (whole, name: string, value: string) =>
    value.includes(redacted) ? whole : `${name}"••••••"`,
  );
