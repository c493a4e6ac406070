/** Who listens on a port of this machine (lifecycle.md §9.9). On Linux read from `/proc`, so that it works without lsof; of
 *  other accounts only the user is known. Elsewhere unknown: then the list is empty. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { connect } from "node:net";
import { commandLine } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";

export interface Holder {
  pid: number;
  /** Account name, or the number where it has none; empty when the process ended meanwhile. */
  user: string;
  command: string;
  commandLine: string;
  address: string;
}

const connectTimeoutMs = 500;
const listening = "0A";

/** Whether something accepts connections on 127.0.0.1. */
export function portAnswers(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectTimeoutMs });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("timeout", () => done(false));
    socket.once("error", () => done(false));
  });
}

/** Bounded: at most ten. Never throws. */
export function holdersOf(port: number): Holder[] {
  const sockets = new Map([...listenersIn("/proc/net/tcp", port), ...listenersIn("/proc/net/tcp6", port)]);
  if (sockets.size === 0) return [];
  const holders: Holder[] = [];
  for (const name of list("/proc")) {
    if (!/^\d+$/u.test(name) || holders.length >= 10) continue;
    const address = list(`/proc/${name}/fd`)
      .map((fd) => sockets.get(link(`/proc/${name}/fd/${fd}`) ?? ""))
      .find((found) => found !== undefined);
    if (address === undefined) continue;
    const words = text(`/proc/${name}/cmdline`).replaceAll("\0", " ").trim().slice(0, 240);
    const command = commandOf(text(`/proc/${name}/comm`).trim(), words);
    holders.push({ pid: Number(name), user: userOf(`/proc/${name}`), command, commandLine: words, address });
  }
  return holders;
}

export const describeHolder = ({ pid, user, command, address }: Holder): string =>
  `pid ${pid}${user === "" ? "" : ` ${user}`}: ${command} (${address})`;

/** What to do about a port that is taken. */
export function portHints(holders: readonly Holder[], world: Pick<World, "env">): string[] {
  if (holders.length === 0) return ["Who listens cannot be seen by this account; run lsof as administrator."];
  const hints = new Set(
    holders.map(({ command }) => {
      if (/openclaw/u.test(command))
        return `Gateway already running locally. Stop it (${commandLine(world, "gateway stop")}) or use a different port.`;
      return /ssh/u.test(command) ? "An SSH tunnel holds the port." : "Another process is listening on this port.";
    }),
  );
  const several = new Set(holders.map(({ pid }) => pid)).size > 1;
  return [...hints, ...(several ? ["Several processes listen on this port."] : [])];
}

/** The lines under `Port N is already in use.` */
export const portLines = (holders: readonly Holder[], world: Pick<World, "env">): string[] =>
  [...holders.map(describeHolder), ...portHints(holders, world)].map((line) => `- ${line}`);

/** The kernel keeps fifteen characters of a name; the title a process gave itself stands first in its command line. */
function commandOf(name: string, words: string): string {
  const [first = ""] = words.split(" ");
  return name.length === 15 && first.startsWith(name) ? first : name;
}

function userOf(process: string): string {
  try {
    const uid = String(statSync(process).uid);
    const entry = text("/etc/passwd")
      .split("\n")
      .find((line) => line.split(":")[2] === uid);
    return entry?.split(":")[0] ?? uid;
  } catch {
    return ""; // It ended meanwhile.
  }
}

/** `socket:[inode]` → address, of sockets that listen on the port. */
function listenersIn(table: string, port: number): [string, string][] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return text(table)
    .split("\n")
    .slice(1)
    .flatMap((line): [string, string][] => {
      const fields = line.trim().split(/\s+/u);
      const [host = "", localPort] = (fields[1] ?? "").split(":");
      if (localPort !== hex || fields[3] !== listening) return [];
      return [[`socket:[${fields[9]}]`, `${hostOf(host)}:${port}`]];
    });
}

/** IPv4 stands there as little-endian hex; of IPv6 the two addresses that matter are named. */
function hostOf(hex: string): string {
  if (hex.length === 8)
    return (hex.match(/../gu) ?? [])
      .toReversed()
      .map((byte) => Number.parseInt(byte, 16))
      .join(".");
  if (/^0+$/u.test(hex)) return "[::]";
  return /^0+01000000$/u.test(hex) ? "[::1]" : "[ipv6]";
}

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Gone, or of another user.
  }
};
const link = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // Closed meanwhile.
  }
};
const text = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // No such table here, or the process ended.
  }
};
