/** `config.history`, `config.history.get` and `config.restore` over a real socket (R-CFG-7). */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readText } from "../support/config-file.ts";
import { withGateway } from "../support/gateway.ts";
import { token } from "../support/process.ts";
import type { Wire } from "../support/wire.ts";

interface Entry {
  id: string;
  at: number;
  hash: string;
}
interface Former {
  id: string;
  raw: string;
  valid: boolean;
  issues: { path: string }[];
}

const history = async (wire: Wire) => (await wire.call<{ entries: Entry[] }>("config.history", {})).entries;
const hashNow = async (wire: Wire) => (await wire.call<{ hash: string }>("config.get", {})).hash;
const save = async (wire: Wire, raw: string) => wire.call("config.set", { raw, baseHash: await hashNow(wire) });

test("a former text is listed, shown without its secrets, and restored to the byte with them", () =>
  withGateway(async (gateway) => {
    const wire = await gateway.connect();
    const first = readText(gateway.home);
    const former = `// mine\n${first.replace("{", '{ talk: { apiKey: "sk-former-secret-0123456789" }, ')}`;
    await save(wire, former);
    await save(wire, first);
    const entries = await history(wire);
    expect(entries.map(({ at }) => at)).toEqual(entries.map(({ at }) => at).toSorted((a, b) => b - a));
    expect((await hashNow(wire)).startsWith(entries[0]?.hash ?? "-")).toBe(true);
    const [, entry] = entries;
    const shown = await wire.call<Former>("config.history.get", { id: entry?.id });
    expect(shown).toMatchObject({ id: entry?.id, valid: true, issues: [] });
    expect(shown.raw).toContain("// mine");
    expect(JSON.stringify(shown)).not.toMatch(new RegExp(`sk-former-secret|${token}`, "u"));
    const restored = await wire.call("config.restore", { id: entry?.id, baseHash: await hashNow(wire) });
    expect(restored).toMatchObject({ ok: true, changed: true });
    expect(JSON.stringify(restored)).not.toMatch(new RegExp(`sk-former-secret|${token}`, "u"));
    expect(readText(gateway.home)).toBe(former);
    const again = await wire.call("config.restore", { id: entry?.id, baseHash: await hashNow(wire) });
    expect(again).toMatchObject({ ok: true, changed: false });
    expect((await history(wire)).length).toBeLessThanOrEqual(20);
  }));

test("an unknown id, a stale hash and a text that would not be accepted are refused, and nothing is written", () =>
  withGateway(async (gateway) => {
    const wire = await gateway.connect();
    const before = readText(gateway.home);
    await save(wire, `${before}// touched\n`);
    const now = readText(gateway.home);
    const hash = await hashNow(wire);
    const [, entry] = await history(wire);
    for (const id of ["../../openclaw", "20200101T000000000Z-000000000000"]) {
      for (const method of ["config.history.get", "config.restore"]) {
        const frame = await wire.request(method, { id, ...(method === "config.restore" ? { baseHash: hash } : {}) });
        expect(frame.error).toMatchObject({
          code: "INVALID_REQUEST",
          message: "no such text in the config history; re-run config.history and choose one of its ids",
        });
      }
    }
    const stale = await wire.request("config.restore", { id: entry?.id, baseHash: "0".repeat(64) });
    expect(stale.error).toMatchObject({
      message: "config changed since last load; re-run config.get and retry",
      details: { code: "STALE_HASH" },
    });
    const folder = join(gateway.home.state, "config-history");
    const [name = ""] = readdirSync(folder).filter((one) => one.startsWith(entry?.id ?? "-"));
    writeFileSync(join(folder, name), "{ gateway: { port: 'x' } }");
    expect(await wire.call<Former>("config.history.get", { id: entry?.id })).toMatchObject({
      valid: false,
      issues: [{ path: "gateway.port" }],
    });
    const invalid = await wire.request("config.restore", { id: entry?.id, baseHash: hash });
    expect(invalid.error).toMatchObject({ code: "INVALID_REQUEST", message: "invalid config" });
    expect(readText(gateway.home)).toBe(now);
  }));
