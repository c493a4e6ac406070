/** Where a growing text may be cut, so that finished pieces can be sent while the rest is written (agent.md §13.1). Pure. */

export interface BlockRules {
  /** No piece is shorter, except the last. */
  minChars: number;
  maxChars: number;
  breakAt: "paragraph" | "newline" | "sentence";
}

export interface Block {
  /** Of the text, in this piece. */
  chars: number;
  /** Put behind it: the end of a code fence that had to be cut. */
  close?: string;
  /** The line that opens the same fence again in front of the next piece. */
  reopen?: string;
}

const breaks = {
  paragraph: /\n[ \t]*\n/g,
  newline: /\n/g,
  sentence: /[.!?。！？]["'”’)\]]?\s/g,
  space: /\s/g,
} as const;
const order = ["paragraph", "newline", "sentence", "space"] as const;

/** The next piece of `text`, or undefined while it has to wait. `open` is the line of the fence the text begins in, if any. */
export function nextBlock(text: string, rules: BlockRules, open?: string): Block | undefined {
  const { minChars, maxChars, breakAt } = rules;
  if (text.length < minChars) return undefined;
  const mustCut = text.length >= maxChars;
  const kinds = mustCut ? order.slice(order.indexOf(breakAt)) : [breakAt];
  const head = text.slice(0, maxChars);
  for (const kind of kinds) {
    for (const at of ends(head, breaks[kind]).toReversed()) {
      if (at >= minChars && fenceAfter(head.slice(0, at), open) === undefined) return { chars: at };
    }
  }
  return mustCut ? forced(head, minChars, open) : undefined;
}

/** Inside a fence, or one word without end: at a line if there is one, else in the middle of everything. */
function forced(head: string, minChars: number, open: string | undefined): Block {
  const line = ends(head, breaks.newline).findLast((at) => at >= Math.min(minChars, head.length / 2));
  const whole = head.isWellFormed() ? head.length : head.length - 1;
  const chars = line ?? whole;
  const fence = fenceAfter(head.slice(0, chars), open);
  return fence === undefined ? { chars } : { chars, close: markOf(fence), reopen: fence };
}

const ends = (text: string, pattern: RegExp): number[] =>
  [...text.matchAll(pattern)].map((match) => match.index + match[0].length);

const markOf = (line: string): string => /^(`{3,}|~{3,})/.exec(line)?.[1] ?? "```";

/** The line of the fence that is open after `text`. */
export function fenceAfter(text: string, open?: string): string | undefined {
  let fence = open;
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    const mark = /^(`{3,}|~{3,})(.*)$/.exec(trimmed);
    if (!mark) continue;
    if (fence === undefined) fence = trimmed;
    else if (mark[2]?.trim() === "" && mark[1]?.startsWith(markOf(fence))) fence = undefined;
  }
  return fence;
}
