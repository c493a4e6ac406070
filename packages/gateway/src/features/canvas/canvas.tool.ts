/** What agents do with the canvas (canvas-browser-nodes.md §11). Devices that show it come with nodes; until then the tool judges
 *  what would be sent, and says where a person can look. */
import { readFile, realpath, stat } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { Type } from "typebox";
import { errorResult, textResult, tool, type Tool } from "../tools/index.ts";
import { a2uiLimits, readA2uiLines } from "./a2ui-lines.ts";

export interface CanvasToolOptions {
  /** Base of the canvas for a browser on this machine; undefined while it is off. */
  url: () => string | undefined;
}

const actions = ["present", "hide", "navigate", "eval", "snapshot", "a2ui_push", "a2ui_reset"] as const;

export const canvasTool = ({ url }: CanvasToolOptions): Tool =>
  tool({
    name: "canvas",
    description:
      "Shows pages on a device. Files in the folder `canvas` of the workspace are served and reload when they change. " +
      "present, navigate (url), hide, eval (javaScript), snapshot, a2ui_push (jsonl: A2UI v0.8, one message per line), a2ui_reset. " +
      "Devices cannot be driven by this version yet: present and navigate answer with the address a person can open, a2ui_push checks the lines.",
    params: Type.Object(
      {
        action: Type.Unsafe<(typeof actions)[number]>({ type: "string", enum: [...actions] }),
        node: Type.Optional(Type.String({ description: "Device." })),
        target: Type.Optional(Type.String({ description: "For present: page below the canvas, or a URL." })),
        url: Type.Optional(Type.String({ description: "For navigate: page below the canvas, or a URL." })),
        javaScript: Type.Optional(Type.String()),
        jsonl: Type.Optional(Type.String()),
        jsonlPath: Type.Optional(Type.String({ description: "File of the workspace with the lines." })),
      },
      { additionalProperties: false },
    ),
    effects: false,
    available: () => url() !== undefined,
    async run(params, context) {
      const base = url();
      if (base === undefined) return errorResult("The canvas is off (canvasHost.enabled).");
      if (params.action === "a2ui_push") {
        const jsonl = params.jsonl ?? (params.jsonlPath && (await readLines(params.jsonlPath, context.workspace)));
        if (!jsonl) return errorResult("a2ui_push needs jsonl or jsonlPath.");
        const judged = readA2uiLines(jsonl);
        if (!judged.ok) return errorResult(`Nothing was sent.\n${judged.problems.slice(0, 20).join("\n")}`);
        return errorResult(
          `The ${judged.messages.length} messages are valid, and were not shown: no device with a canvas can be reached by this version.`,
        );
      }
      if (params.action !== "present" && params.action !== "navigate")
        return errorResult(`${params.action} needs a device, and this version cannot reach devices yet.`);
      const page = params.action === "present" ? (params.target ?? params.url) : (params.url ?? params.target);
      const shown = /^https?:\/\//i.test(page ?? "")
        ? page
        : `${base}/__openclaw__/canvas/${(page ?? "").replace(/^\/+/, "")}`;
      return textResult(
        `No device was told: this version cannot reach devices yet. A person can open ${shown} in a browser on the machine of the gateway.`,
        { url: shown },
      );
    },
  });

/** Throws with a text for the model. */
async function readLines(path: string, workspace: string): Promise<string> {
  const root = await realpath(workspace);
  const place = await realpath(resolve(root, path)).catch(() => undefined);
  if (place === undefined) throw new Error(`there is no file ${path}`);
  if (!place.startsWith(root + sep)) throw new Error("jsonlPath must be inside the workspace");
  const entry = await stat(place);
  if (!entry.isFile() || entry.size > 4 * a2uiLimits.chars) throw new Error("jsonlPath must be a file of at most 1 MB");
  return readFile(place, "utf8");
}
