/** Patterns that people write into the config and strangers' texts are matched against: only such as cannot take long
 *  (channels.md §2.3, reliability.md S13). The judgement is by shape, so that no text has to be tried. */

/** Of a text, what a pattern gets to see at either end, by the number of its open repetitions: the work grows with the power of
 *  that number and one more. */
const subjectChars = [1_000, 1_000, 150] as const;
const maxPatternChars = 200;
const maxOpenRepeats = subjectChars.length - 1;
/** Choices multiply: what is optional counts once, a group with n branches as the logarithm of n to base 2. */
const maxOptional = 10;
/** Beside two open repetitions: each of their ways is tried with every choice. */
const maxOptionalBesideTwo = 2;
/** A repetition bounded by more than this counts as open. */
const smallCount = 10;

export interface SafePattern {
  pattern: RegExp;
  /** Longer texts must be cut to this. */
  maxChars: number;
}

/** How much of a text the pattern may see at once, or why it is not used at all. Does not compile it. */
export function judgePattern(source: string): { maxChars: number } | { problem: string } {
  if (source.trim() === "") return { problem: "it is empty" };
  if (source.length > maxPatternChars) return { problem: `it is longer than ${maxPatternChars} characters` };
  const open = openRepeats(source);
  return typeof open === "string" ? { problem: open } : { maxChars: subjectChars[open] ?? 0 };
}

/** The pattern, ignoring case, or why it is not used. */
export function safePattern(source: string): SafePattern | { problem: string } {
  const judged = judgePattern(source);
  if ("problem" in judged) return judged;
  try {
    return { pattern: new RegExp(source, "iu"), ...judged };
  } catch {
    // Escapes that the strict mode does not know are common in patterns people write.
  }
  try {
    return { pattern: new RegExp(source, "i"), ...judged };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : "it is no regular expression" };
  }
}

interface Group {
  /** Whether something inside repeats or branches. */
  complex: boolean;
  branches: number;
}

const newGroup = (): Group => ({ complex: false, branches: 1 });

/** How many repetitions without a small bound there are, or why matching could take long. */
function openRepeats(source: string): number | string {
  const groups: Group[] = [newGroup()];
  let open = 0;
  let optional = 0;
  /** What the next quantifier would repeat. */
  let last: Group | undefined;
  for (let at = 0; at < source.length; at++) {
    const char = source[at];
    const here = groups.at(-1);
    if (!here) return "its parentheses do not match";
    if (char === "\\") {
      const next = source[++at] ?? "";
      if (/[1-9k]/.test(next)) return "it refers back to a group";
      last = newGroup();
    } else if (char === "[") {
      at = classEnd(source, at);
      last = newGroup();
    } else if (char === "(") {
      groups.push(newGroup());
      last = undefined;
      const kind = /^\((\?(?::|=|!|<=|<!|<\w+>))/.exec(source.slice(at));
      if (kind) at += kind[1]?.length ?? 0;
    } else if (char === ")") {
      groups.pop();
      const outer = groups.at(-1);
      if (!outer) return "its parentheses do not match";
      if (here.complex) outer.complex = true;
      optional += Math.log2(here.branches);
      last = here;
    } else if (char === "|") {
      if (groups.length > 1) here.complex = true;
      here.branches++;
      last = undefined;
    } else if (
      char === "*" ||
      char === "+" ||
      char === "?" ||
      (char === "{" && /^\{\d*,?\d*\}/.test(source.slice(at)))
    ) {
      const count = char === "{" ? (/^\{(\d*)(,?)(\d*)\}/.exec(source.slice(at)) ?? []) : [];
      if (char === "{") at += (count[0]?.length ?? 1) - 1;
      if (source[at + 1] === "?" || source[at + 1] === "+") at++;
      if (char === "?") optional++;
      else {
        const most =
          char === "{"
            ? count[2] === ","
              ? count[3] === ""
                ? Infinity
                : Number(count[3])
              : Number(count[1])
            : Infinity;
        if (last?.complex && most > 1) return "it repeats a group that itself repeats or branches";
        if (most > smallCount) open++;
        else optional += most > 1 ? most : 0;
      }
      here.complex = true;
      last = undefined;
    } else {
      last = newGroup();
    }
    if (open > maxOpenRepeats) return `it has more than ${maxOpenRepeats} open repetitions`;
    if (optional > (open < maxOpenRepeats ? maxOptional : maxOptionalBesideTwo))
      return "it has too many optional parts or branches";
  }
  return open;
}

function classEnd(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === "]" && at > from + 1) return at;
  }
  return source.length;
}
