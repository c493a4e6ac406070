import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLogger } from "../../kernel/log.ts";
import { coreTools } from "./core-tools.ts";
import { Processes } from "./processes.ts";
import type { ToolContext } from "./tool.ts";
import { Tools } from "./tools.ts";
import { named, realWorld, temporaryDirectory, textOf, toolContext, toolsConfig } from "./tools.fixture.ts";

let outer: ReturnType<typeof temporaryDirectory>;
let workspace: string;
const at = (path: string) => join(workspace, path);

beforeEach(() => {
  outer = temporaryDirectory();
  workspace = join(outer.path, "workspace");
  mkdirSync(workspace);
});
afterEach(() => outer.remove());

function kit(workspaceOnly = false) {
  const world = realWorld();
  const config = toolsConfig((tools) => void (tools.fs.workspaceOnly = workspaceOnly));
  const processes = new Processes({ world, log: silentLogger, config });
  const tools = new Tools({ log: silentLogger, config, tools: coreTools({ world, config, processes }) });
  let runs = 0;
  return (name: string, args: Record<string, unknown>, context: Partial<ToolContext> = {}) =>
    tools.call(named(tools.all(), name), args, toolContext(workspace, { runId: `run-${++runs}`, ...context }));
}

const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");

describe("read", () => {
  test("returns text of a path relative to the workspace, and takes file_path for path", async () => {
    writeFileSync(at("a.txt"), "one\ntwo\n");
    const call = kit();
    expect(textOf(await call("read", { path: "a.txt" }))).toBe("one\ntwo\n");
    expect(textOf(await call("read", { file_path: at("a.txt") }))).toBe("one\ntwo\n");
    expect(textOf(await call("read", { path: "a.txt", offset: "2", limit: 1 }))).toBe("two\n");
  });

  test("shows 2000 lines and says how to go on", async () => {
    writeFileSync(at("long"), Array.from({ length: 4500 }, (_, i) => `${i + 1}\n`).join(""));
    const call = kit();
    const first = textOf(await call("read", { path: "long" }));
    expect(first.endsWith("2000\n\n\n[Lines 1-2000 are shown; the file goes on. Use offset=2001 to continue.]")).toBe(
      true,
    );
    const last = textOf(await call("read", { path: "long", offset: 4001 }));
    expect(last.startsWith("4001\n")).toBe(true);
    expect(last.endsWith("4500\n")).toBe(true);
    expect(textOf(await call("read", { path: "long", offset: 4500 }))).toBe("4500\n");
    expect(textOf(await call("read", { path: "long", offset: 4501 }))).toContain(
      "has 4500 lines; offset 4501 is past its end",
    );
  });

  test("exactly 2000 lines have no hint, and a last line without line end counts", async () => {
    writeFileSync(at("exact"), "x\n".repeat(2000));
    writeFileSync(at("open"), `${"x\n".repeat(2)}end`);
    const call = kit();
    expect(textOf(await call("read", { path: "exact" }))).not.toContain("[Lines");
    expect(textOf(await call("read", { path: "open", offset: 3 }))).toBe("end");
    expect(textOf(await call("read", { path: "open", offset: 4 }))).toContain("has 3 lines");
  });

  test("stops at 50 KB on a line's end, and cuts one line that is longer", async () => {
    writeFileSync(at("wide"), `${"x".repeat(999)}\n`.repeat(100));
    writeFileSync(at("one"), "y".repeat(200_000));
    const call = kit();
    const wide = textOf(await call("read", { path: "wide" }));
    expect(wide).toContain("[Lines 1-51 are shown; the file goes on. Use offset=52 to continue.]");
    const one = textOf(await call("read", { path: "one" }));
    expect(one).toContain("[Line 1 is longer than 50 KB and was cut.");
    expect(one.indexOf("\n")).toBe(50 * 1024);
  });

  test("reads the end of a huge file without holding it", async () => {
    writeFileSync(at("huge"), "first\n");
    truncateSync(at("huge"), 6);
    execFileSync("sh", [
      "-c",
      `yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | head -n 1000000 >> ${at("huge")}; echo last >> ${at("huge")}`,
    ]);
    const before = process.memoryUsage().arrayBuffers;
    expect(textOf(await kit()("read", { path: "huge", offset: 1_000_002 }))).toBe("last\n");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  test("an empty file is empty text", async () => {
    writeFileSync(at("empty"), "");
    expect(textOf(await kit()("read", { path: "empty" }))).toBe("");
  });

  test("gives images by their bytes, whatever their name, and refuses too large ones", async () => {
    writeFileSync(at("picture.txt"), png);
    writeFileSync(at("big.png"), png);
    truncateSync(at("big.png"), 4_000_000);
    writeFileSync(at("fake.png"), "no image");
    const call = kit();
    expect((await call("read", { path: "picture.txt" })).content[1]).toEqual({
      type: "image",
      mimeType: "image/png",
      data: png.toString("base64"),
    });
    expect(textOf(await call("read", { path: "big.png" }))).toContain("at most 3750000");
    expect(textOf(await call("read", { path: "fake.png" }))).toBe("no image");
  });

  test("refuses binary files, directories, pipes, missing files and NUL with a clear text", async () => {
    writeFileSync(at("bin"), Buffer.from([1, 2, 0, 3]));
    execFileSync("mkfifo", [at("pipe")]);
    const call = kit();
    expect(textOf(await call("read", { path: "bin" }))).toContain("is a binary file of 4 bytes");
    expect(textOf(await call("read", { path: "." }))).toContain("is a directory");
    expect(textOf(await call("read", { path: "pipe" }))).toContain("is not a regular file");
    expect(textOf(await call("read", { path: "none" }))).toContain("does not exist");
    expect(textOf(await call("read", { path: "a\0b" }))).toContain("NUL");
  });
});

describe("write", () => {
  test("makes parents, counts bytes and replaces a file keeping its mode, leaving nothing else behind", async () => {
    const call = kit();
    expect(textOf(await call("write", { path: "a/b/c.sh", content: "é" }))).toContain("Wrote 2 bytes");
    chmodSync(at("a/b/c.sh"), 0o750);
    await call("write", { path: "a/b/c.sh", content: "new" });
    expect(readFileSync(at("a/b/c.sh"), "utf8")).toBe("new");
    expect(statSync(at("a/b/c.sh")).mode & 0o777).toBe(0o750);
    expect(readdirSync(at("a/b"))).toEqual(["c.sh"]);
  });

  test("follows a link to its target and refuses one that leads nowhere, directories and files as parents", async () => {
    writeFileSync(at("target"), "old");
    symlinkSync("target", at("link"));
    symlinkSync("nowhere", at("broken"));
    mkdirSync(at("dir"));
    const call = kit();
    await call("write", { path: "link", content: "new" });
    expect(readFileSync(at("target"), "utf8")).toBe("new");
    expect(textOf(await call("write", { path: "broken", content: "x" }))).toContain("does not exist");
    expect(textOf(await call("write", { path: "dir", content: "x" }))).toContain("not a regular file");
    expect((await call("write", { path: "target/x", content: "x" })).isError).toBe(true);
  });

  test("an aborted run writes nothing", async () => {
    const result = await kit()("write", { path: "x", content: "x" }, { signal: AbortSignal.abort() });
    expect(result.isError).toBe(true);
    expect(existsSync(at("x"))).toBe(false);
  });
});

describe("edit", () => {
  test("replaces the one exact place and returns the diff", async () => {
    writeFileSync(at("f"), "a\nb\nc\nd\ne\nf\ng\nh\n");
    const result = await kit()("edit", { path: "f", old_string: "e", new_string: "E\nE2" });
    expect(readFileSync(at("f"), "utf8")).toBe("a\nb\nc\nd\nE\nE2\nf\ng\nh\n");
    expect(result.details).toEqual({
      path: at("f"),
      firstChangedLine: 5,
      diff: "@@ -2,7 +2,8 @@\n b\n c\n d\n-e\n+E\n+E2\n f\n g\n h",
    });
  });

  test.each([
    ["a\nb\nc\n", "b\n", "", "@@ -1,3 +1,2 @@\n a\n-b\n c"],
    ["a\nb\nc\n", "b", "x", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c"],
    ["\na", "\na", "b", "@@ -1,2 +1,1 @@\n-\n-a\n+b"],
    ["a", "a", "b", "@@ -1,1 +1,1 @@\n-a\n+b"],
    ["one two\nrest", "two\n", "2 ", "@@ -1,2 +1,1 @@\n-one two\n-rest\n+one 2 rest"],
  ])("the diff of %j with %j replaced by %j is right", async (before, oldText, newText, diff) => {
    writeFileSync(at("f"), before);
    const result = await kit()("edit", { path: "f", oldText, newText });
    expect((result.details as { diff: string }).diff).toBe(diff);
  });

  test("changes nothing when the text is missing, not unique, overlapping or the same", async () => {
    writeFileSync(at("f"), "aaa b b");
    const call = kit();
    expect(textOf(await call("edit", { path: "f", oldText: "z", newText: "y" }))).toContain("was not found");
    expect(textOf(await call("edit", { path: "f", oldText: "b", newText: "y" }))).toContain("occurs 2 times");
    expect(textOf(await call("edit", { path: "f", oldText: "aa", newText: "y" }))).toContain("occurs 2 times");
    expect(textOf(await call("edit", { path: "f", oldText: "aaa", newText: "aaa" }))).toContain("are the same");
    expect(textOf(await call("edit", { path: "f", oldText: "", newText: "y" }))).toContain("must not be empty");
    expect(textOf(await call("edit", { path: "none", oldText: "a", newText: "y" }))).toContain("does not exist");
    expect(readFileSync(at("f"), "utf8")).toBe("aaa b b");
  });

  test("keeps a byte order mark and Windows line ends, and inserts $& as it stands", async () => {
    writeFileSync(at("f"), "\uFEFFa\r\nb\r\nc\r\n");
    const call = kit();
    await call("edit", { path: "f", oldText: "a\nb", newText: "x\n$&" });
    expect(readFileSync(at("f"), "utf8")).toBe("\uFEFFx\r\n$&\r\nc\r\n");
  });

  test("refuses files that are not UTF-8 text", async () => {
    writeFileSync(at("f"), Buffer.from([0x61, 0xff, 0x62]));
    expect(textOf(await kit()("edit", { path: "f", oldText: "a", newText: "b" }))).toContain("not UTF-8");
  });

  test("parallel edits of one file all take effect", async () => {
    writeFileSync(at("f"), Array.from({ length: 20 }, (_, i) => `<${i}>`).join(""));
    const call = kit();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => call("edit", { path: "f", oldText: `<${i}>`, newText: `(${i})` })),
    );
    expect(readFileSync(at("f"), "utf8")).toBe(Array.from({ length: 20 }, (_, i) => `(${i})`).join(""));
  });
});

describe("confinement to the workspace", () => {
  const secret = () => join(outer.path, "secret");
  beforeEach(() => {
    writeFileSync(secret(), "secret");
    mkdirSync(join(outer.path, "workspace-other"));
    writeFileSync(join(outer.path, "workspace-other/secret"), "secret");
    symlinkSync(secret(), at("link"));
    symlinkSync(outer.path, at("dirlink"));
    symlinkSync("link", at("chain"));
    symlinkSync("../missing", at("dangling"));
    mkdirSync(at("sub"));
  });
  const escapes = () => [
    secret(),
    "../secret",
    "sub/../../secret",
    "./../secret",
    "link",
    "dirlink/secret",
    "chain",
    "dirlink/workspace/../secret",
    "../workspace-other/secret",
    "/etc/passwd",
    "~/x",
    "sub/../../workspace-other/secret",
    "/proc/self/environ",
    "/proc/self/cwd/package.json",
  ];

  test.each(["option", "sender"])("no path leads out, when confined by %s", async (by) => {
    const call = kit(by === "option");
    const context = { owner: by === "option" };
    for (const path of escapes()) {
      const read = await call("read", { path }, context);
      expect(read.isError, path).toBe(true);
      expect(textOf(read), path).not.toMatch(/^secret/u);
      expect((await call("write", { path, content: "changed" }, context)).isError, path).toBe(true);
      expect((await call("edit", { path, oldText: "secret", newText: "changed" }, context)).isError, path).toBe(true);
    }
    for (const path of ["../new", "dirlink/new", "dangling", join(outer.path, "new"), "dirlink/a/b/new"]) {
      expect((await call("write", { path, content: "x" }, context)).isError, path).toBe(true);
    }
    expect(readFileSync(secret(), "utf8")).toBe("secret");
    expect(readdirSync(outer.path).sort()).toEqual(["secret", "workspace", "workspace-other"]);
  });

  test("what is inside stays reachable, through inner links too", async () => {
    writeFileSync(at("sub/in"), "inside");
    symlinkSync("sub", at("inner"));
    linkSync(at("sub/in"), at("hard"));
    const call = kit(true);
    expect(textOf(await call("read", { path: "inner/in" }))).toBe("inside");
    expect((await call("write", { path: "inner/new/deep", content: "x" })).isError).toBeUndefined();
    expect(existsSync(at("sub/new/deep"))).toBe(true);
  });

  test("without it an owner's run reads what the person can", async () => {
    expect(textOf(await kit()("read", { path: "../secret" }))).toBe("secret");
  });
});
