import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { manifestPath, type Manifest } from "../../scripts/build/bundle.ts";
import { shippedPackages } from "../../scripts/generate/dependency-list.ts";
import { installedSize } from "../bench/size.ts";
import { rooms, shared } from "./rooms.ts";
import { root, shipped, sources } from "./sources.ts";

const page = readFileSync(join(root, "docs/dependencies.md"), "utf8");
const rowed = new Set([...page.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1]));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
};

test("every package we ask for has a row that says why", () => {
  const asked = [
    ...Object.keys(manifest.devDependencies),
    ...Object.keys(manifest.optionalDependencies),
    ...Object.values(rooms).flatMap((room) => room.packages ?? []),
    ...shared,
  ];
  expect([...new Set(asked)].filter((name) => !rowed.has(name))).toEqual([]);
});

test("no row describes a package that is gone", () => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, unknown>;
  };
  expect([...rowed].filter((name) => !(`node_modules/${name}` in lock.packages))).toEqual([]);
});

test("a third-party package has one room", () => {
  // The web app is a program of its own, bundled apart: what it shares with the gateway is a name, not code.
  const ofGateway = Object.entries(rooms).filter(([name]) => name !== "control-ui");
  const owned = ofGateway.flatMap(([, room]) => room.packages ?? []);
  expect(owned.filter((name, index) => owned.indexOf(name) !== index)).toEqual([]);
});

test("a package the law grants to a room is used by it", () => {
  const used = new Set(
    sources()
      .filter((source) => /^(packages|apps)\//.test(source.path))
      .flatMap((source) => source.imports.map((entry) => entry.specifier)),
  );
  const grants = Object.values(rooms).flatMap((room) => room.packages ?? []);
  expect(
    grants.filter((name) => ![...used].some((specifier) => specifier === name || specifier.startsWith(`${name}/`))),
  ).toEqual([]);
});

test("what is bundled carries a licence that allows it", () => {
  const built = JSON.parse(readFileSync(manifestPath, "utf8")) as Manifest;
  const free = /^(MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|Unlicense|BlueOak-1\.0\.0)$/;
  // Of several licences we may choose one.
  const choices = (license: string) => license.replaceAll(/[()]/gu, "").split(" OR ");
  expect(built.packages.filter(({ license }) => !choices(license).some((one) => free.test(one)))).toEqual([]);
});

test("PDF.js, which comes inside of unpdf, is named with its version and the whole of its licence", () => {
  const built = JSON.parse(readFileSync(manifestPath, "utf8")) as Manifest;
  const version = built.packages.find(({ name }) => name === "pdfjs-dist")?.version ?? "missing";
  expect(readFileSync(join(root, "node_modules/unpdf/dist/pdfjs.mjs"), "utf8")).toContain(`\`${version}\``);
  const notices = readFileSync(join(root, "packages/gateway/dist/THIRD_PARTY_NOTICES.txt"), "utf8");
  expect(notices).toContain(`pdfjs-dist ${version} (Apache-2.0)`);
  expect(notices).toContain("TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION");
});

test("an installation stays small: at most 15 MB and 30 packages beside our own", () => {
  const { megabytes, packages } = installedSize();
  expect(megabytes).toBeLessThanOrEqual(15);
  expect(packages).toBeLessThanOrEqual(30);
  expect(shippedPackages().length).toBeGreaterThan(0);
  expect(shipped().length).toBeGreaterThan(0);
});
