/** SLOW-C (reliability.md §4.4): many clients on one gateway, some of which stop reading or read slowly while events flow. The
 *  others lose nothing and wait for nobody; the slow ones lose exactly what was counted and are closed; memory comes back. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { setTimeout as sleep } from "node:timers/promises";
import { openGateway } from "../support/gateway.ts";
import { holesOf, stall } from "../support/stall.ts";
import type { Wire } from "../support/wire.ts";
import { slowness } from "./calibrate.ts";

export interface SlowConsumerOptions {
  clients: number;
  stalled: number;
  /** How long events flow. */
  durationMs: number;
}

export interface SlowConsumerReport {
  programme: "slow-consumer";
  clients: number;
  stalled: number;
  /** Events published. */
  n: number;
  /** From publishing to the reader, over all readers, in ms. */
  p50: number;
  p99: number;
  max: number;
  closed: number;
  slowestCloseMs: number;
  memoryMb: { before: number; peak: number; after: number };
  violations: string[];
}

/** Enough for the kernel's buffers; all of them together stay below what the gateway holds for everybody. */
const fillBytes = 8 * 1_048_576;
const everyMs = 100;
const limitBytes = 32_768;
const eventBytes = 2_048;
/** Events per round; the last of every tenth round may not be dropped. */
const perRound = 4;
const maxP99Ms = 100;
const maxCloseMs = 10_000;
const comesBackMb = 15;

export async function slowConsumer(options: SlowConsumerOptions): Promise<SlowConsumerReport> {
  const violations: string[] = [];
  const slow = slowness();
  const gateway = await openGateway({ config: { gateway: { limits: { maxBufferedBytes: limitBytes } } } });
  const wires: Wire[] = [];
  try {
    const { bus } = gateway.host.gateway;
    // Code and buffers that the first clients pay for are no part of what is measured.
    const first = await Promise.all(Array.from({ length: 40 }, () => gateway.connect()));
    await Promise.all(first.map((wire) => wire.call("config.schema", {})));
    await Promise.all(first.map((wire) => wire.close()));
    const before = memoryMb();
    for (let left = options.clients; left > 0; left -= 50)
      wires.push(...(await Promise.all(Array.from({ length: Math.min(50, left) }, () => gateway.connect()))));
    const stalled = wires.slice(0, options.stalled);
    const readers = wires.slice(options.stalled);
    const delays: number[] = [];
    const seen = readers.map((wire) => follow(wire, delays));
    const [probe] = readers;
    if (!probe) throw new Error("no reader is left to measure with");
    const { length } = JSON.stringify(await probe.call("config.schema", {}));
    for (const wire of stalled) {
      stall(wire.socket, "config.schema", length, fillBytes);
      await probe.settled();
    }
    // Their requests are still being taken, in turns; what is measured begins when that is over.
    for (let quick = 0; quick < 10;) {
      const asked = performance.now();
      await probe.settled();
      quick = performance.now() - asked < 5 ? quick + 1 : 0;
    }
    const began = performance.now();
    const closedAt: number[] = [];
    let published = 0;
    let peak = before;
    let round = 0;
    while (performance.now() - began < options.durationMs) {
      for (let event = 0; event < perRound; event++) {
        bus.publish("cron", { jobId: `${performance.now()} ${"x".repeat(eventBytes)}`, action: "added" });
        published++;
      }
      if (++round % 10 === 0) {
        bus.publish("chat", { runId: `r${round}`, sessionKey: "agent:main:main", seq: 1, state: "final" });
        published++;
      }
      // What the clients of this process received is not the gateway's memory.
      for (const wire of readers) wire.frames.length = 0;
      // A paused client does not see its own close; the gateway's log does.
      const closed = gateway.log.filter((line) => line.includes("disconnected") && line.includes("code=1008")).length;
      while (closedAt.length < closed) closedAt.push(performance.now() - began);
      await sleep(everyMs);
      // Looking holds everybody up, so it is done while nothing is on its way.
      if (round % 20 === 0) peak = Math.max(peak, memoryMb());
    }
    await Promise.all(readers.map((wire) => wire.settled()));
    judge(seen, published, violations);

    // A client that reads again within 2 s finds the close code; those that never do were cut off behind it.
    if (closedAt.length !== stalled.length)
      violations.push(`V2: ${closedAt.length} of ${stalled.length} stalled clients were closed as slow`);
    const slowestCloseMs = Math.round(closedAt.at(-1) ?? 0);
    if (slowestCloseMs > maxCloseMs * slow)
      violations.push(`V2: the last stalled client was closed after ${slowestCloseMs} ms`);
    for (const wire of stalled) wire.socket.resume();
    await Promise.all(stalled.map((wire) => wire.closed));
    for (const wire of stalled)
      if (holesOf(wire.frames) !== 0) violations.push("V2: a hole in what a stalled client got before its close");

    delays.sort((a, b) => a - b);
    const at = (share: number) => Math.round((delays[Math.floor(delays.length * share)] ?? 0) * 10) / 10;
    if (at(0.99) > maxP99Ms * slow) violations.push(`V1: readers wait ${at(0.99)} ms (p99)`);
    if (peak > before + (options.clients * 60) / 1_024 + options.stalled * 26 + 32)
      violations.push(`V3: ${Math.round(peak)} MB at the peak, ${Math.round(before)} MB before`);
    await reconnect(gateway, violations);
    for (const wire of wires) wire.terminate();
    await Promise.all(wires.map((wire) => wire.closed));
    for (const wire of wires) wire.frames.length = 0;
    let after = memoryMb();
    for (let look = 0; look < 20 && after > before + comesBackMb; look++) {
      await sleep(150);
      after = memoryMb();
    }
    if (after > before + comesBackMb)
      violations.push(`V3: ${Math.round(after)} MB after everybody left, ${Math.round(before)} MB before`);
    return {
      programme: "slow-consumer",
      clients: options.clients,
      stalled: options.stalled,
      n: published,
      p50: at(0.5),
      p99: at(0.99),
      max: at(1 - 1 / Math.max(1, delays.length)),
      closed: closedAt.length,
      slowestCloseMs,
      memoryMb: { before: Math.round(before), peak: Math.round(peak), after: Math.round(after) },
      violations,
    };
  } finally {
    for (const wire of wires) wire.terminate();
    await gateway.stop();
  }
}

interface Seen {
  events: number;
  holes: number;
}

/** Counts what a reader gets and how late it comes. */
function follow(wire: Wire, delays: number[]): Seen {
  const seen = { events: 0, holes: 0 };
  let last: number | undefined;
  wire.socket.on("message", (data) => {
    const text = String(data);
    const seq = /"seq":(\d+)(?:,"stateVersion":\{[^}]*\})?\}$/.exec(text)?.[1];
    if (seq === undefined) return;
    if (last !== undefined && Number(seq) !== last + 1) seen.holes++;
    last = Number(seq);
    const sent = /"jobId":"(\d+(?:\.\d+)?) /.exec(text.slice(0, 120))?.[1];
    if (sent !== undefined) delays.push(performance.now() - Number(sent));
    if (sent !== undefined || text.includes('"event":"chat"')) seen.events++;
  });
  return seen;
}

/** V1: no reader has a hole, and each got every event. */
function judge(readers: readonly Seen[], published: number, violations: string[]): void {
  for (const [index, { events, holes }] of readers.entries()) {
    if (holes !== 0 || events !== published)
      violations.push(`V1: reader ${index} got ${events} of ${published} events, with ${holes} holes`);
    if (violations.length > 10) return;
  }
}

/** V5: who comes back is told the present state, and hears what follows from the first number on. */
async function reconnect(gateway: Awaited<ReturnType<typeof openGateway>>, violations: string[]): Promise<void> {
  const wire = await gateway.connect();
  const { snapshot } = wire.hello as { snapshot?: { presence?: unknown[] } };
  const presence = await wire.call<unknown[]>("system-presence", {});
  if (snapshot?.presence?.length !== presence.length)
    violations.push(`V5: the snapshot names ${snapshot?.presence?.length} present, the gateway ${presence.length}`);
  gateway.host.gateway.bus.publish("tick", { ts: 1 });
  await wire.event("tick");
  if (holesOf(wire.frames) !== 0) violations.push("V5: a hole after reconnecting");
  await wire.close();
}

function memoryMb(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1_048_576;
}
