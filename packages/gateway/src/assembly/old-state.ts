/** The state directory of OpenClaw 2026.1 and 2026.2 (config.md §1): what is in it, and what of it an import takes. Reads names
 *  only, follows no links, and leaves everything as it is. */
import { existsSync, lstatSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "@openclaw/protocol";

export interface OldFile {
  /** Place in the old state directory, with slashes. */
  path: string;
  /** Where it is. */
  file: string;
}

export interface OldAgent {
  agentId: string;
  index: OldFile | undefined;
  transcripts: OldFile[];
}

export interface OldState {
  root: string;
  agents: OldAgent[];
  devices: OldFile | undefined;
  nodes: OldFile | undefined;
  /** What an import leaves where it is, and why. */
  left: { path: string; reason: string }[];
}

/** Folders of one agent that hold more names than this are not read. */
const maxNames = 1_000_000;
const agentIdForm = /^[a-z0-9][a-z0-9_-]{0,63}$/u;
const later = "stays where it is, for the version that will use it";

/** Things an import never takes. A path ending in a slash is a folder. */
const leftAlone: readonly [string, string][] = [
  ["devices/pending.json", "requests to be paired last five minutes"],
  ["nodes/pending.json", "requests to be paired last five minutes"],
  ["identity/", "stays where it is: this machine's own key"],
  ["credentials/", later],
  ["cron/jobs.json", later],
  ["exec-approvals.json", later],
];

/** Throws GatewayError("not-found") when the folder does not exist, "invalid" when it holds no old state. */
export function readOldState(folder: string): OldState {
  let root: string;
  try {
    root = realpathSync(folder);
  } catch (error) {
    throw new GatewayError("not-found", `${folder} does not exist or cannot be read.`, { cause: error });
  }
  const look = new Look(root);
  const agents: OldAgent[] = [];
  for (const name of look.folders("agents")) {
    const agentId = name.toLowerCase();
    if (!agentIdForm.test(agentId)) look.left.push({ path: `agents/${name}`, reason: "not the name of an agent" });
    else agents.push(look.agent(agentId, `agents/${name}/sessions`));
    look.leave(`agents/${name}/agent/auth-profiles.json`, "not read: give the keys in the config or the environment");
    look.leave(`agents/${name}/agent/models.json`, "not needed: it was made from openclaw.json");
  }
  // Before there were agents, their one folder stood at the top.
  if (look.isFolder("sessions")) agents.push(look.agent("main", "sessions"));
  for (const [path, reason] of leftAlone) look.leave(path, reason);
  const devices = look.file("devices/paired.json");
  const nodes = look.file("nodes/paired.json");
  const found = agents.filter((agent) => agent.index || agent.transcripts.length > 0);
  if (found.length === 0 && !devices && !nodes) {
    throw new GatewayError(
      "invalid",
      `${root} holds no OpenClaw state of 2026.1 or 2026.2: neither agents/*/sessions nor devices/paired.json was found.`,
    );
  }
  return { root, agents: found, devices, nodes, left: look.left };
}

/** Whether a state directory holds conversations or devices of an older installation that nobody imported. Reads a few names;
 *  for the start. */
export function hasUnreadOldState(state: string): boolean {
  const exists = (...path: string[]) => existsSync(join(state, ...path));
  const old =
    exists("devices", "paired.json") ||
    namesOf(join(state, "agents")).some((name) => exists("agents", name, "sessions", "sessions.json"));
  return (
    old &&
    !namesOf(join(state, "backups")).some(
      (name) => name.startsWith("import-") && exists("backups", name, "report.json"),
    )
  );
}

class Look {
  readonly left: { path: string; reason: string }[] = [];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** A file that is no link and stands behind none. */
  file(path: string): OldFile | undefined {
    const parts = path.split("/");
    for (let count = 1; count < parts.length; count++)
      if (!this.isFolder(parts.slice(0, count).join("/"))) return undefined;
    const found = lstatSync(join(this.#root, path), { throwIfNoEntry: false });
    if (!found) return undefined;
    if (found.isFile()) return { path, file: join(this.#root, path) };
    this.left.push({ path, reason: found.isSymbolicLink() ? "a link; links are not followed" : "not a file" });
    return undefined;
  }

  isFolder(path: string): boolean {
    return lstatSync(join(this.#root, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
  }

  folders(path: string): string[] {
    if (!this.isFolder(path)) return [];
    const entries = readdirSync(join(this.#root, path), { withFileTypes: true });
    for (const entry of entries) {
      if (entry.isSymbolicLink())
        this.left.push({ path: `${path}/${entry.name}`, reason: "a link; links are not followed" });
    }
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  }

  leave(path: string, reason: string): void {
    const present = path.endsWith("/") ? this.isFolder(path.slice(0, -1)) : this.file(path) !== undefined;
    // An empty list of requests is not worth a line.
    const empty = path.endsWith("/pending.json") && present && lstatSync(join(this.#root, path)).size <= 4;
    if (present && !empty) this.left.push({ path, reason });
  }

  agent(agentId: string, folder: string): OldAgent {
    const agent: OldAgent = { agentId, index: undefined, transcripts: [] };
    if (!this.isFolder(folder)) return agent;
    const names = readdirSync(join(this.#root, folder));
    if (names.length > maxNames) {
      this.left.push({ path: folder, reason: `more than ${maxNames} files` });
      return agent;
    }
    for (const name of names.sort()) {
      const path = `${folder}/${name}`;
      if (name === "sessions.json") agent.index = this.file(path);
      else if (/\.jsonl(?:$|\.(?:reset|deleted)\.)/u.test(name)) {
        const file = this.file(path);
        if (file) agent.transcripts.push(file);
      } else if (!/\.(?:lock|tmp)$/u.test(name)) this.left.push({ path, reason: "not a transcript" });
    }
    return agent;
  }
}

function namesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Missing, or not ours to read: then nothing is found there.
    return [];
  }
}
