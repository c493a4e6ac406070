/** SERVICE: many restarts through a real `systemd --user`, and many installs and restarts at once. One gateway at the end, no
 *  process beside it, no lock or file left over, and every verb says the truth. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { freePort, token } from "../support/process.ts";
import { hasSystemdUser, SystemdUser } from "../support/systemd-user.ts";

export interface ServiceSoakOptions {
  restarts: number;
  /** Installs and restarts at the same time. */
  crowd: number;
}

export interface ServiceSoakReport {
  restarts: number;
  restartMedianMs: number;
  restartMaxMs: number;
  crowd: number;
  violations: string[];
}

const unit = "openclaw-gateway.service";

export async function serviceSoak({ restarts, crowd }: ServiceSoakOptions): Promise<ServiceSoakReport> {
  const violations: string[] = [];
  if (!hasSystemdUser) {
    return { restarts: 0, restartMedianMs: 0, restartMaxMs: 0, crowd: 0, violations: ["needs root and systemd"] };
  }
  const user = await SystemdUser.start();
  try {
    const port = await freePort();
    user.configure(undefined, {
      logging: { file: join(user.home, "gateway.log") },
      agents: { defaults: { workspace: join(user.home, "workspace"), skipBootstrap: true } },
      gateway: { mode: "local", port, auth: { token }, safeMode: { maxUncleanBoots: 1_000 } },
    });
    await must(user, "gateway install", violations);
    const took: number[] = [];
    const seen = new Set<string>();
    for (let n = 0; n < restarts; n++) {
      const began = performance.now();
      await must(user, "gateway restart --json", violations);
      took.push(Math.round(performance.now() - began));
      const pid = await user.property(unit, "MainPID");
      if (seen.has(pid)) violations.push(`restart ${n} kept process ${pid}`);
      seen.add(pid);
    }
    await alone(user, `after ${restarts} restarts`, violations);
    const verbs = Array.from({ length: crowd }, (_, n) =>
      n % 2 === 0 ? "gateway restart --json" : "gateway install --force --json",
    );
    await Promise.all(verbs.map((verb) => must(user, verb, violations)));
    await alone(user, `after ${crowd} verbs at once`, violations);
    await must(user, "gateway uninstall", violations);
    if ((await user.property(unit, "LoadState")) !== "not-found") violations.push("the unit is known after uninstall");
    const sorted = took.sort((a, b) => a - b);
    return {
      restarts,
      restartMedianMs: sorted[Math.floor(sorted.length / 2)] ?? 0,
      restartMaxMs: sorted.at(-1) ?? 0,
      crowd,
      violations,
    };
  } finally {
    await user.stop();
  }
}

async function must(user: SystemdUser, words: string, violations: string[]): Promise<void> {
  const ran = await user.openclaw(words, { timeoutMs: 120_000 });
  if (ran.code !== 0) violations.push(`${words} ended with ${ran.code}: ${ran.stdout} ${ran.stderr}`);
}

/** The gateway answers, is the only process of its unit, and left no half-written file. */
async function alone(user: SystemdUser, when: string, violations: string[]): Promise<void> {
  await must(user, "gateway status --require-rpc", violations);
  const pid = await user.property(unit, "MainPID");
  const group = await user.property(unit, "ControlGroup");
  const { stdout } = await user.run(`cat /sys/fs/cgroup${group}/cgroup.procs`);
  if (stdout.trim() !== pid)
    violations.push(`${when}: processes ${stdout.trim().split("\n").join(", ")}, not only ${pid}`);
  const gateways = await user.run("pgrep -c -x openclaw-gatewa");
  if (gateways.stdout.trim() !== "1") violations.push(`${when}: ${gateways.stdout.trim()} gateways`);
  const left = readdirSync(join(user.home, ".config", "systemd", "user")).filter((name) => /tmp|lock/u.test(name));
  if (left.length > 0) violations.push(`${when}: left ${left.join(", ")}`);
  const problems = readdirSync(join(user.home, ".openclaw")).filter((name) => /\.tmp$|\.lock$/u.test(name));
  if (problems.length > 0) violations.push(`${when}: left ${problems.join(", ")}`);
}
