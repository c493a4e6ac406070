/** R-CFG-3: a write never takes more than its edits name, whatever made the text. The last look before the file is replaced. */
import { GatewayError } from "@openclaw/protocol";
import type { Edit } from "./edit.ts";
import { formatPath } from "./path.ts";
import { parseDocument } from "./parse.ts";
import { findSpans, type ValueSpan } from "./spans.ts";
import { isObject } from "./validate.ts";

/** A loss below this share of the text is not looked into; values become shorter all the time. */
const harmlessShare = 0.2;
/** Comma, quotes and brackets that go with a value. */
const punctuation = 8;

/** Throws GatewayError `conflict` when a top-level key is gone that no edit names, or more than a fifth of the text without being
 *  part of a named value. White space does not count. */
export function refuseUnnamedLoss(before: string, after: string, edits: readonly Edit[], path: string): void {
  const old = parseDocument(before);
  const now = parseDocument(after);
  if (!isObject(old) || !isObject(now)) return;
  const named = new Set(edits.map((edit) => edit.path[0]));
  const lost = Object.keys(old).filter((key) => !Object.hasOwn(now, key) && !named.has(key));
  if (lost.length === 0) {
    const size = sizeOf(before);
    const gone = size - sizeOf(after);
    if (gone <= size * harmlessShare) return;
    const root = findSpans(before);
    const allowed = edits.reduce((sum, edit) => sum + punctuation + namedSize(before, root, edit.path), 0);
    if (gone <= allowed) return;
  }
  const what = lost.length > 0 ? lost.map((key) => formatPath([key])).join(", ") : "a large part of the file";
  throw new GatewayError(
    "conflict",
    `${path}: the edit would remove ${what} without naming it. Nothing was written. Change the file by hand.`,
  );
}

const sizeOf = (text: string): number => text.replace(/\s+/gu, "").length;

/** What stands at a path, its key included, every time where a key stands twice. */
function namedSize(text: string, root: ValueSpan, path: readonly string[]): number {
  let node: ValueSpan | undefined = root;
  for (const [i, key] of path.entries()) {
    const last = i === path.length - 1;
    if (node?.kind === "array") {
      node = node.items[Number(key)];
      if (last) return node ? sizeOf(text.slice(node.start, node.end)) : 0;
    } else {
      const found: ValueSpan["members"] = node?.members.filter((member) => member.key === key) ?? [];
      if (last) return found.reduce((sum, member) => sum + sizeOf(text.slice(member.start, member.value.end)), 0);
      node = found.at(-1)?.value;
    }
  }
  return 0;
}
