import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { closeRules, errorRules } from "../../packages/protocol/src/errors.ts";
import { root } from "./sources.ts";

const pages = globSync(["*.md", "docs/**/*.md", "packages/*/*.md"], { cwd: root }).sort();
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const manifest = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

test("every error kind is documented with its wire code and HTTP status", () => {
  const page = read("docs/errors.md");
  const missing = Object.entries(errorRules).filter(
    ([kind, rule]) =>
      !page.includes(`| \`${kind}\` | \`${rule.code}\` | ${rule.retryable ? "yes" : "no"} | ${rule.http} |`),
  );
  expect(missing.map(([kind]) => kind)).toEqual([]);
});

test("every close rule is documented with its code and whether to come back", () => {
  const page = read("docs/errors.md");
  const missing = Object.entries(closeRules).filter(([name, rule]) => {
    const reason = rule.reason === "" ? "empty" : `\`${rule.reason}\``;
    return !page.includes(`| \`${name}\` | ${rule.code} | ${reason} | ${rule.comeBack ? "yes" : "no"} |`);
  });
  expect(missing.map(([name]) => name)).toEqual([]);
});

test("no documented kind or close rule is gone", () => {
  const named = [...read("docs/errors.md").matchAll(/^\| `([A-Za-z-]+)` \|/gm)].map((match) => match[1] ?? "");
  expect(named.filter((name) => !(name in errorRules) && !(name in closeRules))).toEqual([]);
});

test("every link between pages leads somewhere", () => {
  const dead = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map((match) => match[1] ?? "")
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page} → ${target}`),
  );
  expect(dead).toEqual([]);
});

test("every npm script a page names exists", () => {
  const unknown = pages.flatMap((page) =>
    [...read(page).matchAll(/\b(?:npm|pnpm) run ([a-z:-]+)/g)]
      .filter((match) => !((match[1] ?? "") in manifest.scripts))
      .map((match) => `${page}: ${match[0]}`),
  );
  expect(unknown).toEqual([]);
});

test("every source file a page names exists", () => {
  const gone = pages
    .filter((page) => !page.endsWith("CHANGELOG.md"))
    .flatMap((page) =>
      [...read(page).matchAll(/`((?:packages|scripts|test|docs|apps)\/[A-Za-z0-9_./-]+\.[a-z]+)`/g)]
        .map((match) => match[1] ?? "")
        .filter((path) => !path.includes("/dist/") && !existsSync(join(root, path)))
        .map((path) => `${page}: ${path}`),
    );
  expect(gone).toEqual([]);
});

test("decisions are numbered without gaps and named in the index", () => {
  const decisions = pages.filter((page) => /^docs\/decisions\/\d{4}-/.test(page));
  expect(decisions.map((page) => page.slice(15, 19))).toEqual(
    decisions.map((_, index) => String(index + 1).padStart(4, "0")),
  );
  const index = read("docs/decisions/README.md");
  expect(decisions.filter((page) => !index.includes(page.slice(15)))).toEqual([]);
});

test("pages name no machine", () => {
  const leaks = pages.filter((page) => /(^|[\s`"'(])\/(home|root|work|Users)\/[a-z]/m.test(read(page)));
  expect(leaks).toEqual([]);
});
