/** Edits of the config that depend on what it says. */
import { GatewayError } from "@openclaw/protocol";
import { type Edit, editConfigFile, readConfig, type WriteWorld } from "../config/index.ts";
import { declared } from "./sections.ts";

/** How often a change is made anew because somebody else wrote the file meanwhile. */
const maxTries = 5;

/** Writes the edits that `make` finds for what the file says, and makes them anew when somebody else was faster. Resolves with
 *  whether there were any. Throws what the config writer throws. */
export async function editAnew(path: string, world: WriteWorld, make: (parsed: unknown) => Edit[]): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    const { parsed, hash: baseHash } = readConfig(path, world, declared);
    const edits = make(parsed);
    if (edits.length === 0) return false;
    try {
      await editConfigFile(path, edits, world, declared, { baseHash });
      return true;
    } catch (error) {
      if (!(error instanceof GatewayError) || error.kind !== "conflict" || tries === maxTries) throw error;
    }
  }
}
