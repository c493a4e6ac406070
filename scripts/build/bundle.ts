/** Bundles the gateway: every dependency inside, except Node and the optional terminal driver. One lazy chunk per command
 *  and catalogue entry. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { rolldown, type OutputChunk } from "rolldown";
import { buildDir, root } from "../root.ts";
import { bundleA2ui } from "./a2ui.ts";
import { narrow } from "./narrow.ts";
import { bundledPackages, noticesText, packageOf, type Bundled } from "./notices.ts";
import { prune, publish, type Output } from "./publish.ts";
import { bundleUi, type UiBundle } from "./ui.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** Small modules that are loaded together are one file: each import of a file costs the loader a look at the disk and some tens of
 *  path operations, and enough of them wake the optimizing compiler, which keeps 8 MB of its own code in memory for good. */
const together = [
  {
    name: "cli",
    test: /gateway\/src\/(cli\/(command|commands|commands\/\w+|index|io|onboard-options|options|parse|profile|run-cli|terminal\/(clean|json|style))|kernel\/paths)\.ts$/u,
  },
  { name: "kernel", test: /gateway\/src\/(kernel\/(lifecycle|log|redact|world)|assembly\/(dotenv|log-folder))\.ts$/u },
  { name: "protocol", test: /protocol\/src\/(errors|frames|scopes)\.ts$/u },
  { name: "reading", test: /gateway\/src\/config\/(include|nearest|parse|path|substitute|validate)\.ts$/u },
];

/** What is in each chunk, for the start-up test and the dependency list. Written beside the stamp. */
export interface Manifest {
  version: string;
  /** By file below `dist`: our sources as paths of the checkout, third parties as `npm:<package>`. */
  chunks: Record<string, { bytes: number; modules: string[] }>;
  packages: { name: string; version: string; license: string }[];
  /** Everything of this build below `dist`, where files of earlier ones stay for a while. */
  files?: string[];
}

export const manifestPath = join(buildDir, "gateway.json");

/** Resolves to the number of chunks. */
export async function bundleGateway(): Promise<number> {
  const { version } = JSON.parse(readFileSync(join(root, "packages/gateway/package.json"), "utf8")) as {
    version: string;
  };
  const [ui, a2ui] = await Promise.all([bundleUi(version), bundleA2ui()]);
  const bundle = await rolldown({
    input: { main: join(root, "packages/gateway/src/main.ts") },
    platform: "node",
    preserveEntrySignatures: "allow-extension",
    external: ["@lydell/node-pty", "baileys", /^libsignal(\/|$)/],
    resolve: { conditionNames: ["openclaw-source", "node", "import", "default"] },
    transform: { target: "node24", define: { OPENCLAW_VERSION: JSON.stringify(version) } },
    onLog(level, log, handle) {
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(log.message);
      if (level !== "warn" || !(log.id && packageOf(log.id))) handle(level, log);
    },
  });
  try {
    const { output } = await bundle.generate({
      format: "esm",
      entryFileNames: "chunks/[name]-[hash].js",
      chunkFileNames: "chunks/[name]-[hash].js",
      sourcemap: false,
      codeSplitting: { includeDependenciesRecursively: false, groups: together },
      comments: { legal: false, annotation: false, jsdoc: false },
      // Only dead code goes. Lines and names stay: an uncaught error prints its source line, and stacks in a log can be read.
      minify: "dce-only",
    });
    const chunks = output.filter((file) => file.type === "chunk");
    const moduleIds = [...chunks.flatMap((chunk) => chunk.moduleIds), ...ui.moduleIds];
    const packages = bundledPackages(moduleIds);
    const manifest = describe(version, chunks, packages);
    const files = assemble(chunks, ui, a2ui, noticesText(packages));
    const folder = join(root, "packages/gateway/dist");
    publish(folder, files);
    // A gateway that started from an older build may still load its chunks.
    prune(folder, files, 7 * dayMs);
    manifest.files = [...files.keys()].sort();
    writeFileSync(manifestPath, `${JSON.stringify(manifest, null, 1)}\n`);
    return chunks.length;
  } finally {
    await bundle.close();
  }
}

/** Chunks first, then the web app and the notices, last the one file whose name does not change. */
function assemble(
  chunks: readonly OutputChunk[],
  ui: UiBundle,
  a2ui: ReadonlyMap<string, string>,
  notices: string,
): Output {
  const entry = chunks.find((chunk) => chunk.isEntry);
  if (!entry) throw new Error("the bundle has no entry");
  const files = new Map<string, string | Uint8Array>();
  for (const chunk of chunks) files.set(chunk.fileName, narrow(chunk.code));
  for (const [name, content] of ui.files) files.set(`ui/${name}`, content);
  for (const [name, content] of a2ui) files.set(`a2ui/${name}`, content);
  files.set("THIRD_PARTY_NOTICES.txt", notices);
  files.set("main.js", `import "./${entry.fileName}";\n`);
  return files;
}

function describe(version: string, chunks: readonly OutputChunk[], bundled: readonly Bundled[]): Manifest {
  const entries = chunks.map((chunk): [string, Manifest["chunks"][string]] => {
    const modules = new Set(
      chunk.moduleIds.map((id) => (packageOf(id) === undefined ? relative(root, id) : `npm:${packageOf(id)}`)),
    );
    return [
      chunk.fileName,
      { bytes: Buffer.byteLength(chunk.code), modules: [...modules].filter((name) => !name.includes("\0")).sort() },
    ];
  });
  const packages = bundled.map(({ name, version: at, license }) => ({ name, version: at, license }));
  return { version, chunks: Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b))), packages };
}
