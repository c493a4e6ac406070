/** The files of an agent's workspace: created once, never overwritten; read at every turn, from a cache while they are unchanged
 *  (agent.md §2.1, §2.2). */
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";
import { templateNames, templates } from "./templates.ts";

export interface ContextFile {
  name: string;
  path: string;
  missing: boolean;
  rawChars: number;
  /** What the prompt gets; empty for a blank file. */
  text: string;
  truncated: boolean;
}

/** All files together, in characters. */
export const maxContextChars = 150_000;
const maxFileBytes = 1_000_000;
const optionalNames = ["BOOTSTRAP.md", "MEMORY.md", "memory.md"];
const gitBudgetMs = 5_000;

/** Keeps the first 70 % and the last 20 % of what is allowed. */
export function shorten(text: string, maxChars: number): { text: string; truncated: boolean } {
  if (text.length <= maxChars) return { text, truncated: false };
  const head = text.slice(0, Math.floor(maxChars * 0.7)).toWellFormed();
  const tail = text.slice(text.length - Math.floor(maxChars * 0.2)).toWellFormed();
  return {
    text: `${head}\n\n[… ${text.length - head.length - tail.length} characters left out; read the file for all of it …]\n\n${tail}`,
    truncated: true,
  };
}

export class Workspaces {
  readonly #world: World;
  readonly #log: Logger;
  readonly #cache = new Map<string, { stamp: string; text: string }>();
  /** `git init` under way. */
  readonly #repositories = new Set<Promise<void>>();
  /** Workspaces that were looked after since the start. */
  readonly #ready = new Map<string, Promise<void>>();

  constructor(world: World, log: Logger) {
    this.#world = world;
    this.#log = log;
  }

  /** Makes the directory and its files. The first call per directory does the work, later ones share its promise. Never
   *  rejects: a workspace that cannot be written is logged, and the run says what it finds missing. */
  ensure(directory: string, options: { skipBootstrap: boolean }): Promise<void> {
    let ready = this.#ready.get(directory);
    if (!ready) {
      ready = this.create(directory, options).then(
        () => undefined,
        (error: unknown) => {
          this.#ready.delete(directory);
          this.#log.warn(`workspace ${directory} could not be prepared`, { error });
        },
      );
      if (this.#ready.size >= 256) this.#ready.clear();
      this.#ready.set(directory, ready);
    }
    return ready;
  }

  /** Makes the directory, and each missing template file with exclusive create. Returns the names it wrote. */
  async create(directory: string, options: { skipBootstrap: boolean }): Promise<string[]> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (options.skipBootstrap) return [];
    const written: string[] = [];
    for (const name of templateNames)
      if (await this.#writeNew(join(directory, name), templates[name])) written.push(name);
    const brandNew = written.length === templateNames.length;
    if (brandNew && (await this.#writeNew(join(directory, "BOOTSTRAP.md"), templates["BOOTSTRAP.md"])))
      written.push("BOOTSTRAP.md");
    if (brandNew) this.#initGit(directory);
    return written;
  }

  /** The files a prompt shows. A missing optional file is left out, a missing other one is marked. */
  async read(
    directory: string,
    options: { maxCharsPerFile: number; mode: "full" | "minimal" },
  ): Promise<ContextFile[]> {
    const wanted = options.mode === "minimal" ? ["AGENTS.md", "TOOLS.md"] : [...templateNames, ...optionalNames];
    const texts = await Promise.all(wanted.map((name) => this.#text(join(directory, name))));
    const files: ContextFile[] = [];
    let left = maxContextChars;
    for (const [index, name] of wanted.entries()) {
      const raw = texts[index];
      const path = join(directory, name);
      if (raw === undefined && optionalNames.includes(name)) continue;
      // On file systems that ignore case the second spelling is the same file.
      if (name === "memory.md" && files.some((file) => file.name === "MEMORY.md" && !file.missing)) continue;
      const shown = shorten((raw ?? "").trim(), Math.min(options.maxCharsPerFile, left));
      left = Math.max(0, left - shown.text.length);
      files.push({ name, path, missing: raw === undefined, rawChars: raw?.length ?? 0, ...shown });
    }
    return files;
  }

  async #text(path: string): Promise<string | undefined> {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const stamp = `${mtimeMs}:${size}:${ino}`;
      const cached = this.#cache.get(path);
      if (cached?.stamp === stamp) return cached.text;
      const text =
        size > maxFileBytes ? `(${size} bytes: too large to show here)` : (await readFile(path, "utf8")).toWellFormed();
      if (text.length > 20_000)
        this.#log.warn(`${path} is long; the prompt shows its beginning and end`, { chars: text.length });
      if (this.#cache.size >= 512) this.#cache.clear();
      this.#cache.set(path, { stamp, text });
      return text;
    } catch {
      // Missing, a directory or unreadable: for the prompt it is not there.
      this.#cache.delete(path);
      return undefined;
    }
  }

  async #writeNew(path: string, text: string): Promise<boolean> {
    try {
      await writeFile(path, text, { flag: "wx", mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  }

  /** As `create`, and waits until no `git init` is under way any more (five seconds at most): for set-up, where the process may
   *  end right after. A run does not wait. */
  async setUp(directory: string, options: { skipBootstrap: boolean }): Promise<string[]> {
    const created = await this.create(directory, options);
    await Promise.all(this.#repositories);
    return created;
  }

  /** Best effort: its failure changes nothing. */
  #initGit(directory: string): void {
    const done = this.#spawnGit(directory).catch((error: unknown) =>
      this.#log.debug("the workspace is no git repository", { error }),
    );
    this.#repositories.add(done);
    void done.then(() => this.#repositories.delete(done));
  }

  #spawnGit(directory: string): Promise<void> {
    const { env } = this.#world;
    return new Promise((resolve, reject) => {
      const child = this.#world.spawn("git", ["init", "--quiet"], {
        cwd: directory,
        stdio: "ignore",
        env: { PATH: env.PATH, HOME: env.HOME },
      });
      const timer = this.#world.after(gitBudgetMs, () => child.kill("SIGKILL"));
      const end = (error?: Error) => {
        timer.cancel();
        if (error) reject(error);
        else resolve();
      };
      child.once("error", end);
      child.once("exit", () => end());
    });
  }
}
