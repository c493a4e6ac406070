/** edit: replaces one exact, unique piece of a file (agent.md §4.1). */
import { Type } from "typebox";
import { type FileScope, type FileTurns, fileScope, openForReading, replaceFile, resolvePath } from "./file-access.ts";
import type { FileToolOptions } from "./read.tool.ts";
import { textResult, tool, type Tool } from "./tool.ts";

const maxFileBytes = 10_000_000;
const contextLines = 3;

export function editTool(options: FileToolOptions & { turns: FileTurns }): Tool {
  return tool({
    name: "edit",
    description:
      "Replace one piece of text in a file. oldText must match exactly, whitespace included, and occur exactly once.",
    params: Type.Object({
      path: Type.String({ minLength: 1, description: "Path, relative to the workspace or absolute." }),
      oldText: Type.String({ minLength: 1, description: "The exact text to replace." }),
      newText: Type.String({ description: "What to put in its place." }),
    }),
    effects: true,
    run(params, context) {
      const scope = fileScope(context, options.workspaceOnly());
      const path = resolvePath(params.path, scope, options.world);
      return options.turns.take(path, async () => {
        context.signal.throwIfAborted();
        const before = await wholeText(path, scope);
        const change = replaceOnce(before, params.oldText, params.newText, path);
        await replaceFile(path, change.after, scope, options.world);
        return textResult(`Edited ${path} at line ${change.line}`, {
          path,
          diff: change.diff,
          firstChangedLine: change.line,
        });
      });
    },
  });
}

async function wholeText(path: string, scope: FileScope): Promise<string> {
  const { handle } = await openForReading(path, scope);
  try {
    const { size } = await handle.stat();
    if (size > maxFileBytes)
      throw new Error(`${path} has ${size} bytes; edit takes at most ${maxFileBytes}. Use exec.`);
    const bytes = await handle.readFile();
    try {
      // A byte order mark stays part of the text, so that it is written back.
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Error(`${path} is not UTF-8 text and was not changed. Use exec.`);
    }
  } finally {
    await handle.close();
  }
}

function replaceOnce(before: string, oldText: string, newText: string, path: string) {
  let [wanted, replacement] = [oldText, newText];
  let at = before.indexOf(wanted);
  if (at === -1 && before.includes("\r\n") && !oldText.includes("\r")) {
    // Models write \n; a file with \r\n keeps its line ends.
    [wanted, replacement] = [crlf(oldText), crlf(newText.replaceAll("\r\n", "\n"))];
    at = before.indexOf(wanted);
  }
  if (at === -1) {
    throw new Error(
      `oldText was not found in ${path}. It must match exactly, whitespace and line ends included; read the file again.`,
    );
  }
  const count = occurrences(before, wanted);
  if (count > 1)
    throw new Error(`oldText occurs ${count} times in ${path}. Add neighbouring lines until it is unique.`);
  if (wanted === replacement) throw new Error(`oldText and newText are the same; ${path} was not changed.`);
  const after = before.slice(0, at) + replacement + before.slice(at + wanted.length);
  const line = lineCount(before.slice(0, at));
  return { after, line, diff: diffOf(before, after, at, at + wanted.length, at + replacement.length) };
}

const crlf = (text: string): string => text.replaceAll("\n", "\r\n");
const lineCount = (text: string): number => text.split("\n").length;

/** Overlapping places count too: `aa` stands twice in `aaa`, and either could be meant. */
function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1 && count < 1_000; at = text.indexOf(part, at + 1)) count++;
  return count;
}

/** One hunk of a unified diff: the touched lines and three lines around them. */
function diffOf(before: string, after: string, start: number, endBefore: number, endAfter: number): string {
  const lineStart = start === 0 ? 0 : before.lastIndexOf("\n", start - 1) + 1;
  const atLineEnd = (text: string, end: number) => end === lineStart || text[end - 1] === "\n";
  const tail = before.slice(endBefore);
  // Whole lines changed, or the rest of the last touched line belongs to both sides.
  const newline = tail.indexOf("\n");
  const rest =
    atLineEnd(before, endBefore) && atLineEnd(after, endAfter) ? 0 : newline === -1 ? tail.length : newline + 1;
  const above = before.slice(0, lineStart).split("\n").slice(0, -1);
  const around = above.slice(-contextLines);
  const below = lines(tail.slice(rest)).slice(0, contextLines);
  const removed = lines(before.slice(lineStart, endBefore + rest));
  const added = lines(after.slice(lineStart, endAfter + rest));
  const first = above.length - around.length + 1;
  const size = around.length + below.length;
  return [
    `@@ -${first},${size + removed.length} +${first},${size + added.length} @@`,
    ...around.map((one) => ` ${one.replace(/\r$/u, "")}`),
    ...removed.map((one) => `-${one}`),
    ...added.map((one) => `+${one}`),
    ...below.map((one) => ` ${one}`),
  ].join("\n");
}

function lines(text: string): string[] {
  if (text === "") return [];
  return text.replace(/\r?\n$/u, "").split(/\r?\n/u);
}
