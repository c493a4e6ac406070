import { test } from "vitest";
import { channels } from "./channels-zz.ts";
test("zz", { timeout: 200_000 }, async () => {
  const report = await channels({ kills: 8, messages: 500, seed: Number(process.env.SOAK_SEED ?? 20_261_121), whatsapp: true });
  console.log("VIOL", JSON.stringify(report.violations));
  const zz = (globalThis as unknown as { zz: { tables: { inbound: Map<number, unknown[]> }; messages: Map<number, { chat: string }>; asked: { n: number }[] } }).zz;
  for (const v of report.violations) {
    const m = /^whatsapp (\S+): #(\d+) was asked after #(\d+)/.exec(v);
    if (!m) continue;
    for (const [n, msg] of zz.messages) if (msg.chat === m[1]) console.log("ROW", n, JSON.stringify(zz.tables.inbound.get(n)), zz.asked.findIndex((a) => a.n === n));
  }
});
