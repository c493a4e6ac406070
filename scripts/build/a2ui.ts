/** Bundles the A2UI page: one classic script, because a page in a sandbox may load no modules, and its document. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { root } from "../root.ts";
import { publish } from "./publish.ts";

/** By path below the folder the gateway serves. */
export async function bundleA2ui(): Promise<Map<string, string>> {
  const folder = join(root, "apps/a2ui");
  const bundle = await rolldown({ input: join(folder, "src/index.ts"), platform: "browser" });
  try {
    const { output } = await bundle.generate({ format: "iife", minify: true, sourcemap: false });
    const chunk = output.find((file) => file.type === "chunk");
    if (!chunk) throw new Error("the A2UI page has no script");
    return new Map([
      ["a2ui.bundle.js", chunk.code],
      ["index.html", readFileSync(join(folder, "index.html"), "utf8")],
    ]);
  } finally {
    await bundle.close();
  }
}

/** Writes the page alone, for tests that need no other part of a build. */
export async function publishA2ui(): Promise<void> {
  const files = new Map<string, string>();
  for (const [name, content] of await bundleA2ui()) files.set(`a2ui/${name}`, content);
  publish(join(root, "packages/gateway/dist"), files);
}
