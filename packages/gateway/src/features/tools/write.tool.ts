/** write: a whole file (agent.md §4.1). */
import { Type } from "typebox";
import { type FileTurns, fileScope, replaceFile, resolvePath } from "./file-access.ts";
import type { FileToolOptions } from "./read.tool.ts";
import { textResult, tool, type Tool } from "./tool.ts";

export function writeTool(options: FileToolOptions & { turns: FileTurns }): Tool {
  return tool({
    name: "write",
    description: "Write a file as a whole. Makes missing directories; replaces what was there.",
    params: Type.Object({
      path: Type.String({ minLength: 1, description: "Path, relative to the workspace or absolute." }),
      content: Type.String({ description: "The complete new content." }),
    }),
    effects: true,
    async run(params, context) {
      const scope = fileScope(context, options.workspaceOnly());
      const path = resolvePath(params.path, scope, options.world);
      await options.turns.take(path, async () => {
        context.signal.throwIfAborted();
        await replaceFile(path, params.content, scope, options.world);
      });
      const bytes = Buffer.byteLength(params.content);
      return textResult(`Wrote ${bytes} bytes to ${path}`, { path, bytes });
    },
  });
}
