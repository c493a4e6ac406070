/** Tailscale through its own command line (lifecycle.md §12.3): the exposure of the port, and who an address of the tailnet belongs
 *  to. Nothing here is needed for the gateway to run: what fails is a warning. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import type { TailnetPort } from "../server/index.ts";

type Outside = Pick<World, "env" | "platform" | "spawn" | "after" | "monotonic">;

export interface TailscaleSettings {
  mode: "off" | "serve" | "funnel";
  resetOnExit: boolean;
}

interface Ran {
  code: number | undefined;
  stdout: string;
  /** One line saying what went wrong; empty after exit 0. */
  problem: string;
}

const commandMs = 15_000;
const whoisMs = 5_000;
const knownMs = 60_000;
const unknownMs = 5_000;
const maxKnown = 1_000;
const maxLookups = 8;
const maxOutputChars = 262_144;
const appBinary = "/Applications/Tailscale.app/Contents/MacOS/Tailscale";

/** First executable `tailscale` on PATH, else the one inside the macOS app. */
export function findTailscale(world: Pick<World, "env" | "platform">): string | undefined {
  const name = world.platform === "win32" ? "tailscale.exe" : "tailscale";
  const places = (world.env.PATH ?? "")
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name));
  if (world.platform === "darwin") places.push(appBinary);
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false; // Not there, or not ours to run: the next place.
    }
  });
}

/** Runs a command to its end or its deadline. Never rejects. */
function run(world: Outside, command: string, args: readonly string[], timeoutMs: number): Promise<Ran> {
  return new Promise((resolve) => {
    let stdout = "";
    let stderr = "";
    let child: ReturnType<World["spawn"]>;
    const words = `tailscale ${args.filter((arg) => arg !== command).join(" ")}`;
    try {
      child = world.spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...world.env } });
    } catch (error) {
      return resolve({ code: undefined, stdout: "", problem: `${words}: ${(error as Error).message}` });
    }
    const end = (code: number | undefined, problem: string) => {
      timer.cancel();
      resolve({ code, stdout, problem });
    };
    const timer = world.after(timeoutMs, () => {
      child.kill("SIGKILL");
      end(undefined, `${words}: no end after ${timeoutMs} ms`);
    });
    child.stdout?.on("data", (chunk: Buffer) => {
      if (stdout.length < maxOutputChars) stdout += chunk.toString("utf8");
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      if (stderr.length < maxOutputChars) stderr += chunk.toString("utf8");
    });
    child.once("error", (error) => end(undefined, `${words}: ${error.message}`));
    child.once("close", (code, signal) => {
      const said = (stderr || stdout).trim().split("\n").slice(0, 3).join(" ").slice(0, 300);
      end(code ?? undefined, code === 0 ? "" : `${words}: ${said || `exit ${code ?? signal ?? "unknown"}`}`);
    });
  });
}

const object = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

function parse(text: string): Record<string, unknown> {
  try {
    return object(JSON.parse(text));
  } catch {
    return {}; // Another version, or an error text: nothing is known then.
  }
}

/** Logins of the tailnet by address. Good answers hold 60 s, missing ones 5 s; both maps are bounded. */
export class Tailnet implements TailnetPort {
  readonly #world: Outside;
  readonly #log: Logger;
  readonly #known = new Map<string, { login: string | undefined; until: number }>();
  readonly #asking = new Map<string, Promise<string | undefined>>();

  constructor(parts: { world: Outside; log: Logger }) {
    this.#world = parts.world;
    this.#log = parts.log;
  }

  whois(address: string): Promise<string | undefined> {
    const known = this.#known.get(address);
    if (known && known.until > this.#world.monotonic()) return Promise.resolve(known.login);
    const asking = this.#asking.get(address);
    if (asking) return asking;
    // Each lookup is a process: more at once would let anybody with a loopback socket start them without end.
    if (this.#asking.size >= maxLookups) return Promise.resolve(undefined);
    const lookup = this.#lookUp(address).finally(() => this.#asking.delete(address));
    this.#asking.set(address, lookup);
    return lookup;
  }

  async #lookUp(address: string): Promise<string | undefined> {
    const login = await this.#ask(address);
    this.#known.delete(address);
    if (this.#known.size >= maxKnown) this.#known.delete(this.#known.keys().next().value ?? "");
    this.#known.set(address, { login, until: this.#world.monotonic() + (login ? knownMs : unknownMs) });
    return login;
  }

  async #ask(address: string): Promise<string | undefined> {
    const command = findTailscale(this.#world);
    if (!command) {
      this.#log.warn("a Tailscale login cannot be checked: no tailscale command on PATH");
      return undefined;
    }
    const { code, stdout, problem } = await run(this.#world, command, ["whois", "--json", address], whoisMs);
    if (code !== 0) this.#log.debug("whois failed", { problem });
    const login = code === 0 ? object(parse(stdout).UserProfile).LoginName : undefined;
    return typeof login === "string" && login ? login : undefined;
  }
}

/** The port's exposure through `tailscale serve` or `funnel`. */
export class Exposure {
  readonly #world: Outside;
  readonly #log: Logger;
  #current: (TailscaleSettings & { command: string; exposed: string }) | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(parts: { world: Outside; log: Logger }) {
    this.#world = parts.world;
    this.#log = parts.log;
  }

  /** Exposes the port as the settings say; what an earlier call made and should be undone is undone first. Never rejects. */
  apply(settings: TailscaleSettings, port: number, secure: boolean): Promise<void> {
    this.#work = this.#work.then(async () => {
      const wanted = `${settings.mode} ${port} ${secure}`;
      if (this.#current?.exposed === wanted) return void Object.assign(this.#current, settings);
      if (this.#current && this.#current.mode !== settings.mode) await this.#reset(commandMs);
      if (settings.mode !== "off") await this.#enable(settings, port, secure);
    });
    return this.#work;
  }

  /** Undoes the exposure when `resetOnExit` asks for it. Never rejects; done after `deadlineMs` at the latest. */
  async stop(deadlineMs: number): Promise<void> {
    await this.#reset(deadlineMs);
  }

  async #enable(settings: TailscaleSettings, port: number, secure: boolean): Promise<void> {
    const { mode } = settings;
    const command = findTailscale(this.#world);
    if (!command)
      return this.#log.warn(
        `${mode} not enabled: no tailscale command on PATH. Install Tailscale, or set gateway.tailscale.mode to off.`,
      );
    // The certificate of this machine is its own; the proxy on the same machine need not check it.
    const target = secure ? `https+insecure://127.0.0.1:${port}` : String(port);
    const done = await this.#privileged(command, [mode, "--bg", "--yes", target], commandMs);
    if (done.code !== 0) return this.#log.warn(`${mode} not enabled: ${done.problem}`);
    this.#current = { ...settings, command, exposed: `${mode} ${port} ${secure}` };
    const status = await run(this.#world, command, ["status", "--json"], commandMs);
    const name = object(parse(status.stdout).Self).DNSName;
    const host = typeof name === "string" && name ? name.replace(/\.$/u, "") : "<this machine>.ts.net";
    this.#log.info(`${mode} enabled: https://${host}/ (WS via wss://${host})`);
  }

  async #reset(timeoutMs: number): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    if (!current?.resetOnExit) return;
    const done = await this.#privileged(current.command, [current.mode, "reset"], timeoutMs);
    if (done.code !== 0) this.#log.warn(`${current.mode} not reset: ${done.problem}`);
  }

  /** Once more through `sudo` when the daemon wants another user; `-n`: it never asks for a password. */
  async #privileged(command: string, args: readonly string[], timeoutMs: number): Promise<Ran> {
    const first = await run(this.#world, command, args, timeoutMs);
    if (first.code === 0 || !/denied|permission|not permitted|must be root|as root|operator/iu.test(first.problem))
      return first;
    const second = await run(this.#world, "sudo", ["-n", command, ...args], timeoutMs);
    return second.code === 0 ? second : first;
  }
}
