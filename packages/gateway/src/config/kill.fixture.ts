/** Writers of the config file that are killed in the middle, and the judge of what they leave: for the writer's own test and for
 *  the longer run in `test/soak`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemWorld } from "../kernel/world.ts";
import { listHistory, readHistory } from "./history.ts";
import { parseDocument } from "./parse.ts";
import { demo, padOf } from "./write.fixture.ts";
import { editConfigFile } from "./write.ts";

const fixture = join(import.meta.dirname, "write.fixture.ts");
const comment = "// stays";

export interface KillOptions {
  /** An empty folder; every writer gets one of its own inside. */
  folder: string;
  kills: number;
  /** Fraction of 1: when within a few writes the next kill comes. */
  random: () => number;
}

/** Kills as many writers at a random instant, two at a time. What they leave must be whole: the acknowledged text or the next
 *  one, with whole backups, and a next writer who goes on. Says what was not so. */
export async function killWriters({ folder, kills, random }: KillOptions): Promise<string[]> {
  const violations: string[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < kills; index = next++) {
      const own = join(folder, `writer-${index}`);
      mkdirSync(own);
      const wrong = await killOne(own, 20 * random()).catch((error: unknown) => [String(error)]);
      violations.push(...wrong.map((text) => `kill ${index}: ${text}`));
    }
  };
  await Promise.all([worker(), worker()]);
  return violations;
}

async function killOne(home: string, afterMs: number): Promise<string[]> {
  const target = join(home, "openclaw.json");
  writeFileSync(target, `{\n  ${comment}\n  demo: {},\n}\n`);
  const writer = spawn(process.execPath, ["--conditions=openclaw-source", fixture, "loop", target], {
    env: { HOME: home, PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  writer.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(writer, "close");
  await once(writer.stdout, "data");
  await sleep(afterMs);
  writer.kill("SIGKILL");
  await ended;
  const acknowledged = Number(said.trim().split("\n").at(-1));
  const text = readFileSync(target, "utf8");
  const n = wholeNumber(text);
  const violations: string[] = [];
  if (n === undefined) violations.push(`the file is torn: ${text.slice(0, 80)}… (${text.length} characters)`);
  else if (n !== acknowledged && n !== acknowledged + 1)
    violations.push(`the file holds edit ${n}, acknowledged was ${acknowledged}`);
  const world = systemWorld({ HOME: home });
  const copies = readdirSync(home).filter((name) => /\.bak(?:\.\d)?$/u.test(name));
  const kept = [
    ...copies.map((name) => readFileSync(join(home, name), "utf8")),
    ...listHistory(world).map(readHistory),
  ];
  if (kept.length === 0) violations.push("nothing was kept");
  if (kept.some((old) => wholeNumber(old) === undefined)) violations.push("a backup is torn");
  await editConfigFile(target, [{ path: ["demo", "n"], value: -1 }], world, demo);
  if (existsSync(`${target}.lock`)) violations.push("the next writer left its lock");
  return violations;
}

/** The number of the edit, when the text is one that was written. 0 is the text before the first. */
function wholeNumber(text: string): number | undefined {
  try {
    const { demo: found } = parseDocument(text) as { demo: { n?: number; pad?: string } };
    const { n = 0, pad = padOf(0) } = found;
    return pad === padOf(n) && text.includes(comment) ? n : undefined;
  } catch {
    // Torn.
    return undefined;
  }
}
