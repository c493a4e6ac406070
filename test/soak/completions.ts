/** Chat completions in number: memory stays flat, nothing is left running (R-API-1). */
import { growth, withProvider } from "../bench/http.ts";
import { token } from "../bench/processes.ts";

export interface CompletionsReport {
  programme: "completions";
  requests: number;
  grownMb: number;
  violations: string[];
}

const warmUps = 1_000;
const maxGrownMb = 20;

export function completions(options: { requests: number }): Promise<CompletionsReport> {
  const { requests } = options;
  return withProvider(async (_, { url, pid }) => {
    await growth(url, pid, warmUps);
    const grownMb = Math.round(await growth(url, pid, requests));
    const violations: string[] = [];
    if (grownMb > maxGrownMb) violations.push(`memory grew by ${grownMb} MB over ${requests} completions`);
    const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
    for (const name of ["api_requests_active", "runs_running", "runs_waiting", "queue_lane_size"]) {
      const value = Number(new RegExp(`^openclaw_${name} (\\S+)$`, "m").exec(metrics)?.[1]);
      if (value !== 0) violations.push(`${name} is ${value} when nothing is asked`);
    }
    const series = metrics.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
    if (series > 100) violations.push(`${series} series in /metrics`);
    return { programme: "completions", requests, grownMb, violations };
  });
}
