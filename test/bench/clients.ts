/** What an idle connection costs. */
import { setTimeout as sleep } from "node:timers/promises";
import { residentMb, type Row } from "./measure.ts";
import { createHome, startFloor, startGateway, token, type Running } from "./processes.ts";
import { Wire } from "./wire.ts";

export async function clients({ quick }: { quick: boolean }): Promise<Row[]> {
  const home = createHome();
  const [gateway, floor] = await Promise.all([startGateway(home), startFloor()]);
  const count = quick ? 200 : 1_000;
  try {
    const ours = await perClientKb(gateway, count);
    return [
      {
        metric: `memory per idle client, ${count} of them`,
        gateway: ours,
        floor: await perClientKb(floor, count),
        unit: "KB",
      },
    ];
  } finally {
    await Promise.all([gateway.stop(), floor.stop()]);
    home.remove();
  }
}

async function perClientKb(running: Running, count: number): Promise<number> {
  // The first hundred pay for code and buffers that the others share.
  const warm: Wire[] = [];
  for (let index = 0; index < 100; index++) warm.push(await Wire.connect(running.url, token));
  await sleep(2_000);
  const before = residentMb(running.pid);
  const wires: Wire[] = [];
  for (let index = 0; index < count; index++) wires.push(await Wire.connect(running.url, token));
  await sleep(2_000);
  const after = residentMb(running.pid);
  await Promise.all([...warm, ...wires].map((wire) => wire.close()));
  return ((after - before) * 1024) / count;
}
