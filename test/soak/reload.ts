/** RELOAD (reliability.md §4.7): edits of every kind and save style rain on the config of a running gateway while clients and turns
 *  go on. The judge is this process: it knows what it wrote, and asks the gateway what it runs. */
import { closeSync, openSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { configFile, hashOf, readText, saveText } from "../support/config-file.ts";
import { makeHome, startGateway, token, type GatewayProcess, type Home } from "../support/process.ts";
import { seededRandom } from "../support/random.ts";
import { Wire } from "../support/wire.ts";

export interface ReloadOptions {
  seed: number;
  /** Edits of live keys, within `withinMs`. */
  edits: number;
  withinMs: number;
  clients: number;
  /** Edits between valid and broken, each awaited. */
  flips: number;
}

export interface ReloadReport {
  edits: number;
  flips: number;
  /** From the last edit to the generation that holds it. */
  settledMs: number;
  generations: number;
  dropped: number;
  restarts: number;
  violations: string[];
}

interface Status {
  config: { generation: number; hash: string; lastReloadError?: { message: string } };
  problems: { part: string; message: string }[];
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const settleLimitMs = 2_000;

export async function reload(options: ReloadOptions): Promise<ReloadReport> {
  const random = seededRandom(options.seed);
  const home = makeHome();
  const violations: string[] = [];
  const gateway = await startGateway(home);
  let ended = false;
  void gateway.exited.then(() => (ended = true));
  try {
    const storm = await liveStorm(gateway, home, options, random, violations);
    const restarts = await restartStorm(gateway, home, options, random, violations);
    await flip(gateway, home, options.flips, random, violations);
    if (ended) violations.push("the process ended");
    return { edits: options.edits, flips: options.flips, ...storm, restarts, violations };
  } finally {
    if (!ended && (await gateway.stop()) !== 0) violations.push("the gateway did not stop with 0");
    home.remove();
  }
}

/** Live keys only: nobody may be disconnected, no turn cut, and the last content is active two seconds later. */
async function liveStorm(
  gateway: GatewayProcess,
  home: Home,
  options: ReloadOptions,
  random: () => number,
  violations: string[],
) {
  const wires = await Promise.all(Array.from({ length: options.clients }, () => Wire.connect(gateway.url, { token })));
  let dropped = 0;
  for (const wire of wires) void wire.closed.then(() => dropped++);
  const over = new AbortController();
  const turns = wires.slice(0, 2).map(async (wire, i) => {
    for (let n = 0; !over.signal.aborted; n++) {
      const final = await wire.final("agent", {
        message: "sleep: 50",
        sessionKey: `storm-${i}`,
        idempotencyKey: `storm-${i}-${n}`,
      });
      if (final.payload?.status !== "ok")
        violations.push(`a turn was cut by a live key: ${JSON.stringify(final.error ?? final.payload)}`);
    }
  });
  const before = await statusOf(gateway.url);
  const began = performance.now();
  let text = readText(home);
  for (let n = 0; n < options.edits; n++) {
    text = liveEdit(text, n, random);
    save(home, text, random);
    const ahead = (n * options.withinMs) / options.edits - (performance.now() - began);
    if (ahead > 1) await pause(ahead);
  }
  const settledMs = await activeWithin(gateway.url, hashOf(text), violations);
  if (readText(home) !== text) violations.push("the file is not what the editor wrote");
  over.abort();
  await Promise.all(turns);
  // Counted before this side closes its own.
  const lost = dropped;
  if (lost > 0) violations.push(`${lost} connections were dropped by live keys`);
  await Promise.all(wires.map((wire) => wire.close()));
  const after = await statusOf(gateway.url);
  return { settledMs, generations: after.config.generation - before.config.generation, dropped: lost };
}

/** A key that needs a restart among the edits: at most two restarts, and the last content wins. */
async function restartStorm(
  gateway: GatewayProcess,
  home: Home,
  options: ReloadOptions,
  random: () => number,
  violations: string[],
): Promise<number> {
  const count = () => gateway.output().split("restarted; listening").length - 1;
  const before = count();
  const began = performance.now();
  let text = readText(home);
  for (let n = 0; n < options.edits; n++) {
    text = liveEdit(text, n, random).replace(/"nodes":\s*\{[^}]*\}|"mode": "local"/u, (found) =>
      found.startsWith('"nodes"')
        ? `"nodes": { "allowCommands": ["c${n}"] }`
        : `"mode": "local", "nodes": { "allowCommands": ["c${n}"] }`,
    );
    save(home, text, random);
    const ahead = (n * options.withinMs) / options.edits - (performance.now() - began);
    if (ahead > 1) await pause(ahead);
  }
  await activeWithin(gateway.url, hashOf(text), violations);
  const restarts = count() - before;
  if (restarts > 2) violations.push(`${restarts} restarts for one storm`);
  return restarts;
}

/** Between valid and broken: the process lives, health tells the truth, nobody touches the file. */
async function flip(
  gateway: GatewayProcess,
  home: Home,
  flips: number,
  random: () => number,
  violations: string[],
): Promise<void> {
  let valid = readText(home);
  valid = valid.replace('"mode": "local"', '"mode": "local", "reload": { "debounceMs": 0 }');
  saveText(home, valid);
  await activeWithin(gateway.url, hashOf(valid), violations);
  const wire = await Wire.connect(gateway.url, { token });
  let active = hashOf(valid);
  for (let n = 0; n < flips; n++) {
    const broken = random() < 0.5;
    if (!broken) valid = liveEdit(valid, 10_000 + n, random);
    const text = broken ? breakText(valid, n, random) : valid;
    save(home, text, random);
    if (!broken) active = hashOf(valid);
    const truth = await holds(async () => {
      const { config, problems } = await wire.call<Status>("status", {});
      const told = config.lastReloadError !== undefined && problems.some(({ part }) => part === "config");
      return config.hash === active && told === broken;
    });
    if (!truth)
      violations.push(
        `flip ${n}: status did not tell the truth (${broken ? "broken" : "valid"}): ${JSON.stringify((await wire.call<Status>("status", {})).config)}`,
      );
    if (readText(home) !== text) violations.push(`flip ${n}: the file was changed`);
  }
  await wire.close();
}

/** Another value of one live key; the file stays valid, and no two edits are equal. */
function liveEdit(text: string, n: number, random: () => number): string {
  const document = JSON.parse(text) as {
    logging?: Record<string, unknown>;
    agents: { defaults: Record<string, unknown> };
  };
  if (random() < 0.3) document.logging = { ...document.logging, level: random() < 0.5 ? "info" : "debug" };
  document.agents.defaults.maxConcurrent = 1 + Math.floor(random() * 8);
  document.agents.defaults.timeoutSeconds = 600 + n;
  return JSON.stringify(document, null, 2);
}

function breakText(text: string, n: number, random: () => number): string {
  const kinds = [
    () => text.slice(0, Math.floor(random() * (text.length - 2)) + 1),
    () => text.replace("{", `{ "unknown${n}": 1,`),
    () => `${text} }`,
    () => text.replace('"mode": "local"', `"mode": ${n}`),
  ];
  const made = kinds[Math.floor(random() * kinds.length)]?.() ?? "{";
  return made.trim() === "" ? "{" : made;
}

/** One of the ways editors save. */
function save(home: Home, text: string, random: () => number): void {
  const path = configFile(home);
  switch (Math.floor(random() * 4)) {
    case 0:
      return saveText(home, text);
    case 1: {
      const handle = openSync(path, "w");
      const half = Math.floor(text.length / 2);
      writeSync(handle, text.slice(0, half));
      writeSync(handle, text.slice(half));
      return closeSync(handle);
    }
    case 2:
      unlinkSync(path);
      return writeFileSync(path, text, { mode: 0o600 });
    default: {
      // A link that is swapped; the former target goes.
      const target = join(home.state, `config-${hashOf(text).slice(0, 12)}.json`);
      writeFileSync(target, text, { mode: 0o600 });
      const link = `${path}.link`;
      rmSync(link, { force: true });
      symlinkSync(target, link);
      renameSync(link, path);
    }
  }
}

async function statusOf(url: string): Promise<Status> {
  const wire = await Wire.connect(url, { token });
  const status = await wire.call<Status>("status", {});
  await wire.close();
  return status;
}

/** How long until this content is the active one; a violation after two seconds (D1). */
async function activeWithin(url: string, hash: string, violations: string[]): Promise<number> {
  const began = performance.now();
  const active = await holds(async () => (await statusOf(url)).config.hash === hash, settleLimitMs);
  if (!active) violations.push(`the last valid content was not active after ${settleLimitMs} ms`);
  return Math.round(performance.now() - began);
}

/** Whether it becomes true in time. Errors of a restart in between count as not yet. */
async function holds(check: () => Promise<boolean>, limitMs = 3_000): Promise<boolean> {
  const began = performance.now();
  while (performance.now() - began < limitMs) {
    if (await check().catch(() => false)) return true;
    await pause(20);
  }
  return false;
}
