/** The packages third parties import, as JavaScript with declarations. Types are judged by `npm run check`, not here. */
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bin, buildDir, root, run } from "../root.ts";
import { prune, publish } from "./publish.ts";

const libraries = [
  { name: "protocol", kept: /^/ },
  // The client is compiled together with the protocol sources it refers to; only its own files are its own.
  { name: "client", kept: /^client\// },
];

export async function compileLibraries(): Promise<void> {
  await Promise.all(
    libraries.map(async ({ name, kept }) => {
      const temporary = mkdtempSync(join(buildDir, `${name}-`));
      try {
        const project = join(root, "packages", name, "tsconfig.build.json");
        const result = await run(bin("tsc"), ["-p", project, "--outDir", temporary]);
        if (result.code !== 0) throw new Error(`tsc could not compile packages/${name}:\n${result.output}`);
        const files = globSync("**/*.{js,d.ts}", { cwd: temporary }).filter((file) => kept.test(file));
        const output = new Map(files.map((file) => [file, readFileSync(join(temporary, file))]));
        const folder = join(root, "packages", name, "dist");
        publish(folder, output);
        prune(folder, output, 0);
      } finally {
        rmSync(temporary, { recursive: true, force: true });
      }
    }),
  );
}
