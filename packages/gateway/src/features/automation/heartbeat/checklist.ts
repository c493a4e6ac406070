/** Whether HEARTBEAT.md says anything to do. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const maxChars = 100_000;

/** Blanks, headings, empty list markers and comments say nothing. */
export function saysNothing(text: string): boolean {
  const rest = text.slice(0, maxChars).replaceAll(/<!--[\s\S]*?(?:-->|$)/g, "");
  return rest.split("\n").every((line) => /^\s*(?:#.*|(?:[-*+]|\d+[.)])?\s*(?:\[[ xX]?\])?)\s*$/.test(line));
}

/** True only for a file that is there and says nothing: without a file the agent looks for itself. */
export function hasEmptyChecklist(workspace: string): boolean {
  const path = join(workspace, "HEARTBEAT.md");
  try {
    return statSync(path).size <= maxChars && saysNothing(readFileSync(path, "utf8"));
  } catch {
    return false; // No file, or none that can be read: nothing is known about it.
  }
}
