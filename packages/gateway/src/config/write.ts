/** The one place that changes the config file: a text-preserving edit, judged before it is written, backed up, and replaced
 *  durably (config.md §5, R-CFG-2). Comments, order, unknown spans, `${VAR}` and `$include` stay byte for byte outside the
 *  edited value. */
import { closeSync, copyFileSync, fsyncSync, mkdirSync, openSync, readFileSync, realpathSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { JsonObjectNode, JsonParser } from "@croct/json5-parser";
import { GatewayError } from "@openclaw/protocol";
import type { World } from "../kernel/world.ts";
import { describeIssues, parseDocument, readConfig, type Declared } from "./read.ts";
import { isObject } from "./validate.ts";

export interface Edit {
  /** Keys from the root. */
  path: readonly string[];
  /** `undefined` removes the key. */
  value: unknown;
}

type Outside = Pick<World, "env" | "homedir" | "pid" | "uuid">;

const backups = 5;

/** Applies the edits to the file and returns its path. Creates the file when it is missing. Throws GatewayError when the
 *  result would be invalid (nothing is written then) or when the file cannot be parsed. */
export function editConfigFile(path: string, edits: readonly Edit[], world: Outside, declared: Declared): string {
  const target = linkTarget(path);
  const before = readText(target);
  const after = editText(before ?? "{}\n", edits, path);
  if (before === after) return target;
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const temp = join(dirname(target), `${basename(target)}.${world.pid}.${world.uuid()}.tmp`);
  try {
    writeDurably(temp, after);
    const judged = readConfig(temp, world, declared);
    if (judged.verdict !== "ok") {
      throw new GatewayError("invalid", `${describeIssues({ ...judged, path })}\nNothing was written.`);
    }
    if (readText(target) !== before) {
      throw new GatewayError("conflict", "config changed since last load; read it again and retry", { details: { code: "STALE_HASH" } });
    }
    if (before !== undefined) rotateBackups(target);
    renameSync(temp, target);
    syncFolder(dirname(target));
  } finally {
    rmSync(temp, { force: true });
  }
  return target;
}

/** The text with the edits made. A document the editing library refuses (odd escapes) is rewritten as JSON. */
export function editText(text: string, edits: readonly Edit[], path: string): string {
  let wanted: unknown;
  try {
    wanted = parseDocument(text);
  } catch (error) {
    throw new GatewayError("invalid", `${path} cannot be parsed: ${(error as Error).message}. Repair it first.`);
  }
  if (!isObject(wanted)) throw new GatewayError("invalid", `${path} must hold an object.`);
  for (const edit of edits) setIn(wanted, edit);
  const expected = JSON.stringify(wanted);
  try {
    const edited = editNodes(text, edits);
    if (JSON.stringify(parseDocument(edited)) === expected) return edited;
  } catch {
    // The library refuses some legal documents; below they are rewritten whole, with the backup keeping the original.
  }
  return `${JSON.stringify(wanted, null, 2)}\n`;
}

function editNodes(text: string, edits: readonly Edit[]): string {
  const root = JsonParser.parse(text.replace(/^\uFEFF/u, ""), JsonObjectNode);
  for (const { path, value } of edits) {
    let node = root;
    for (const [i, key] of path.entries()) {
      if (i === path.length - 1) {
        if (value === undefined) node.delete(key);
        else node.set(key, value as never);
        break;
      }
      if (!node.has(key)) node.set(key, {});
      node = node.get(key, JsonObjectNode);
    }
  }
  return (text.startsWith("\uFEFF") ? "\uFEFF" : "") + root.toString();
}

function setIn(document: Record<string, unknown>, { path, value }: Edit): void {
  let node = document;
  for (const [i, key] of path.entries()) {
    if (key === "" || key === "__proto__" || key === "constructor" || key === "prototype") {
      throw new GatewayError("invalid", `"${key}" cannot be a config key.`);
    }
    if (i === path.length - 1) {
      if (value === undefined) delete node[key];
      else node[key] = value;
      return;
    }
    const next = node[key] ?? {};
    if (!isObject(next)) throw new GatewayError("invalid", `${path.slice(0, i + 1).join(".")} is not an object.`);
    node[key] = next;
    node = next;
  }
}

function linkTarget(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Not there yet: it is created under its own name.
    return path;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new GatewayError("unavailable", `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function writeDurably(path: string, text: string): void {
  const handle = openSync(path, "wx", 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
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

function rotateBackups(target: string): void {
  const name = (n: number) => (n === 0 ? `${target}.bak` : `${target}.bak.${n}`);
  try {
    for (let n = backups - 1; n > 0; n--) {
      try {
        renameSync(name(n - 1), name(n));
      } catch {
        // That backup does not exist yet.
      }
    }
    copyFileSync(target, name(0));
  } catch {
    // Backups are best effort: a full disk must not keep a person from repairing the config.
  }
}
