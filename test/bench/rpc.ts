/** Handshakes and requests per second. The floor answers with the same bytes. */
import { alternate, rate, type Row } from "./measure.ts";
import { createHome, startFloor, startGateway, token, type Running } from "./processes.ts";
import { createDevice, Wire } from "./wire.ts";

const rounds = 5;

const methods: readonly { name: string; params: Record<string, unknown>; atLeast?: number }[] = [
  { name: "health", params: {} },
  { name: "system-presence", params: {}, atLeast: 0.4 },
  { name: "status", params: {} },
  { name: "sessions.list", params: { limit: 50 } },
  { name: "chat.history", params: { sessionKey: "main", limit: 50 } },
];

export async function rpc({ quick }: { quick: boolean }): Promise<Row[]> {
  const home = createHome();
  const [gateway, floor] = await Promise.all([startGateway(home), startFloor()]);
  try {
    return [await connects(gateway, floor, quick ? 100 : 600), ...(await calls(gateway, floor, quick ? 0.1 : 1))];
  } finally {
    await Promise.all([gateway.stop(), floor.stop()]);
    home.remove();
  }
}

async function connects(gateway: Running, floor: Running, count: number): Promise<Row> {
  const device = createDevice();
  const once = async (url: string) => (await Wire.connect(url, token, device)).close();
  const [ours, bare] = await alternate(
    () => rate(count / rounds, 8, () => once(gateway.url)),
    () => rate(count / rounds, 8, () => once(floor.url)),
  );
  return { metric: "connects with a signed device, 8 at once", gateway: ours, floor: bare, unit: "/s" };
}

async function calls(gateway: Running, floor: Running, scale: number): Promise<Row[]> {
  const [to, bare] = await Promise.all([Wire.connect(gateway.url, token), Wire.connect(floor.url, token)]);
  const rows: Row[] = [];
  for (const { name, params, atLeast } of methods) {
    const payload = await to.need(name, params);
    await bare.need("bench.payload", { method: name, payload });
    for (const inFlight of [1, 64]) {
      const count = Math.round((inFlight === 1 ? 4_000 : 40_000) * scale);
      const [ours, floors] = await alternate(
        () => rate(count / rounds, inFlight, () => to.raw(name, params)),
        () => rate(count / rounds, inFlight, () => bare.raw(name, params)),
      );
      const row: Row = { metric: `\`${name}\`, ${inFlight} in flight`, gateway: ours, floor: floors, unit: "/s" };
      if (atLeast !== undefined && inFlight === 64) {
        row.budget = { text: `≥ ${atLeast * 100} % of the floor`, met: row.gateway >= atLeast * (row.floor ?? 0) };
      }
      rows.push(row);
    }
  }
  await Promise.all([to.close(), bare.close()]);
  return rows;
}
