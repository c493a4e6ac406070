/** How long a person waits for the command line, over a Node that does nothing. */
import { spawnSync } from "node:child_process";
import { median, type Row } from "./measure.ts";
import { createHome, gatewayMain, startGateway, token, type Home } from "./processes.ts";

export async function commands({ quick }: { quick: boolean }): Promise<Row[]> {
  const home = createHome();
  const gateway = await startGateway(home);
  try {
    const health = [gatewayMain, "gateway", "call", "health", "--url", gateway.url, "--token", token];
    const cases = { bare: ["-e", "0"], version: [gatewayMain, "--version"], help: [gatewayMain, "--help"], health };
    const taken: Record<keyof typeof cases, number[]> = { bare: [], version: [], help: [], health: [] };
    // Interleaved, so that a busy moment of the machine hits all alike.
    for (let round = 0; round < (quick ? 7 : 25); round++) {
      for (const name of Object.keys(cases) as (keyof typeof cases)[]) taken[name].push(wallMs(home, cases[name]));
    }
    const bare = median(taken.bare);
    const row = (metric: string, ms: number, overMs?: number): Row => ({
      metric,
      gateway: ms,
      floor: bare,
      unit: "ms",
      ...(overMs === undefined ? {} : { budget: { text: `bare node + ${overMs} ms`, met: ms <= bare + overMs } }),
    });
    return [
      row("`openclaw --version`", median(taken.version), 25),
      row("`openclaw --help`", median(taken.help)),
      row("`openclaw gateway call health`", median(taken.health), 90),
    ];
  } finally {
    await gateway.stop();
    home.remove();
  }
}

/** From spawn to exit. Throws when it fails: a command that refuses is fast. */
export function wallMs(home: Home, args: readonly string[], env: Record<string, string> = {}): number {
  const startedAt = performance.now();
  const result = spawnSync(process.execPath, [...args], {
    env: { ...home.env, ...env },
    cwd: home.path,
    encoding: "utf8",
  });
  const ms = performance.now() - startedAt;
  if (result.status !== 0)
    throw new Error(`${args.slice(1).join(" ")} ended with ${result.status}: ${result.stderr.trim()}`);
  return ms;
}
