/** The last page must cost the same however much lies before it. */
import { median, rate, time, type Row } from "./measure.ts";
import { createHome, startGateway, token } from "./processes.ts";
import { Wire } from "./wire.ts";

const pageRows = 50;
/** How much dearer the same page may be at the largest size than at 100. */
const maxFactor = 2;

export async function growth({ quick }: { quick: boolean }): Promise<Row[]> {
  const sizes = quick ? [10, 100, 1_000] : [10, 100, 1_000, 10_000];
  const home = createHome();
  const gateway = await startGateway(home);
  try {
    const wire = await Wire.connect(gateway.url, token);
    const sessions = await grow(sizes, {
      name: "sessions",
      add: (index) => wire.need("sessions.patch", { key: `agent:main:bench-${index}`, label: `bench ${index}` }),
      page: () => wire.need("sessions.list", { limit: pageRows }),
      rows: (page) => page.sessions,
    });
    await wire.need("sessions.patch", { key: "agent:main:long", label: "long" });
    const messages = await grow(sizes, {
      name: "messages",
      add: (index) =>
        wire.need("chat.inject", { sessionKey: "agent:main:long", message: `message ${index} ${"x".repeat(200)}` }),
      page: () => wire.need("chat.history", { sessionKey: "agent:main:long", limit: pageRows }),
      rows: (page) => page.messages,
    });
    await wire.close();
    return [...sessions, ...messages];
  } finally {
    await gateway.stop();
    home.remove();
  }
}

interface Kind {
  name: "sessions" | "messages";
  add(index: number): Promise<unknown>;
  page(): Promise<Record<string, unknown>>;
  rows(page: Record<string, unknown>): unknown;
}

async function grow(sizes: readonly number[], kind: Kind): Promise<Row[]> {
  const method = kind.name === "sessions" ? "sessions.list" : "chat.history";
  const rows: Row[] = [];
  let have = 0;
  let at100 = Number.NaN;
  for (const size of sizes) {
    const from = have;
    await rate(size - from, 32, (index) => kind.add(from + index));
    have = size;
    const page = kind.rows(await kind.page());
    const got = Array.isArray(page) ? page.length : 0;
    if (got !== Math.min(size, pageRows)) throw new Error(`${method} answered ${got} rows at ${size} ${kind.name}`);
    const taken: number[] = [];
    for (let round = 0; round < 60; round++) taken.push(await time(() => kind.page()));
    const ms = median(taken);
    if (size === 100) at100 = ms;
    const row: Row = { metric: `\`${method} {limit:${pageRows}}\` at ${size} ${kind.name}`, gateway: ms, unit: "ms" };
    if (size > 100) row.budget = { text: `≤ ${maxFactor}× of the cost at 100`, met: ms <= maxFactor * at100 };
    rows.push(row);
  }
  return rows;
}
