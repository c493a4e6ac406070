/** S10 of the attack table (reliability.md §5): five thousand spellings of a way out of a root, against every route that serves files
 *  or takes names, on both ports. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { freePort } from "../support/process.ts";
import { pipelined } from "./http-client.ts";

let gateway: ScriptedGateway;
let canvas: number;
const planted = "PLANTED-OUTSIDE-OF-EVERY-ROOT";

beforeAll(async () => {
  canvas = await freePort();
  gateway = await openScriptedGateway({
    config: {
      gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } },
      hooks: { enabled: true, token: "hook-token-0123456789abcdef" },
      canvasHost: { port: canvas },
    },
  });
  mkdirSync(join(gateway.home.path, "workspace", "canvas", "sub"), { recursive: true });
  for (const folder of [".", "workspace"]) writeFileSync(join(gateway.home.path, folder, "outside.txt"), planted);
});
afterAll(() => gateway.stop());

const up = [
  "../",
  "..%2f",
  "..%2F",
  "%2e%2e/",
  "%2E%2E/",
  "%2e./",
  ".%2e/",
  "%2e%2e%2f",
  "..%5c",
  "..\\",
  "%2e%2e%5c",
  "....//",
  "..//",
  "..%252f",
  "%252e%252e%252f",
  "%252e%252e/",
  "..;/",
  "..%3b/",
  "..%00/",
  "..%0d%0a/",
  "%c0%ae%c0%ae/",
  "%c0%ae%c0%ae%c0%af",
  "%e0%80%ae%e0%80%ae/",
  "%uff0e%uff0e/",
  "./../",
  "sub/../../",
  "%2e%2e;x/",
  ".%00./",
];
const depths = [1, 2, 3, 8];
const targets = ["outside.txt", "etc/passwd", "proc/self/environ", ".openclaw/openclaw.json", ".openclaw/openclaw.db"];
const roots = [
  "/",
  "/assets/",
  "/assets/x/",
  "/avatar/",
  "/chat/",
  "/v1/models/",
  "/hooks/",
  "/__openclaw__/canvas/",
  "/__openclaw__/a2ui/",
];
const canvasRoots = ["/", "/__openclaw__/canvas/", "/__openclaw__/a2ui/", "/__openclaw__/cap/x/__openclaw__/canvas/"];

/** Paths that need no step up: absolute ones, other separators, devices. */
const absolute = [
  "/etc/passwd",
  "%2fetc%2fpasswd",
  "%2f%2fetc/passwd",
  "\\etc\\passwd",
  "%5cetc%5cpasswd",
  "file:///etc/passwd",
  "file:%2f%2f/etc/passwd",
  "C:%5cwindows%5cwin.ini",
  "%5c%5c127.0.0.1%5cshare",
  "~/.openclaw/openclaw.json",
  ".",
  "..",
  "...",
  "%00",
  "%zz",
  "%",
  "index.html%00.png",
  `${"a/".repeat(3_000)}x`,
];

const payloads = (from: readonly string[]): string[] => [
  ...from.flatMap((root) =>
    up.flatMap((step) => depths.flatMap((depth) => targets.map((target) => `${root}${step.repeat(depth)}${target}`))),
  ),
  ...from.flatMap((root) => absolute.map((path) => root + path)),
];

const secrets = (): RegExp[] => [
  /root:.*:0:0:/,
  /PATH=/,
  /SQLite format 3/,
  new RegExp(gateway.token),
  new RegExp(planted),
];

test.each([
  ["the gateway's port", roots, () => gateway.port],
  ["the port of the canvas", canvasRoots, () => canvas],
])("S10: on %s no spelling leaves a root", async (_name, from, port) => {
  const paths = payloads(from);
  const bearer = `Authorization: Bearer ${gateway.token}\r\n`;
  for (let at = 0; at < paths.length; at += 200) {
    const batch = paths.slice(at, at + 200);
    const requests = batch.map(
      (path, index) =>
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${bearer}${index === batch.length - 1 ? "Connection: close\r\n" : ""}\r\n`,
    );
    const { statuses, text } = await pipelined(port(), requests);
    expect([at, statuses.length]).toEqual([at, batch.length]);
    const odd = batch.filter((_, index) => (statuses[index] ?? 500) >= 500 && statuses[index] !== 503);
    expect(odd).toEqual([]);
    for (const secret of secrets()) expect([at, secret.exec(text)?.[0]]).toEqual([at, undefined]);
  }
});

test("S10: there are at least five thousand of them", () => {
  expect(new Set(payloads(roots)).size + new Set(payloads(canvasRoots)).size).toBeGreaterThanOrEqual(5_000);
});
