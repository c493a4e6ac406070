/** From spawn to the first hello-ok, and what the process weighs then. */
import { cpuMs, median, residentMb, type Row } from "./measure.ts";
import { createHome, startFloor, startGateway, token, type Running } from "./processes.ts";
import { Wire } from "./wire.ts";

interface Boot {
  wall: number;
  cpu: number | undefined;
  rss: number;
}

export async function boot({ quick }: { quick: boolean }): Promise<Row[]> {
  const first: Boot[] = [];
  const again: Boot[] = [];
  const floor: Boot[] = [];
  for (let round = 0; round < (quick ? 3 : 9); round++) {
    const home = createHome();
    try {
      first.push(await measure(() => startGateway(home)));
      again.push(await measure(() => startGateway(home)));
    } finally {
      home.remove();
    }
    floor.push(await measure(startFloor));
  }
  const of = (boots: readonly Boot[], key: keyof Boot) => median(boots.map((one) => one[key] ?? Number.NaN));
  const row = (metric: string, boots: readonly Boot[], key: keyof Boot, unit: Row["unit"], limit?: number): Row => ({
    metric,
    gateway: of(boots, key),
    floor: of(floor, key),
    unit,
    ...(limit === undefined ? {} : { budget: { text: `≤ ${limit} ${unit}`, met: of(boots, key) <= limit } }),
  });
  const rows = [
    row("boot to first hello-ok, empty home", first, "wall", "ms", 400),
    row("boot to first hello-ok, CPU", first, "cpu", "ms", 400),
    row("restart to first hello-ok", again, "wall", "ms"),
    row("idle memory after hello-ok", first, "rss", "MB", 90),
  ];
  return rows.filter((one) => Number.isFinite(one.gateway));
}

async function measure(start: () => Promise<Running>): Promise<Boot> {
  const running = await start();
  try {
    const wire = await Wire.connect(running.url, token);
    const wall = performance.now() - running.spawnedAt;
    const cpu = cpuMs(running.pid);
    const rss = residentMb(running.pid);
    await wire.close();
    return { wall, cpu, rss };
  } finally {
    await running.stop();
  }
}
