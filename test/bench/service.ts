/** How long `gateway status` takes with an installed service on a real `systemd --user`: the gateway up, and down. Without root or
 *  systemd there is nothing to measure. Run as a program it is the part inside: it prints the medians of what its arguments say. */
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { token } from "../support/process.ts";
import { hasSystemdUser, SystemdUser } from "../support/systemd-user.ts";
import { median, type Row } from "./measure.ts";
import { freePort, gatewayMain } from "./processes.ts";

interface Medians {
  bare: number;
  status: number;
}

export async function service({ quick }: { quick: boolean }): Promise<Row[]> {
  if (!hasSystemdUser) return [];
  const user = await SystemdUser.start();
  try {
    user.configure(undefined, {
      agents: { defaults: { workspace: join(user.home, "workspace"), skipBootstrap: true } },
      gateway: { mode: "local", port: await freePort(), auth: { token } },
    });
    await user.openclaw("gateway install");
    const measure = async (): Promise<Medians> => {
      const { stdout } = await user.run(
        `${process.execPath} --conditions=openclaw-source ${import.meta.filename} ${quick ? 7 : 25}`,
      );
      return JSON.parse(stdout) as Medians;
    };
    const up = await measure();
    await user.openclaw("gateway stop");
    const down = await measure();
    const row = (metric: string, { bare, status }: Medians, overMs: number): Row => ({
      metric,
      gateway: status,
      floor: bare,
      unit: "ms",
      budget: { text: `bare node + ${overMs} ms`, met: status <= bare + overMs },
    });
    return [
      row("`openclaw gateway status --json`, service up", up, 150),
      row("`openclaw gateway status --json`, service down", down, 250),
    ];
  } finally {
    await user.stop();
  }
}

function inside(rounds: number): Medians {
  const cases = { bare: ["-e", "0"], status: [gatewayMain, "gateway", "status", "--json"] };
  const taken = { bare: [] as number[], status: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const name of ["bare", "status"] as const) {
      const began = performance.now();
      const ran = spawnSync(process.execPath, cases[name], { encoding: "utf8" });
      if (ran.status !== 0) throw new Error(ran.stderr);
      taken[name].push(performance.now() - began);
    }
  }
  return { bare: median(taken.bare), status: median(taken.status) };
}

if (import.meta.main) process.stdout.write(JSON.stringify(inside(Number(process.argv[2]))));
