import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { locateConfig } from "./locate.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "openclaw-locate-"));
  mkdirSync(join(home, ".openclaw"));
});
afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const file = () => join(home, ".openclaw", "openclaw.json");
const locate = (text?: string, env: Record<string, string> = {}) => {
  if (text !== undefined) writeFileSync(file(), text);
  return locateConfig({ env, homedir: () => home });
};

test("a missing file is an empty config with the defaults", async () => {
  expect(await locate()).toMatchObject({
    verdict: "missing",
    port: 18_789,
    portSource: "default",
    bind: "loopback",
    tls: false,
    document: {},
  });
});

test("JSON5, byte order mark and variables are understood", async () => {
  const text =
    "\uFEFF{ // note\n gateway: { port: 5, bind: 'lan', auth: { token: 'a${TOK}b$${X}', }, }, env: { vars: { TOK: 'own' } } }";
  expect(await locate(text)).toMatchObject({
    verdict: "ok",
    port: 5,
    portSource: "config",
    bind: "lan",
    token: "aownb${X}",
  });
  expect(await locate(undefined, { TOK: "given" })).toMatchObject({ token: "agivenb${X}" });
});

test("a value whose variable is missing is not known", async () => {
  const found = await locate('{"gateway":{"auth":{"token":"${NOPE}","password":"p"}}}');
  expect(found).not.toHaveProperty("token");
  expect(found.password).toBe("p");
});

test("the environment wins over the file; what is no port is ignored; empty counts as unset", async () => {
  const text =
    '{"gateway":{"port":5,"auth":{"token":"file"},"remote":{"url":"wss://h","token":"r","tlsFingerprint":"AA:BB"}}}';
  const env = { OPENCLAW_GATEWAY_PORT: "7", OPENCLAW_GATEWAY_TOKEN: "env" };
  expect(await locate(text, env)).toMatchObject({
    port: 7,
    portSource: "env",
    token: "env",
    remote: { url: "wss://h", token: "r", tlsFingerprint: "AA:BB" },
  });
  for (const port of ["x", "0", "70000", "-1", ""]) {
    expect(await locate(undefined, { OPENCLAW_GATEWAY_PORT: port, OPENCLAW_GATEWAY_TOKEN: "" })).toMatchObject({
      port: 5,
      token: "file",
    });
  }
});

test.each(["{", "[]", "3", "null", "", '{"a":1'])("%j is invalid, with one sentence why", async (text) => {
  const found = await locate(text, { OPENCLAW_GATEWAY_TOKEN: "env" });
  expect(found).toMatchObject({ verdict: "invalid", document: {}, port: 18_789, token: "env" });
  expect(found.problem).toBeTruthy();
});

test("a file that cannot be read is its own verdict", async () => {
  mkdirSync(file());
  expect(await locate()).toMatchObject({ verdict: "unreadable", problem: "The config file cannot be read (EISDIR)." });
  rmSync(file(), { recursive: true });
  writeFileSync(file(), "{}");
  chmodSync(file(), 0o000);
  const readable = process.getuid?.() === 0;
  expect((await locate()).verdict).toBe(readable ? "ok" : "unreadable");
});

test("includes are resolved, and a broken one makes the file invalid", async () => {
  writeFileSync(join(home, ".openclaw", "gw.json"), "{ port: 9 }");
  expect(await locate('{"gateway":{"$include":"gw.json"}}')).toMatchObject({ verdict: "ok", port: 9 });
  expect(await locate('{"$include":"nope.json"}')).toMatchObject({ verdict: "invalid" });
});

test("values of the wrong type are left out, and no key reaches a prototype", async () => {
  const found = await locate(
    '{"gateway":{"port":"8","bind":5,"auth":[],"tls":{"enabled":"yes"}},"agents":"x","__proto__":{"token":"t"}}',
  );
  expect(found).toMatchObject({ verdict: "ok", port: 8, bind: "loopback", tls: false });
  expect(found).not.toHaveProperty("token");
});

test("a choice that is none is not repeated: it may be a secret in the wrong place", async () => {
  const located = await locate('{ gateway: { mode: "s3cret", bind: "s3cret", auth: { mode: "s3cret" } } }');
  expect({ mode: located.mode, bind: located.bind, authMode: located.authMode }).toEqual({
    mode: undefined,
    bind: "loopback",
    authMode: undefined,
  });
});
