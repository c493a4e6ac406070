/** The published clients, installed into a folder of their own: never dependencies of this repository. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { bin } from "../root.ts";

export interface Client {
  version: "2026.2.9" | "2026.9.6";
  protocol: 3 | 4;
  /** Replacements for dependencies that this version asks for and the registry no longer serves. */
  overrides?: Record<string, string>;
}

export const clients: readonly Client[] = [
  {
    version: "2026.2.9",
    protocol: 3,
    overrides: { "@whiskeysockets/baileys": "npm:baileys@7.0.0-rc14", linkedom: "0.18.12" },
  },
  { version: "2026.9.6", protocol: 4 },
];

/** The client's entry file below `dir/<version>`; installs when it is not there. Takes minutes and about 1 GB each. */
export async function installed(client: Client, dir: string): Promise<string> {
  const folder = join(dir, client.version);
  const manifest = join(folder, "node_modules", "openclaw", "package.json");
  if (!existsSync(manifest)) {
    mkdirSync(folder, { recursive: true });
    const wanted = { private: true, dependencies: { openclaw: client.version }, overrides: client.overrides ?? {} };
    writeFileSync(join(folder, "package.json"), JSON.stringify(wanted));
    console.log(`installing openclaw@${client.version} into ${folder} (minutes, about 1 GB)`);
    await npmInstall(folder);
  }
  const { version, bin: entry } = JSON.parse(readFileSync(manifest, "utf8")) as {
    version: string;
    bin: { openclaw: string };
  };
  if (version !== client.version) throw new Error(`${folder} holds openclaw ${version}; use another --dir`);
  return join(dirname(manifest), entry.openclaw);
}

/** npm under this repository's Node: the clients refuse to be installed by an older one. */
function npmInstall(cwd: string): Promise<void> {
  const npm = realpathSync(execFileSync("which", ["npm"], { encoding: "utf8" }).trim());
  const path = [dirname(bin("node")), process.env.PATH].join(delimiter);
  const child = spawn(process.execPath, [npm, "install", "--no-audit", "--no-fund"], {
    cwd,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`npm install in ${cwd} ended with ${code}`)),
    );
  });
}
