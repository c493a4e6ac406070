/** What an installation weighs, without the Node runtime and the optional parts. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { shippedPackages } from "../../scripts/generate/dependency-list.ts";
import { manifestPath, type Manifest } from "../../scripts/build/bundle.ts";
import type { Row } from "./measure.ts";
import { root } from "./processes.ts";

export interface Size {
  megabytes: number;
  packages: number;
}

/** The bundle of the current build; everything it needs is inside. */
export function installedSize(): Size {
  const manifest = JSON.parse(readFileSync(manifestPath, "utf8")) as Manifest;
  const chunks = Object.values(manifest.chunks).reduce((sum, chunk) => sum + chunk.bytes, 0);
  const notices = statSync(join(root, "packages/gateway/dist/THIRD_PARTY_NOTICES.txt")).size;
  const packages = shippedPackages().filter((one) => one.kind === "installed").length;
  return { megabytes: (chunks + notices) / 2 ** 20, packages };
}

export async function size(): Promise<Row[]> {
  const { megabytes, packages } = installedSize();
  return [
    { metric: "installed size", gateway: megabytes, unit: "MB", budget: { text: "≤ 15 MB", met: megabytes <= 15 } },
    {
      metric: "installed packages beside our own",
      gateway: packages,
      unit: "",
      budget: { text: "≤ 30", met: packages <= 30 },
    },
  ];
}
