/** `dashboard`: the address of the Control UI, which was asked a moment ago and answered, with the token in its fragment
 *  (control-ui.md §2.2). Copies it, and opens it where somebody sits at a screen. The token never stands in the arguments of
 *  another program: those are visible to everybody on this machine. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { World } from "../kernel/world.ts";
import { CommandError, type Context } from "./command.ts";
import type { Io } from "./io.ts";
import { probe } from "./probe.ts";
import { suggest } from "./profile.ts";
import { resolveTarget, type Target } from "./target.ts";

const probeMs = 3_000;
/** How long a browser gets to read the page that sends it on. */
const handoverMs = 4_000;

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  const target = await resolveTarget(options, io);
  if (switchedOff(target)) {
    throw new CommandError(
      `The Control UI is switched off.\nFix: ${suggest(io.env, "config set gateway.controlUi.enabled true")}`,
    );
  }
  const { ok, error } = await probe(target, io, options.integer("timeout", probeMs), {});
  if (!ok) {
    throw new CommandError(
      `No gateway to open: ${error ?? "no answer"}\nFix: start it with ${suggest(io.env, "gateway")}, or look at ${suggest(io.env, "gateway status")}`,
    );
  }
  const url = dashboardUrl(target);
  if (context.json) {
    context.printJson({ url, opened: false });
    return 0;
  }
  context.print(`Dashboard URL: ${url}`);
  if (target.credentials.token === undefined)
    context.note("The page asks for the gateway's password; it is never put into an address.");
  if (options.has("no-open")) return 0;
  const world = await io.world();
  if (await copy(url, world)) context.note("Copied to the clipboard.");
  if (!io.stdout.isTTY || !somebodyIsThere(io)) {
    context.note("Open it in a browser. From another machine: forward the port first, for example with ssh -L.");
    return 0;
  }
  if (await open(url, world)) context.note("Opened in the browser.");
  else context.note("No browser could be started here; open the address yourself.");
  return 0;
}

/** `http(s)` for `ws(s)`, with the base path; the token goes into the fragment, which no server ever sees. */
export function dashboardUrl({ url, credentials, config }: Pick<Target, "url" | "credentials" | "config">): string {
  const address = new URL(url.replace(/^ws/, "http"));
  const base = config.basePath.trim().replace(/^\/+|\/+$/g, "");
  address.pathname = base === "" ? "/" : `/${base}/`;
  address.search = "";
  address.hash = credentials.token === undefined ? "" : `token=${encodeURIComponent(credentials.token)}`;
  return address.href;
}

function switchedOff({ local, config }: Target): boolean {
  const gateway = config.document.gateway as { controlUi?: { enabled?: unknown } } | undefined;
  return local && gateway?.controlUi?.enabled === false;
}

/** A browser opened over SSH would open on the wrong machine, if at all. */
export function somebodyIsThere({ env, platform }: Pick<Io, "env" | "platform">): boolean {
  if (env.SSH_CONNECTION || env.SSH_TTY || env.CI) return false;
  return platform !== "linux" || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

const clipboards: Readonly<Record<string, readonly (readonly string[])[]>> = {
  darwin: [["pbcopy"]],
  win32: [["clip"]],
  linux: [["wl-copy"], ["xclip", "-selection", "clipboard"], ["xsel", "--clipboard", "--input"]],
};

async function copy(text: string, world: World): Promise<boolean> {
  if (world.platform === "linux" && !world.env.DISPLAY && !world.env.WAYLAND_DISPLAY) return false;
  for (const [command = "", ...args] of clipboards[world.platform] ?? []) {
    if ((await finished(world, command, args, text)) === 0) return true;
  }
  return false;
}

const openers: Readonly<Record<string, readonly string[]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
  linux: ["xdg-open"],
};

/** By way of a page that only this user can read, so that the token stays out of process lists. */
async function open(url: string, world: World): Promise<boolean> {
  const [command = "", ...args] = openers[world.platform] ?? [];
  if (command === "") return false;
  const folder = mkdtempSync(join(world.tmpdir(), "openclaw-dashboard-"));
  try {
    const page = join(folder, "open.html");
    const address = url.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    writeFileSync(
      page,
      `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${address}"><title>OpenClaw</title>\n`,
      { mode: 0o600 },
    );
    if ((await finished(world, command, [...args, pathToFileURL(page).href])) !== 0) return false;
    await world.sleep(handoverMs);
    return true;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Exit code of a helper; undefined when it could not be started or was ended. */
function finished(world: World, command: string, args: readonly string[], input = ""): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child = world.spawn(command, args, { stdio: ["pipe", "ignore", "ignore"], env: { ...world.env } });
    child.once("error", () => resolve(undefined));
    child.once("exit", (code) => resolve(code ?? undefined));
    child.stdin?.on("error", () => {
      // The helper ended without reading.
    });
    child.stdin?.end(input);
  });
}
