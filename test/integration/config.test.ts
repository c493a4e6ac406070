/** `config.get|schema|set|apply|patch` over a real socket (config.md §6.2, protocol.md §13.7). */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configFile, hashOf, readText } from "../support/config-file.ts";
import { openGateway, withGateway, type TestGateway } from "../support/gateway.ts";
import { makeHome, token } from "../support/process.ts";
import type { Wire } from "../support/wire.ts";

const sentinel = "__OPENCLAW_REDACTED__";
interface Snapshot {
  raw: string;
  parsed: { gateway: { auth: { token: string } } };
  config: Record<string, unknown>;
  hash: string;
  valid: boolean;
}
const get = (wire: Wire) => wire.call<Snapshot>("config.get", {});
/** The error of a call that must be refused. */
async function refused(
  wire: Wire,
  method: string,
  params: object,
): Promise<{ code: string; message: string; details?: { issues?: { path: string }[] } }> {
  const frame = await wire.request(method, params);
  expect(frame.ok).toBe(false);
  return frame.error as never;
}
const text = (gateway: TestGateway) => readText(gateway.home);

test("what config.get shows holds no secret, and sent back changes nothing", () =>
  withGateway(async (gateway) => {
    const file = configFile(gateway.home);
    const commented = text(gateway).replace("{", `{ // the token was ${token}\n`);
    writeFileSync(file, commented);
    const wire = await gateway.connect();
    const shown = await get(wire);
    expect(JSON.stringify(shown)).not.toContain(token);
    expect(shown.parsed.gateway.auth.token).toBe(sentinel);
    expect(shown.hash).toBe(hashOf(commented));
    const result = await wire.call<{ config: object }>("config.set", { raw: shown.raw, baseHash: shown.hash });
    expect(JSON.stringify(result)).not.toContain(token);
    expect(JSON.parse(text(gateway).replace(/\/\/.*/u, ""))).toEqual(JSON.parse(commented.replace(/\/\/.*/u, "")));
  }));

test("a sentinel where nothing is stored is refused", () =>
  withGateway(async (gateway) => {
    const wire = await gateway.connect();
    const { hash } = await get(wire);
    const error = await refused(wire, "config.patch", { raw: `{ talk: { apiKey: "${sentinel}" } }`, baseHash: hash });
    expect(error).toMatchObject({ code: "INVALID_REQUEST", message: expect.stringContaining("talk.apiKey") as string });
  }));

test("the base hash is required, and an old one is refused with the agreed texts", () =>
  withGateway(async (gateway) => {
    const wire = await gateway.connect();
    const before = text(gateway);
    for (const method of ["config.set", "config.apply", "config.patch"]) {
      expect(await refused(wire, method, { raw: "{}" })).toMatchObject({
        code: "INVALID_REQUEST",
        message: "config base hash required; re-run config.get and retry",
      });
      const old = await refused(wire, method, { raw: "{}", baseHash: "0".repeat(64) });
      expect(old).toMatchObject({
        code: "INVALID_REQUEST",
        message: "config changed since last load; re-run config.get and retry",
      });
    }
    expect(text(gateway)).toBe(before);
  }));

test("an invalid document is refused with its issues, and nothing is written", () =>
  withGateway(async (gateway) => {
    const wire = await gateway.connect();
    const before = text(gateway);
    const { hash } = await get(wire);
    const error = await refused(wire, "config.set", { raw: "{ gateway: { port: 'x' }, nope: 1 }", baseHash: hash });
    expect(error).toMatchObject({ code: "INVALID_REQUEST", message: "invalid config" });
    expect(error.details?.issues?.map((issue) => issue.path)).toEqual(["", "gateway.port"]);
    expect((await refused(wire, "config.set", { raw: "{ oops", baseHash: hash })).message).toContain("JSON5");
    expect((await refused(wire, "config.patch", { raw: "[]", baseHash: hash })).message).toBe(
      "config.patch raw must be an object",
    );
    expect(text(gateway)).toBe(before);
  }));

test("a patch of live keys merges, deletes and keeps the comments, without a restart", () =>
  withGateway(async (gateway) => {
    const wire = await gateway.connect();
    const file = configFile(gateway.home);
    const commented = text(gateway).replace(
      /^\{/u,
      "{\n  // mine\n  session: { idleMinutes: 5, mainKey: 'main' }, // here\n ",
    );
    writeFileSync(file, commented);
    const { hash } = await get(wire);
    const result = await wire.call("config.patch", {
      raw: "{ session: { idleMinutes: null, typingIntervalSeconds: 9 } }",
      baseHash: hash,
    });
    expect(result).toMatchObject({
      ok: true,
      restart: null,
      sentinel: { path: null, payload: { kind: "config-patch", status: "skipped" } },
    });
    expect(text(gateway)).toContain("// mine\n  session: { mainKey: 'main', typingIntervalSeconds: 9 }, // here");
    expect(readFileSync(`${file}.bak`, "utf8")).toBe(commented);
    expect(existsSync(join(gateway.home.state, "config-history"))).toBe(true);
  }));

test("apply writes, plans one restart and leaves a note", () =>
  withGateway(async (gateway) => {
    const wire = await gateway.connect();
    const { hash, raw } = await get(wire);
    const result = await wire.call("config.apply", {
      raw,
      baseHash: hash,
      note: "hello",
      sessionKey: "main",
      restartDelayMs: 60_000,
    });
    expect(result).toMatchObject({
      ok: true,
      restart: { ok: true, pid: process.pid, signal: "SIGUSR1", delayMs: 60_000, mode: "emit" },
      sentinel: { payload: { kind: "config-apply", status: "ok", message: "hello", sessionKey: "main" } },
    });
  }));

test("the fourth patch within a minute is refused, and says when to come back", () =>
  withGateway(async (gateway) => {
    const wire = await gateway.connect();
    for (let i = 0; i < 3; i++) await refused(wire, "config.patch", { raw: "{}" });
    const frame = await wire.request("config.patch", { raw: "{}" });
    expect(frame.error).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/^rate limit exceeded for config\.patch; retry after \d+s$/u) as string,
    });
    expect(frame.error?.retryAfterMs).toBeGreaterThan(0);
  }));

test("the schema covers every section, marks secrets, and demands nothing", () =>
  withGateway(async (gateway) => {
    const wire = await gateway.connect();
    const { schema, uiHints } = await wire.call<{
      schema: { properties: object; required?: string[] };
      uiHints: Record<string, { sensitive?: boolean; help?: string }>;
    }>("config.schema", {});
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(["gateway", "channels", "bindings", "cron", "env"]),
    );
    expect(schema.required).toBeUndefined();
    expect(uiHints["gateway.auth.token"]?.sensitive).toBe(true);
    expect(uiHints["channels.telegram.botToken"]?.sensitive).toBe(true);
    expect(uiHints["cron.enabled"]?.help).toContain("Not used by this release yet.");
  }));

test("200 secrets in every kind of place: none leaves by any config method", () =>
  withGateway(
    async (gateway) => {
      const wire = await gateway.connect();
      const shown = await get(wire);
      const patched = await wire.call("config.patch", {
        raw: "{ ui: { seamColor: '#123456' } }",
        baseHash: shown.hash,
      });
      expect(JSON.stringify([shown, patched])).not.toMatch(/canary-/u);
    },
    {
      config: {
        env: { vars: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`VAR_${i}`, `canary-env-${i}`])) },
        models: {
          providers: Object.fromEntries(
            Array.from({ length: 50 }, (_, i) => [
              `p${i}`,
              {
                baseUrl: `https://user:canary-url-${i}@host/v1`,
                apiKey: `canary-key-${i}`,
                headers: { "x-any": `canary-header-${i}` },
              },
            ]),
          ),
        },
        channels: {
          telegram: {
            botToken: "canary-bot-1",
            proxy: "socks5://u:canary-proxy-1@h:1",
            accounts: Object.fromEntries(
              Array.from({ length: 50 }, (_, i) => [`a${i}`, { botToken: `canary-bot-${i}` }]),
            ),
          },
        },
      },
    },
  ));

test("what was applied is kept, and a start on a broken file names the copy", () =>
  withGateway(async (gateway) => {
    const folder = join(gateway.home.state, "config-history");
    const kept = readdirSync(folder);
    expect(kept).toHaveLength(1);
    const good = text(gateway);
    expect(readFileSync(join(folder, kept[0] ?? ""), "utf8")).toBe(good);
    writeFileSync(configFile(gateway.home), "{ gateway: { port: 0 } }");
    const other = openGateway({ home: gateway.home });
    await expect(other).rejects.toThrow(
      /gateway\.port: must be >= 1\nThe last good config is kept at .*config-history.*\.json5; "openclaw config restore [0-9a-f]{12}" brings it back\./u,
    );
  }));

test("legacy keys take effect, are logged, and the file stays as it is", async () => {
  const home = makeHome({ telegram: { botToken: "1:a" } });
  const before = readText(home);
  await withGateway(
    async (gateway) => {
      expect(
        gateway.log.some((line) => line.includes("telegram moved to channels.telegram (auto-migrated on load).")),
      ).toBe(true);
      const wire = await gateway.connect();
      const shown = await get(wire);
      expect(shown).toMatchObject({
        valid: true,
        legacyIssues: [{ path: "telegram" }],
        config: { channels: { telegram: { botToken: sentinel } } },
      });
    },
    { home },
  );
  expect(readText(home)).toBe(before);
  home.remove();
});
