/** Writes `packages/protocol/generated` from the definitions in `packages/protocol/src/spaces`.
 *  No flag: everything. `--swift`: the Swift models only. `--check`: writes nothing, fails when a file is stale. */
import { staleFiles, writeFiles } from "./protocol/files.ts";
import { generate, swiftFileName } from "./protocol/generate.ts";

const flags = process.argv.slice(2);
const unknown = flags.find((flag) => flag !== "--swift" && flag !== "--check");
if (unknown !== undefined) {
  console.error(`Unknown flag ${unknown}. Use --swift, --check or none.`);
  process.exit(2);
}

const everything = generate();
const swiftOnly = flags.includes("--swift");
const files = swiftOnly ? { [swiftFileName]: everything[swiftFileName] ?? "" } : everything;

if (flags.includes("--check")) {
  const stale = staleFiles(everything).filter((name) => !swiftOnly || name === swiftFileName);
  if (stale.length > 0) {
    console.error(`Stale: ${stale.join(", ")}. Run \`npm run protocol:gen\` and commit the result.`);
    process.exit(1);
  }
  console.log("The generated protocol files are fresh.");
} else {
  writeFiles(files, { prune: !swiftOnly });
}
