/** The one place that changes the config file (R-CFG-2): under a lock, judged before it is written, kept in both rings, replaced
 *  durably. A result that would be invalid, or a base that is no longer there, writes nothing. */
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import type { World } from "../kernel/world.ts";
import { editText, type Edit } from "./edit.ts";
import { refuseUnnamedLoss } from "./guard.ts";
import { hashOf, keepInHistory } from "./history.ts";
import { ownerOfPath } from "./include.ts";
import { lockConfig, nextStep, type ConfigLock, type LockWorld } from "./lock.ts";
import { formatPath } from "./path.ts";
import { parseDocument } from "./parse.ts";
import { decode, describeIssues, judgeText, type ConfigSnapshot, type Declared } from "./read.ts";
import { isObject } from "./validate.ts";

export type WriteWorld = LockWorld & Pick<World, "env" | "homedir" | "mark">;

export interface Written {
  /** The file itself, links resolved. */
  path: string;
  /** SHA-256 of the text that stands there now. */
  hash: string;
  /** False when the file said so already; nothing was written then. */
  changed: boolean;
  /** The verdict on the new text: always `ok`. */
  snapshot: ConfigSnapshot;
}

export interface WriteOptions {
  /** SHA-256 of the text the caller has seen; another one there is a conflict. */
  baseHash?: string;
}

const backups = 5;
const attempts = 5;

/** Makes the edits on the text that stands there when the lock is held, so that no other writer's change is lost. Creates the
 *  file when it is missing. Throws GatewayError: `invalid` (nothing written), `conflict` (base hash), `unavailable` (locked, or
 *  the folder or disk refuses). */
export async function editConfigFile(
  path: string,
  edits: readonly Edit[],
  world: WriteWorld,
  declared: Declared,
  options: WriteOptions = {},
): Promise<Written> {
  return replace(path, world, declared, options, (before) => {
    if (before !== undefined) for (const edit of edits) refuseIncluded(path, before, edit, world);
    const stamped = [...edits, ...stamp(before, world, declared)];
    const after = editText(before ?? "{}\n", edits, path);
    if (after === before) return after;
    const final = editText(before ?? "{}\n", stamped, path);
    if (before !== undefined) refuseUnnamedLoss(before, final, stamped, path);
    return final;
  });
}

/** Replaces the whole text: `config.set`, `config.apply`, restore. */
export async function replaceConfigFile(
  path: string,
  text: string,
  world: WriteWorld,
  declared: Declared,
  options: WriteOptions = {},
): Promise<Written> {
  return replace(path, world, declared, options, () => text);
}

/** Says no when writing is forbidden as a whole. */
export function refuseManaged(world: Pick<World, "env">): void {
  const mode = world.env.OPENCLAW_NIX_MODE;
  if (mode && mode !== "0")
    throw new GatewayError("forbidden", "The config is managed by Nix (OPENCLAW_NIX_MODE); change it there.");
}

async function replace(
  path: string,
  world: WriteWorld,
  declared: Declared,
  { baseHash }: WriteOptions,
  make: (before: string | undefined) => string,
): Promise<Written> {
  refuseManaged(world);
  const target = linkTarget(path);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  refuseReadOnly(target);
  const lock = await lockConfig(target, world);
  try {
    for (let attempt = 1; ; attempt++) {
      const before = readText(target);
      checkBase(before, baseHash);
      const after = make(before);
      const snapshot = judgeText(path, after, world, declared);
      if (snapshot.verdict !== "ok") {
        throw new GatewayError("invalid", `${describeIssues(snapshot)}\nNothing was written.`, {
          details: { issues: snapshot.issues },
        });
      }
      const result = { path: target, hash: snapshot.hash, snapshot };
      if (after === before) return { ...result, changed: false };
      if (commit(target, before, after, lock, world)) return { ...result, changed: true };
      if (baseHash !== undefined || attempt === attempts) throw changedMeanwhile();
    }
  } finally {
    lock.release();
  }
}

/** False when somebody without the lock, an editor, saved between reading and now. */
function commit(
  target: string,
  before: string | undefined,
  after: string,
  lock: ConfigLock,
  world: WriteWorld,
): boolean {
  const temp = tempName(target, world);
  try {
    writeDurably(temp, after, target);
    world.mark("config.temp-written");
    keep(before, world);
    keep(after, world);
    lock.assertHeld();
    if (before !== undefined) rotateBackups(target, tempName(target, world));
    world.mark("config.backed-up");
    if (readText(target) !== before) return false;
    renameSync(temp, target);
    world.mark("config.renamed");
    syncFolder(dirname(target));
    return true;
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    const hint =
      code === "EBUSY" || code === "EXDEV"
        ? "It is mounted as a single file: mount its folder instead."
        : nextStep(error, target);
    throw new GatewayError("unavailable", `${target} cannot be written (${code}). It is unchanged. ${hint}`, {
      cause: error,
    });
  } finally {
    rmSync(temp, { force: true });
  }
}

/** Beside the file; the lock removes those that a dead process left. */
const tempName = (target: string, world: WriteWorld): string =>
  join(dirname(target), `${basename(target)}.${world.pid}.${world.uuid()}.tmp`);

function checkBase(before: string | undefined, baseHash: string | undefined): void {
  if (baseHash === undefined) return;
  if ((before === undefined ? "" : hashOf(before)) !== baseHash) throw changedMeanwhile();
}

const changedMeanwhile = () =>
  new GatewayError("conflict", "config changed since last load; re-run config.get and retry", {
    details: { code: "STALE_HASH" },
  });

/** A value that comes from an included file is changed there. */
function refuseIncluded(path: string, text: string, edit: Edit, world: WriteWorld): void {
  let owner: string | undefined;
  try {
    owner = ownerOfPath(parseDocument(text), path, edit.path, world.env.OPENCLAW_INCLUDE_ROOTS);
  } catch {
    // A text or include that cannot be read is reported by the edit or by the verdict on its result.
    return;
  }
  if (owner === undefined) return;
  throw new GatewayError(
    "conflict",
    `${formatPath(edit.path)} is set in the included file ${owner}. Change it there.`,
    {
      details: { code: "INCLUDED", file: owner },
    },
  );
}

/** `meta` is kept up to date where it stands; it is never added (decision 15). */
function stamp(before: string | undefined, world: WriteWorld, declared: Declared): Edit[] {
  if (before === undefined || !declared.version) return [];
  const document = parseDocument(before);
  if (!isObject(document) || !isObject(document.meta) || document.meta.$include !== undefined) return [];
  return [
    { path: ["meta", "lastTouchedVersion"], value: declared.version },
    { path: ["meta", "lastTouchedAt"], value: new Date(world.now()).toISOString() },
  ];
}

/** The file behind links, also one that does not exist yet. */
function linkTarget(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found?.isSymbolicLink() ? resolve(dirname(path), readlinkSync(path)) : path;
  }
}

function refuseReadOnly(target: string): void {
  try {
    accessSync(target, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    throw new GatewayError(
      "unavailable",
      `${target} is read-only for this user (${code ?? "unknown error"}). Nothing was written. ${nextStep(error, target)}`,
      { cause: error },
    );
  }
}

function readText(path: string): string | undefined {
  try {
    return decode(readFileSync(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (error instanceof TypeError) throw new GatewayError("invalid", `${path} is not UTF-8 text. Repair it first.`);
    throw new GatewayError("unavailable", `${path} cannot be read: ${code ?? "unknown error"}`, { cause: error });
  }
}

/** 0600, or stricter when the file was; owned by whoever owned it. */
function writeDurably(temp: string, text: string, target: string): void {
  const old = statSync(target, { throwIfNoEntry: false });
  const handle = openSync(temp, "wx", old ? old.mode & 0o600 : 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  if (!old) return;
  const own = statSync(temp);
  if (own.uid === old.uid && own.gid === old.gid) return;
  try {
    chownSync(temp, old.uid, old.gid);
  } catch {
    // Only the superuser may give files away; then the writer owns the new one.
  }
}

function syncFolder(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } catch {
    // Some file systems cannot sync a folder; the rename itself has happened.
  } finally {
    closeSync(handle);
  }
}

/** The ring of 20. Best effort: a state directory that cannot be written must not keep a person from repairing the config. */
function keep(text: string | undefined, world: WriteWorld): void {
  if (text === undefined) return;
  try {
    keepInHistory(text, world);
  } catch {
    // See above.
  }
}

/** `.bak` is the newest, `.bak.4` the oldest. Best effort, like the ring. */
function rotateBackups(target: string, temp: string): void {
  const name = (n: number) => (n === 0 ? `${target}.bak` : `${target}.bak.${n}`);
  try {
    // Whole or not at all, also when this process dies meanwhile or the disk is full.
    copyFileSync(target, temp);
    chmodSync(temp, 0o600);
    for (let n = backups - 1; n > 0; n--) {
      try {
        renameSync(name(n - 1), name(n));
      } catch {
        // That backup does not exist yet.
      }
    }
    renameSync(temp, name(0));
  } catch {
    // A full disk: the file itself is complete already, and its rename needs no space.
  } finally {
    rmSync(temp, { force: true });
  }
}
