/** `node scripts/package.ts [folder]`: builds, and packs the gateway as npm installs it: the files of this build and nothing that
 *  earlier builds left in `dist`. Prints the tarball's path. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { spawnSync } from "node:child_process";
import { build } from "./build.ts";
import { buildDir, root } from "./root.ts";

const source = join(root, "packages", "gateway");

/** Copies what belongs into the package to `folder`, which is made. Throws when the build is older than its list of files. */
export function stagePackage(folder: string): void {
  const { files } = JSON.parse(readFileSync(join(buildDir, "gateway.json"), "utf8")) as { files?: string[] };
  if (!files) throw new Error("The build has no list of its files. Run: node scripts/build.ts --force");
  for (const name of ["package.json", "bin/openclaw", ...files.map((file) => `dist/${file}`)]) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    cpSync(join(source, name), join(folder, name));
  }
}

if (import.meta.main) {
  await build();
  const destination = process.argv[2] ?? process.cwd();
  mkdirSync(destination, { recursive: true });
  const staged = mkdtempSync(join(tmpdir(), "openclaw-package-"));
  try {
    stagePackage(staged);
    const packed = spawnSync("npm", ["pack", staged, "--pack-destination", destination, "--silent"], {
      encoding: "utf8",
    });
    if (packed.status !== 0) throw new Error(packed.stderr);
    console.log(join(destination, packed.stdout.trim()));
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}
