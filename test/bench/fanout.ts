/** One event to 500 connections: how long until the last one has it. The gateway also stores the message first. */
import { median, type Row } from "./measure.ts";
import { createHome, startFloor, startGateway, token } from "./processes.ts";
import { Wire } from "./wire.ts";

const listeners = 500;

export async function fanout({ quick }: { quick: boolean }): Promise<Row[]> {
  const home = createHome();
  const [gateway, floor] = await Promise.all([startGateway(home), startFloor()]);
  const rounds = quick ? 10 : 60;
  const message = "x".repeat(200);
  try {
    const ours = await spread(gateway.url, rounds, async (wire) => {
      await wire.need("chat.inject", { sessionKey: "main", message });
    });
    const bare = await spread(floor.url, rounds, async (wire) => {
      await wire.need("bench.fanout", { payload: { message } });
    });
    return [
      { metric: `event to ${listeners} clients, last one`, gateway: ours, floor: bare, unit: "ms" },
      {
        metric: `deliveries to ${listeners} clients`,
        gateway: (listeners / ours) * 1000,
        floor: (listeners / bare) * 1000,
        unit: "/s",
      },
    ];
  } finally {
    await Promise.all([gateway.stop(), floor.stop()]);
    home.remove();
  }
}

/** Median ms from the call to the moment at which every listener has seen a `chat` event. */
async function spread(url: string, rounds: number, publish: (wire: Wire) => Promise<void>): Promise<number> {
  const caller = await Wire.connect(url, token);
  await caller.call("sessions.patch", { key: "main", label: "bench" });
  const wires: Wire[] = [];
  for (let index = 0; index < listeners; index++) wires.push(await Wire.connect(url, token));
  const taken: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    const all = Promise.all(wires.map((wire) => nextChat(wire)));
    await publish(caller);
    await all;
    taken.push(performance.now() - startedAt);
  }
  await Promise.all([caller, ...wires].map((wire) => wire.close()));
  return median(taken);
}

function nextChat(wire: Wire): Promise<void> {
  return new Promise((resolve) => {
    wire.onEvent = (text) => {
      if (!text.includes('"event":"chat"')) return;
      wire.onEvent = undefined;
      resolve();
    };
  });
}
