/** What happens to the config file in a life: a hundred thousand edits of documents nobody foresaw, and writers that are killed in
 *  the middle (R-CFG-2). Everything is drawn from one seed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wrongEdits } from "../../packages/gateway/src/config/edit.fixture.ts";
import { killWriters } from "../../packages/gateway/src/config/kill.fixture.ts";
import { seededRandom } from "../support/random.ts";

/** Documents are edited in batches, so that a finding is repeated in a second and memory stays small. */
const batch = 2_500;

export async function editDocuments(options: { seed: number; documents: number }) {
  const violations: string[] = [];
  for (let done = 0, seed = options.seed; done < options.documents; done += batch, seed++) {
    const documents = Math.min(batch, options.documents - done);
    violations.push(...wrongEdits({ seed, documents }).map((text) => `seed ${seed}, ${documents} documents: ${text}`));
    // Output and signals get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { documents: options.documents, wrong: violations.length, violations };
}

export async function killDuringWrites(options: { seed: number; kills: number }) {
  const folder = mkdtempSync(join(tmpdir(), "openclaw-kills-"));
  try {
    const violations = await killWriters({ folder, kills: options.kills, random: seededRandom(options.seed) });
    return { kills: options.kills, violations };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }
}
