import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cli, cliArgs, home, withHome, writeConfig } from "./fake-terminal.ts";

withHome();

const file = () => join(home, ".openclaw", "openclaw.json");
const text = () => readFileSync(file(), "utf8");
const commented =
  "{\n  // mine\n  gateway: { mode: 'local', port: 18789 }, // port\n  env: { vars: { A: '${HOME}' } },\n}\n";

test("set changes one value and says who applies it", async () => {
  writeConfig(commented);
  const run = await cli("config set gateway.port 19001");
  expect(run).toMatchObject({
    code: 0,
    out: "Updated gateway.port. A running gateway restarts by itself to apply it.\n",
    err: "",
  });
  expect(text()).toBe(commented.replace("18789", "19001"));
  expect((await cli("config set logging.level debug")).out).toBe(
    "Updated logging.level. A running gateway applies it by itself.\n",
  );
  expect((await cli("config set gateway.reload.mode off")).out).toBe(
    "Updated gateway.reload.mode. Restart the gateway to apply.\n",
  );
  expect((await cli("config set gateway.port 19001")).out).toBe("Updated gateway.port. It had that value already.\n");
});

test("values are JSON5, else text; where only a text is legal, what was typed stays", async () => {
  writeConfig("{}");
  await cliArgs(["config", "set", "agents.list", "[{ id: 'a', name: 'b', }]"]);
  await cliArgs(["config", "set", "agents.list[1].id", "second"]);
  await cliArgs(["config", "set", "gateway.auth.token", "12345678901234567890"]);
  await cliArgs(["config", "set", 'agents.defaults.models["x/y.z"].alias', "quick"]);
  expect(JSON.parse(text())).toEqual({
    agents: { list: [{ id: "a", name: "b" }, { id: "second" }], defaults: { models: { "x/y.z": { alias: "quick" } } } },
    gateway: { auth: { token: "12345678901234567890" } },
  });
});

test("with --json the value must parse, and stdout is one document", async () => {
  writeConfig("{}");
  const refused = await cli("config set gateway.port nope --json");
  expect(refused.code).toBe(1);
  expect(refused.err).toContain("Failed to parse the value");
  expect(JSON.parse((await cli("config set gateway.port 19001 --json")).out)).toMatchObject({
    ok: true,
    path: "gateway.port",
    changed: true,
  });
});

test("an invalid result is refused with its issues, and nothing is written", async () => {
  writeConfig(commented);
  const run = await cli("config set gateway.prot 1");
  expect(run.code).toBe(1);
  expect(run.err).toContain('gateway: Unrecognized key: "prot" (did you mean "port"?)');
  expect(run.err).toContain("Nothing was written.");
  expect((await cli("config set a.__proto__.b 1")).err).toBe("Invalid config path: a.__proto__.b\n");
  expect(text()).toBe(commented);
});

test("unset removes a key, a missing one is an error, and a bad key can be removed", async () => {
  writeConfig(commented.replace("port: 18789", "port: 18789, oops: 1"));
  expect(await cli("config unset gateway.oops")).toMatchObject({
    code: 0,
    out: "Removed gateway.oops. A running gateway takes it over by itself.\n",
  });
  expect(text()).toBe(commented);
  expect(await cli("config unset gateway.nope")).toMatchObject({
    code: 1,
    err: "Config path not found: gateway.nope\n",
  });
});

test("validate gives the gateway's verdict", async () => {
  writeConfig(commented);
  expect(await cli("config validate")).toMatchObject({
    code: 0,
    out: "Config OK: ~/.openclaw/openclaw.json\n",
    err: "",
  });
  writeConfig("{ gateway: { token: 't' }, telegram: {} }");
  const legacy = await cli("config validate");
  expect(legacy.code).toBe(0);
  expect(legacy.err).toContain(
    "Legacy config keys detected:\n  - telegram: telegram moved to channels.telegram (auto-migrated on load).",
  );
  writeConfig("{ gateway: { port: 0 } }");
  const bad = await cli("config validate");
  expect(bad).toMatchObject({ code: 1, out: "" });
  expect(bad.err).toBe(
    "Config invalid\nFile: ~/.openclaw/openclaw.json\nProblem:\n  - gateway.port: must be >= 1\nRun: openclaw doctor --fix\n",
  );
  const report = await cli("config validate --json");
  expect(JSON.parse(report.out)).toMatchObject({ ok: false, verdict: "invalid", issues: [{ path: "gateway.port" }] });
});

test("history, diff and restore work without a gateway, and diff masks secrets", async () => {
  writeConfig(commented);
  expect((await cli("config history")).out).toContain("The history is empty");
  await cli("config set gateway.auth.token first-secret-value");
  await cli("config set gateway.port 19001");
  const listed = JSON.parse((await cli("config history --json")).out) as {
    entries: { number: number; current: boolean; hash: string }[];
  };
  expect(listed.entries.map((entry) => entry.current)).toEqual([true, false, false]);
  expect((await cli("config diff")).out).toBe("gateway.port: 18789 -> 19001\n");
  const all = await cli("config diff 3");
  expect(all.out).toContain('gateway.auth: (not set) -> {"token":"__OPENCLAW_REDACTED__"}');
  expect(all.out).not.toContain("first-secret-value");
  expect((await cli("config restore 3")).out).toMatch(
    /^Restored \d{8}T\d{9}Z-[0-9a-f]{12} to ~\/\.openclaw\/openclaw\.json\./u,
  );
  expect(text()).toBe(commented);
  expect((await cli("config restore zzz")).err).toBe('No entry matches "zzz". See openclaw config history.\n');
});

test("schema prints JSON Schema that demands nothing", async () => {
  const schema = JSON.parse((await cli("config schema")).out) as {
    $schema: string;
    properties: object;
    required?: unknown;
  };
  expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#");
  expect(schema.required).toBeUndefined();
  expect(Object.keys(schema.properties)).toContain("channels");
});
