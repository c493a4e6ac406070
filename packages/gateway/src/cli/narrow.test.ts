/** Pages on narrow terminals: nothing is wider than the window but words that cannot be broken without losing their use. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { answering, at, cli, gateway, home, withHome, writeConfig } from "./fake-terminal.ts";
import { displayWidth, folded } from "./terminal/style.ts";

withHome();

const words = "the store could not be written because the disk is full and nobody made room for it in time ".repeat(2);
const running = {
  status: {
    model: { ref: "a-provider-with-a-long-name/a-model-with-an-even-longer-name-2026-11-21", auth: "environment" },
    runs: { active: 1, waiting: 2 },
    problems: [{ part: "store", message: words }],
    channelSummary: [`WhatsApp: linked (auth age 12m) ${words}`],
    queuedSystemEvents: [],
    sessions: {
      count: 1,
      recent: [
        { key: "agent:main:whatsapp:direct:+15551234567890", kind: "direct", age: 60_000, model: "a-model-2026" },
      ],
      byAgent: [],
    },
  },
  "agents.list": { defaultId: "main", agents: [{ id: "main" }, { id: "research" }] },
};

/** Lines wider than the window although they could be broken. */
const tooWide = (out: string, columns: number): string[] =>
  out.split("\n").filter((line) => {
    const longest = Math.max(...line.trim().split(" ").map(displayWidth));
    return displayWidth(line) > columns && longest < columns - 8;
  });

describe.each([60, 80])("at %i columns", (columns) => {
  const look = async (command: string, env: Record<string, string>) => {
    const { out } = await cli(command, { env: { NO_COLOR: "1", ...env }, tty: true, columns });
    expect(out.split("\n").length).toBeGreaterThan(5);
    return out;
  };

  test("status of a running gateway fits, and loses no word of a problem", async () => {
    const fake = await gateway(answering(running));
    const out = await look("status", at(fake, { OPENCLAW_STATE_DIR: join(home, "s".repeat(20), "t".repeat(30)) }));
    expect(tooWide(out, columns)).toEqual([]);
    expect(out.replace(/\s+/gu, " ")).toContain(`Problems store: ${words.trim()}`);
    for (const line of out.split("\n").filter((text) => /^[│┌└├]/u.test(text)))
      expect(displayWidth(line)).toBeLessThanOrEqual(columns);
  });

  test("status with the gateway down and a broken config fits", async () => {
    writeConfig(`{ gateway: { mode: "local", auth: { token: "${"x".repeat(20)}" } }, broken`);
    mkdirSync(join(home, ".openclaw", "crashes"), { recursive: true });
    writeFileSync(
      join(home, ".openclaw", "status.json"),
      JSON.stringify({ pid: 77, port: 1, state: "running", writtenAt: 1, problems: [{ part: "p", message: words }] }),
    );
    expect(tooWide(await look("status", { OPENCLAW_GATEWAY_PORT: "1" }), columns)).toEqual([]);
  });

  test("doctor fits, also where it names paths", async () => {
    writeConfig('{ gateway: { mode: "local", auth: { token: "short" } }, unknownKey: 1 }');
    const env = { OPENCLAW_STATE_DIR: join(home, ".openclaw"), OPENCLAW_GATEWAY_PORT: "1" };
    const out = await look("doctor --non-interactive", env);
    expect(tooWide(out, columns)).toEqual([]);
    expect(out).toContain("Doctor complete.");
  });

  test("--help fits", async () => {
    expect(tooWide(await look("--help", {}), columns)).toEqual([]);
    expect(tooWide(await look("gateway --help", {}), columns)).toEqual([]);
  });
});

test("a folded line keeps its indent and is left alone without a terminal", () => {
  const line = "  - one two three";
  const output = { write: () => undefined, isTTY: true, columns: 40 };
  expect(folded(output, [line])).toEqual([line]);
  const long = `  ${"word ".repeat(12).trim()}`;
  expect(folded(output, [long])).toEqual([`  ${"word ".repeat(7).trim()}`, `    ${"word ".repeat(5).trim()}`]);
  expect(folded({ ...output, isTTY: false }, [long])).toEqual([long]);
});
