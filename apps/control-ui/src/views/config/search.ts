/** Which settings there are, and which of them somebody means. Pure. */
import { controlOf, hintAt, type Hints, type Schema } from "./schema.ts";

export interface Found {
  path: string[];
  schema: Schema;
  /** What the search looks into. */
  words: string;
}

/** Every setting with a fixed place; those within lists and maps are found by the list or map they are in. */
export function settingsIn(schema: Schema, hints: Hints, path: string[] = []): Found[] {
  const control = controlOf(schema);
  if (control.kind === "object")
    return Object.entries(control.properties).flatMap(([name, node]) => settingsIn(node, hints, [...path, name]));
  const { label = "", help = schema.description ?? "" } = hintAt(hints, path);
  return [{ path, schema, words: `${path.join(".")} ${label} ${help}`.toLowerCase() }];
}

/** All words must be there; those in the path count more than those in the help. */
export function search(all: readonly Found[], text: string): Found[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const inPath = (found: Found) => words.filter((word) => found.path.join(".").toLowerCase().includes(word)).length;
  return all
    .filter((found) => words.every((word) => found.words.includes(word)))
    .sort((a, b) => inPath(b) - inPath(a) || a.path.length - b.path.length);
}
