/** How this program came onto the machine, and how it is brought up to date. Reads files only; runs nothing. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { World } from "../kernel/world.ts";

export interface Install {
  /** `git`: a checkout. `npm`: a package of a node_modules folder. */
  kind: "git" | "npm" | "unknown";
  /** Folder of the checkout or package; absent when it cannot be told. */
  root?: string;
  /** Of the files on disk, which a running gateway may have left behind. */
  version?: string;
  /** Of a checkout; absent when its files do not say. */
  commit?: string;
  /** What brings it up to date; absent when that cannot be told. */
  command?: string;
}

/** The published package, and the workspace of a checkout. */
const names: ReadonlySet<string> = new Set(["@openclaw/gateway", "openclaw-gateway-workspace"]);
const maxDepth = 12;

/** The installation the file or folder `from` belongs to: the workspace around it when there is one, else the package. */
export function findInstall(from: string, world: Pick<World, "platform">): Install {
  let found: { root: string; name: string; version: string | undefined; unpublished: boolean } | undefined;
  let folder = from;
  for (let depth = 0; depth < maxDepth; depth++) {
    const manifest = readManifest(join(folder, "package.json"));
    if (manifest?.name !== undefined && names.has(manifest.name))
      found = { root: folder, name: manifest.name, version: manifest.version, unpublished: manifest.unpublished };
    const parent = dirname(folder);
    if (parent === folder || basename(folder) === "node_modules") break;
    folder = parent;
  }
  if (!found) return { kind: "unknown" };
  const { root, name, version } = found;
  const known = { root, ...(version === undefined ? {} : { version }) };
  if (existsSync(join(root, ".git"))) {
    const commit = commitOf(join(root, ".git"));
    const command = `cd ${quoted(root)} && git pull --ff-only && npm ci && npm run build`;
    return { kind: "git", ...known, ...(commit === undefined ? {} : { commit }), command };
  }
  const scope = dirname(root);
  const modules = name.startsWith("@") ? dirname(scope) : scope;
  if (basename(modules) !== "node_modules") return { kind: "unknown", ...known };
  // A package that is not published has no newer one in any registry; what bears its name there is somebody else's.
  if (found.unpublished) return { kind: "npm", ...known };
  return { kind: "npm", ...known, command: npmCommand(name, dirname(modules), world.platform) };
}

/** A global prefix keeps its packages in `lib/node_modules`, on Windows in `npm\node_modules`. */
function npmCommand(name: string, holder: string, platform: NodeJS.Platform): string {
  const global = platform === "win32" ? basename(holder).toLowerCase() === "npm" : basename(holder) === "lib";
  return global ? `npm install -g ${name}@latest` : `npm --prefix ${quoted(holder)} install ${name}@latest`;
}

function readManifest(path: string): { name?: string; version?: string; unpublished: boolean } | undefined {
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as {
      name?: unknown;
      version?: unknown;
      private?: unknown;
    } | null;
    return {
      unpublished: value?.private === true,
      ...(typeof value?.name === "string" ? { name: value.name } : {}),
      ...(typeof value?.version === "string" ? { version: value.version } : {}),
    };
  } catch {
    return undefined; // Not there or no manifest: the folder above may have one.
  }
}

/** The commit HEAD names. A worktree keeps its HEAD elsewhere and is not followed. */
function commitOf(git: string): string | undefined {
  try {
    const head = readFileSync(join(git, "HEAD"), "utf8").trim();
    if (isCommit(head)) return head;
    const ref = /^ref: (refs\/[\w./-]+)$/u.exec(head)?.[1];
    if (ref === undefined || ref.includes("..")) return undefined;
    const loose = join(git, ref);
    if (existsSync(loose))
      return readFileSync(loose, "utf8")
        .trim()
        .match(/^[0-9a-f]{40,64}$/u)?.[0];
    const packed = readFileSync(join(git, "packed-refs"), "utf8");
    return packed
      .split("\n")
      .find((line) => line.endsWith(` ${ref}`))
      ?.split(" ")[0];
  } catch {
    return undefined; // The update does not depend on it.
  }
}

const isCommit = (text: string): boolean => /^[0-9a-f]{40,64}$/u.test(text);
const quoted = (path: string): string => (/^[\w./:\\-]+$/u.test(path) ? path : `"${path}"`);

/** What keeps the gateway from being the newest, and the way there: for people. */
export function updateAdvice(install: Install, running: string): string {
  const { kind, version, command } = install;
  if (version !== undefined && version !== running) {
    return `Version ${version} is on disk and ${running} is running. Stop the gateway process and start it again; a restart in place keeps the loaded program.`;
  }
  if (command === undefined)
    return "Where this program came from cannot be told, so it is not updated from here. Install the new version the way this one was, then start the gateway again.";
  const what = kind === "git" ? "This is a source checkout" : "This is an npm package";
  return `${what}; nothing was changed. Stop the gateway, run: ${command} — then start it again.`;
}
