/** The last thing a service said about itself: the journal of its unit, or the files launchd writes (lifecycle.md §9.7). */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { parsePlist } from "./launchd-plist.ts";
import type { OpenedService } from "./open.ts";
import { runTool } from "./tool.ts";
import type { ServiceState } from "./types.ts";

const journalTimeoutMs = 1_000;
const maxBytes = 65_536;
const maxLineChars = 400;

/** What a gateway that could not work says. */
const telling = [
  /refusing to bind gateway/iu,
  /gateway auth/iu,
  /gateway start blocked/iu,
  /failed to bind gateway socket/iu,
  /gateway failed to start/iu,
  /tailscale .* requires/iu,
  /invalid config|missing config/iu,
];

/** Undefined when there is nothing to read. Never throws. */
export async function lastWords({ machine }: OpenedService, state: ServiceState): Promise<string | undefined> {
  if (state.manager === "systemd") {
    const scope = state.scope === "user" ? ["--user"] : [];
    const args = [...scope, "-u", state.label, "-n", "50", "-o", "cat", "--no-pager", "-q"];
    const ran = await runTool(machine.world, "journalctl", args, { timeoutMs: journalTimeoutMs });
    return ran.code === 0 ? pick(ran.stdout) : undefined;
  }
  if (state.manager !== "launchd" || state.text === undefined) return undefined;
  const plist = parsePlist(state.text);
  for (const path of [plist?.err, plist?.out]) {
    const line = path === undefined ? undefined : pick(endOf(path));
    if (line !== undefined) return line;
  }
  return undefined;
}

/** The newest line that tells why, else the last one. */
function pick(text: string): string | undefined {
  const lines = text
    .split("\n")
    .map((line) => line.trim().slice(0, maxLineChars))
    .filter((line) => line && !line.startsWith("-- "));
  return lines.findLast((line) => telling.some((pattern) => pattern.test(line))) ?? lines.at(-1);
}

function endOf(path: string): string {
  try {
    const handle = openSync(path, "r");
    try {
      const { size } = fstatSync(handle);
      const buffer = Buffer.alloc(Math.min(size, maxBytes));
      const read = readSync(handle, buffer, 0, buffer.length, Math.max(0, size - maxBytes));
      return buffer.subarray(0, read).toString("utf8");
    } finally {
      closeSync(handle);
    }
  } catch {
    return ""; // Not written yet, or not ours to read.
  }
}
