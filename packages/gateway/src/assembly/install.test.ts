import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findInstall, updateAdvice } from "./install.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "install-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const put = (path: string, text: string) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const manifest = (name: string, version = "1.2.3") => JSON.stringify({ name, version });
const find = (path: string, platform: NodeJS.Platform = "linux") => findInstall(join(folder, path), { platform });
const commit = "0123456789abcdef0123456789abcdef01234567";

test("a checkout is known by its .git folder, with the commit of its branch", () => {
  put("package.json", manifest("openclaw-gateway-workspace"));
  put("packages/gateway/package.json", manifest("@openclaw/gateway"));
  put(".git/HEAD", "ref: refs/heads/main\n");
  put(".git/refs/heads/main", `${commit}\n`);
  const found = find("packages/gateway");
  expect(found).toMatchObject({ kind: "git", root: folder, version: "1.2.3", commit });
  expect(found.command).toBe(`cd ${folder} && git pull --ff-only && npm ci && npm run build`);
});

test("packed references and a detached HEAD name the commit too; anything else is left out", () => {
  put("package.json", manifest("@openclaw/gateway"));
  put(".git/HEAD", "ref: refs/heads/main\n");
  put(".git/packed-refs", `# pack-refs\n${commit} refs/heads/main\n`);
  expect(find(".").commit).toBe(commit);
  put(".git/HEAD", commit);
  expect(find(".").commit).toBe(commit);
  put(".git/HEAD", "ref: ../../secret");
  expect(find(".")).not.toHaveProperty("commit");
});

test("a global package and a dependency are updated by different commands", () => {
  put("lib/node_modules/@openclaw/gateway/package.json", manifest("@openclaw/gateway"));
  put("lib/node_modules/@openclaw/gateway/dist/x", "");
  expect(find("lib/node_modules/@openclaw/gateway/dist")).toMatchObject({
    kind: "npm",
    command: "npm install -g @openclaw/gateway@latest",
  });
  put("app/node_modules/@openclaw/gateway/package.json", manifest("@openclaw/gateway"));
  expect(find("app/node_modules/@openclaw/gateway").command).toBe(
    `npm --prefix ${join(folder, "app")} install @openclaw/gateway@latest`,
  );
});

test("a package that was never published names no command", () => {
  put(
    "lib/node_modules/@openclaw/gateway/package.json",
    '{"name":"@openclaw/gateway","version":"1.2.3","private":true}',
  );
  const found = find("lib/node_modules/@openclaw/gateway");
  expect(found).toMatchObject({ kind: "npm", version: "1.2.3" });
  expect(updateAdvice(found, "1.2.3")).toContain("the way this one was");
});

test("anything else is unknown, and the advice says so", () => {
  put("package.json", manifest("something"));
  expect(find(".")).toEqual({ kind: "unknown" });
  expect(updateAdvice(find("."), "1.2.3")).toContain("cannot be told");
  put("plain/package.json", manifest("@openclaw/gateway"));
  expect(find("plain")).toMatchObject({ kind: "unknown", version: "1.2.3" });
});

test("program files newer than the running program are named first", () => {
  put("lib/node_modules/@openclaw/gateway/package.json", manifest("@openclaw/gateway", "2.0.0"));
  const found = find("lib/node_modules/@openclaw/gateway");
  expect(updateAdvice(found, "1.2.3")).toContain("Version 2.0.0 is on disk and 1.2.3 is running");
  expect(updateAdvice(found, "2.0.0")).toContain("npm install -g @openclaw/gateway@latest");
});
