/** Bundles the Control UI for the gateway to serve: content-hashed files, each with its compressed forms beside it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";
import { root } from "../root.ts";

export interface UiBundle {
  /** By path below the folder the gateway serves. `index.html` is last: it refers to the others. */
  files: Map<string, string | Uint8Array>;
  /** Files of third parties that are inside, for the notices. */
  moduleIds: string[];
}

const compressible = /\.(js|css|html|svg|webmanifest|json)$/;
/** Below this a second file costs more than it saves. */
const worthBytes = 1_024;

export async function bundleUi(version: string): Promise<UiBundle> {
  const folder = join(root, "apps/control-ui");
  const built = await build({
    configFile: join(folder, "vite.config.ts"),
    logLevel: "warn",
    define: { CONTROL_UI_VERSION: JSON.stringify(version) },
    build: { write: false },
  });
  const moduleIds: string[] = [];
  const plain = new Map<string, string | Uint8Array>();
  for (const result of Array.isArray(built) ? built : [built]) {
    if (!("output" in result)) throw new Error("the bundler watches instead of building");
    for (const file of result.output) {
      if (file.type === "chunk") moduleIds.push(...file.moduleIds);
      plain.set(file.fileName, file.type === "chunk" ? file.code : file.source);
    }
  }
  for (const name of ["icon.svg", "icon-maskable.svg", "manifest.webmanifest"])
    plain.set(name, readFileSync(join(folder, "public", name)));
  const files = new Map<string, string | Uint8Array>();
  const names = [...plain.keys()].sort((a, b) => Number(a === "index.html") - Number(b === "index.html"));
  for (const name of names) {
    const content = Buffer.from(plain.get(name) ?? "");
    // The index is rewritten for its base path when it is served, so its compressed forms would be wrong.
    if (compressible.test(name) && name !== "index.html" && content.length >= worthBytes) {
      files.set(`${name}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
      files.set(`${name}.gz`, gzipSync(content, { level: 9 }));
    }
    files.set(name, content);
  }
  return { files, moduleIds };
}
