/** `gateway:watch` (lifecycle.md §13.2) with its real script, on a small checkout whose program says what happens to it. */
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const scripts = join(import.meta.dirname, "..", "..", "scripts");

let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "openclaw-watch-"));
  for (const folder of ["scripts", "packages/protocol/src", "packages/protocol/generated", "packages/client/src"])
    mkdirSync(join(checkout, folder), { recursive: true });
  mkdirSync(join(checkout, "packages/gateway/src"), { recursive: true });
  for (const name of ["watch.ts", "root.ts"]) copyFileSync(join(scripts, name), join(checkout, "scripts", name));
  writeFileSync(join(checkout, "package.json"), '{ "type": "module" }');
  writeFileSync(
    join(checkout, "packages/gateway/src/main.ts"),
    `process.on("SIGTERM", () => { console.log("stopped"); process.exit(0); });
process.on("SIGINT", () => { console.log("interrupted"); process.exit(0); });
setInterval(() => {}, 1000);
console.log("runs " + process.argv.slice(2).join(" "));
`,
  );
});
afterEach(() => rmSync(checkout, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

test("lifecycle 13.2: gateway:watch starts the gateway anew when a source changes, passes its words on, and ends with it", async () => {
  const child = spawn(process.execPath, [join(checkout, "scripts/watch.ts"), "--port", "19001"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (out += chunk.toString("utf8")));
    const count = (text: string) => out.split(text).length - 1;
    const saw = (text: string, times: number) =>
      vi.waitFor(() => expect([count(text), out]).toEqual([times, out]), { timeout: 10_000, interval: 20 });
    await saw("runs gateway run --port 19001", 1);
    writeFileSync(join(checkout, "packages/client/src/notes.md"), "no source");
    writeFileSync(join(checkout, "packages/client/src/a.test.ts"), "// no part of the program");
    writeFileSync(join(checkout, "packages/client/src/client.ts"), "export {};");
    await saw("runs gateway run --port 19001", 2);
    expect([count("stopped"), count("changed")]).toEqual([1, 1]);
    expect(out).toContain(`[watch] ${join("packages", "client", "src", "client.ts")} changed`);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    expect(count("interrupted")).toBe(1);
  } finally {
    child.kill("SIGKILL");
  }
});
