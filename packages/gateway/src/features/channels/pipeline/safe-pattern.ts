/** Patterns that people write into the config and strangers' texts are matched against: only such as cannot take long
 *  (channels.md §2.3). The judgement is by shape, so that no text has to be tried. */

/** Of a text, what patterns get to see. With at most two open repetitions the work grows with the cube of this. */
export const maxSubjectChars = 400;
const maxPatternChars = 200;
const maxOpenRepeats = 2;
const maxOptional = 10;
/** A repetition bounded by more than this counts as open. */
const smallCount = 10;

/** The pattern, ignoring case, or why it is not used. */
export function safePattern(source: string): { pattern: RegExp } | { problem: string } {
  if (source.trim() === "") return { problem: "it is empty" };
  if (source.length > maxPatternChars) return { problem: `it is longer than ${maxPatternChars} characters` };
  const problem = danger(source);
  if (problem) return { problem };
  try {
    return { pattern: new RegExp(source, "iu") };
  } catch {
    // Escapes that the strict mode does not know are common in patterns people write.
  }
  try {
    return { pattern: new RegExp(source, "i") };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : "it is no regular expression" };
  }
}

interface Group {
  /** Whether something inside repeats or branches. */
  complex: boolean;
}

/** Why matching could take long; undefined when it cannot. */
function danger(source: string): string | undefined {
  const groups: Group[] = [{ complex: false }];
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
      last = { complex: false };
    } else if (char === "[") {
      at = classEnd(source, at);
      last = { complex: false };
    } else if (char === "(") {
      groups.push({ complex: false });
      last = undefined;
      const kind = /^\((\?(?::|=|!|<=|<!|<\w+>))/.exec(source.slice(at));
      if (kind) at += kind[1]?.length ?? 0;
    } else if (char === ")") {
      groups.pop();
      const outer = groups.at(-1);
      if (!outer) return "its parentheses do not match";
      if (here.complex) outer.complex = true;
      last = here;
    } else if (char === "|") {
      if (groups.length > 1) here.complex = true;
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
      last = { complex: false };
    }
    if (open > maxOpenRepeats) return `it has more than ${maxOpenRepeats} open repetitions`;
    if (optional > maxOptional) return "it has too many optional parts";
  }
  return undefined;
}

function classEnd(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === "]" && at > from + 1) return at;
  }
  return source.length;
}
