/** Licence texts of everything that is bundled, as their authors ask for. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Bundled {
  name: string;
  version: string;
  license: string;
  text: string;
}

/** What packages contain of others without their licence files. */
const inside: Readonly<Record<string, Bundled>> = {
  unpdf: {
    name: "pdfjs-dist",
    version: "6.1.200",
    license: "Apache-2.0",
    text: 'PDF.js, inside of unpdf. Copyright Mozilla Foundation.\n\nLicensed under the Apache License, Version 2.0. You may obtain a copy of the License at\n\n    http://www.apache.org/licenses/LICENSE-2.0\n\nUnless required by applicable law or agreed to in writing, software distributed under the License is distributed on an "AS IS"\nBASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the License for the specific language\ngoverning permissions and limitations under the License.',
  },
};

/** The package a module file belongs to, or undefined for our own sources. */
export function packageOf(file: string): string | undefined {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

/** One entry per package among `files`, sorted by name. Throws when a package carries no licence at all. */
export function bundledPackages(files: Iterable<string>): Bundled[] {
  const found = new Map<string, Bundled>();
  for (const file of files) {
    const name = packageOf(file);
    if (name === undefined || found.has(name)) continue;
    let folder = dirname(file);
    while (!folder.endsWith(`/node_modules/${name}`)) folder = dirname(folder);
    found.set(name, describe(folder, name));
    const other = inside[name];
    if (other) found.set(other.name, other);
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

function describe(folder: string, name: string): Bundled {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    version: string;
    license?: string;
  };
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), "utf8").trim());
  if (!manifest.license && texts.length === 0) throw new Error(`${name} carries no licence; do not ship it`);
  return { name, version: manifest.version, license: manifest.license ?? "see text", text: texts.join("\n\n") };
}

export function noticesText(packages: readonly Bundled[]): string {
  const parts = packages.map(
    ({ name, version, license, text }) =>
      `${"-".repeat(80)}\n${name} ${version} (${license})\n\n${text || "No licence file; see the identifier above."}\n`,
  );
  return `This program contains the following third-party software.\n\n${parts.join("\n")}`;
}
