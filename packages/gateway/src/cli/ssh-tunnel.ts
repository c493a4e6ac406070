/** A tunnel through the `ssh` command, for as long as a probe lasts (lifecycle.md §12.2). Asks nobody anything. */
import { createServer, connect } from "node:net";
import type { World } from "../kernel/world.ts";

export interface SshTarget {
  /** `host` or `user@host`, or an alias of the ssh config. */
  destination: string;
  port: number | undefined;
  identity: string | undefined;
}

export interface Tunnel {
  /** On this machine's loopback. */
  port: number;
  /** Ends the ssh process. Idempotent. */
  stop(): void;
}

const pollMs = 50;

/** Undefined when it is no target; one that starts with `-` would be an option to ssh. */
export function parseSshTarget(text: string, identity?: string): SshTarget | undefined {
  const match = /^((?:[^\s@:/-][^\s@:/]*@)?[A-Za-z0-9_[][A-Za-z0-9._%-]*)(?::(\d{1,5}))?$/u.exec(text.trim());
  if (!match?.[1]) return undefined;
  const port = match[2] === undefined ? undefined : Number(match[2]);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return { destination: match[1], port, identity };
}

/** The remote gateway's port on this machine's loopback: the same number, another when it is taken. Throws with what ssh said
 *  when it ends, or when nothing accepts within `timeoutMs`. */
export async function openTunnel(
  target: SshTarget,
  remotePort: number,
  world: Pick<World, "spawn" | "sleep" | "monotonic" | "env">,
  timeoutMs: number,
): Promise<Tunnel> {
  const port = await freePort(remotePort);
  const options = [
    "ExitOnForwardFailure=yes",
    "BatchMode=yes",
    "StrictHostKeyChecking=accept-new",
    "UpdateHostKeys=yes",
    "ConnectTimeout=5",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
  ];
  const args = [
    "-N",
    "-L",
    `${port}:127.0.0.1:${remotePort}`,
    ...(target.port === undefined ? [] : ["-p", String(target.port)]),
    ...options.flatMap((option) => ["-o", option]),
    ...(target.identity === undefined ? [] : ["-i", target.identity]),
    "--",
    target.destination,
  ];
  const child = world.spawn("ssh", args, { stdio: ["ignore", "ignore", "pipe"], env: { ...world.env } });
  let said = "";
  const end: { why?: string } = {};
  child.stderr?.on("data", (chunk: Buffer) => {
    if (said.length < 4_000) said += chunk.toString("utf8");
  });
  child.once("error", (error) => (end.why = error.message));
  child.once("close", (code, signal) => (end.why ??= `exit ${code ?? signal ?? "unknown"}`));
  const stop = () => void child.kill("SIGTERM");
  const deadline = world.monotonic() + timeoutMs;
  while (end.why === undefined) {
    if (await accepts(port)) return { port, stop };
    if (world.monotonic() >= deadline) {
      stop();
      throw new Error(`ssh tunnel to ${target.destination}: not open after ${timeoutMs} ms`);
    }
    await world.sleep(pollMs);
  }
  const why = said.trim().split("\n").at(-1)?.slice(0, 300);
  throw new Error(`ssh tunnel to ${target.destination}: ${why || end.why}`);
}

function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (wanted === 0) reject(error);
      else resolve(freePort(0));
    });
    server.listen({ host: "127.0.0.1", port: wanted, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : wanted));
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}
