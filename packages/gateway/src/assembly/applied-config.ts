/** What is kept and said of a config that was applied (R-CFG-6). */
import { judgeText, keepInHistory, listHistory, readHistory, type ConfigSnapshot } from "../config/index.ts";
import type { Logger } from "../kernel/log.ts";
import { commandLine, displayPath } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import { declared } from "./sections.ts";

/** Keeps the text in the history and logs what deserves a word. Never throws: the config is applied already. */
export function recordApplied(snapshot: ConfigSnapshot, world: World, log: Logger): void {
  for (const { path, message } of snapshot.warnings) log.warn(`config: ${path}: ${message}`);
  for (const { message } of snapshot.legacyIssues)
    log.warn(`config: ${message} Run "${commandLine(world, "doctor --fix")}" to write it.`);
  if (snapshot.raw === null) return;
  try {
    keepInHistory(snapshot.raw, world);
  } catch (error) {
    log.warn("the applied config could not be kept in the history", { error });
  }
}

/** One sentence naming the newest kept text a gateway would start on; empty when there is none. */
export function lastGoodHint(path: string, world: World): string {
  for (const entry of listHistory(world)) {
    if (judgeText(path, readHistory(entry), world, declared).verdict !== "ok") continue;
    return `\nThe last good config is kept at ${displayPath(entry.path, world)}; "${commandLine(world, `config restore ${entry.hash}`)}" brings it back.`;
  }
  return "";
}
