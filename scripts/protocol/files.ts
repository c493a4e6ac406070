/** Where the generated files live, and how they differ from what the sources say. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const generatedFolder = join(import.meta.dirname, "../../packages/protocol/generated");

function present(): Map<string, string> {
  const names = readdirSync(generatedFolder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    names.map(({ name }) => [name, readFileSync(join(generatedFolder, name), "utf8").replaceAll("\r\n", "\n")]),
  );
}

/** Names of files that are missing, differ or no longer belong there. */
export function staleFiles(files: Record<string, string>): string[] {
  const found = present();
  const wrong = Object.keys(files).filter((name) => found.get(name) !== files[name]);
  const strange = [...found.keys()].filter((name) => !Object.hasOwn(files, name));
  return [...wrong, ...strange].toSorted();
}

/** Writes what changed. With `prune`, removes files that no longer belong there. */
export function writeFiles(files: Record<string, string>, options: { prune: boolean }): void {
  mkdirSync(generatedFolder, { recursive: true });
  for (const name of staleFiles(files)) {
    const text = files[name];
    if (text !== undefined) writeFileSync(join(generatedFolder, name), text);
    else if (options.prune) rmSync(join(generatedFolder, name));
  }
}
