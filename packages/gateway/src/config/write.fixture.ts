/** For tests of the writer: what the demo document looks like, and a process that writes it. Run as
 *  `write.fixture.ts once <file> <key> <value>` or `… loop <file>`. */
import { pathToFileURL } from "node:url";
import { systemWorld } from "../kernel/world.ts";
import type { Declared } from "./read.ts";
import { editConfigFile } from "./write.ts";

/** As `section()` makes them; without TypeBox, which would double the start of the process. */
const demoSection = {
  path: "demo",
  reload: "live",
  schema: {
    type: "object",
    properties: { n: { type: "integer", default: 0 }, pad: { type: "string", default: "" } },
    additionalProperties: false,
  },
};
const keysSection = {
  path: "keys",
  reload: "live",
  schema: { type: "object", properties: {}, additionalProperties: { type: "integer" } },
};
export const demo: Declared = { sections: [demoSection, keysSection] };

/** Long enough that a torn write would show. */
export const padOf = (n: number): string => `${n}:`.repeat(20_000);

async function main([mode, file = "", key = "", value = "0"]: string[]): Promise<void> {
  const world = systemWorld();
  if (mode === "once") {
    // The superuser may write anything; a refusal shows only to somebody else.
    if (process.getuid?.() === 0 && key === "unprivileged") process.setuid?.(65_534);
    await editConfigFile(file, [{ path: ["keys", key], value: Number(value) }], world, demo);
    return;
  }
  for (let n = 1; ; n++) {
    await editConfigFile(
      file,
      [
        { path: ["demo", "n"], value: n },
        { path: ["demo", "pad"], value: padOf(n) },
      ],
      world,
      demo,
    );
    // The number of an edit that is on disk.
    process.stdout.write(`${n}\n`);
  }
}

export const runFixture =
  import.meta.url === pathToFileURL(process.argv[1] ?? "").href ? main(process.argv.slice(2)) : undefined;
