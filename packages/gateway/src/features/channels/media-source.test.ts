/** What may leave as a file, and what may not (agent.md §13.2, §13.7, §15). */
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { MediaSource, type TakeOptions } from "./media-source.ts";

let dir: string;
let workspace: string;
let media: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "media-source-"));
  workspace = join(dir, "workspace");
  media = join(dir, "media");
  mkdirSync(join(workspace, "out"), { recursive: true });
  writeFileSync(join(workspace, "out", "a b.txt"), "hello");
  writeFileSync(join(dir, "secret.txt"), "secret");
});
afterEach(() => rmSync(dir, { recursive: true }));

const source = (
  fetchFile: ConstructorParameters<typeof MediaSource>[0]["fetchFile"] = () => Promise.reject(new Error("no")),
) => new MediaSource({ world: fakeWorld(), mediaDir: media, fetchFile });
const take = (given: string, more: Partial<TakeOptions> = {}) =>
  source().take(given, {
    maxBytes: 100,
    signal: new AbortController().signal,
    roots: [workspace, media],
    base: workspace,
    ...more,
  });
const outbound = (): string[] => {
  try {
    return readdirSync(join(media, "outbound"));
  } catch {
    // No folder: nothing was taken.
    return [];
  }
};

test.each([["out/a b.txt"], ["./out/a b.txt"], ["out/../out/a b.txt"]])(
  "%s is copied into the media store",
  async (given) => {
    const file = await take(given);
    expect(file).toMatchObject({ mimeType: "text/plain", fileName: "a b.txt" });
    expect(readFileSync(file.path, "utf8")).toBe("hello");
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    expect(statSync(join(media, "outbound")).mode & 0o777).toBe(0o700);
  },
);

test("a file URL is a path, spelled as URLs are", async () => {
  const file = await take(`file://${workspace}/out/a%20b.txt`);
  expect(readFileSync(file.path, "utf8")).toBe("hello");
});

test.each([
  ["a path that leads out", () => "../secret.txt", "outside the directories"],
  ["an absolute path elsewhere", () => join(dir, "secret.txt"), "outside the directories"],
  ["a directory beside with the same beginning", () => "../workspace-2/x", "no file"],
  ["a directory", () => "out", "not a regular file"],
  ["nothing", () => "out/nothing", "no file"],
  ["a NUL", () => "out/a\0.txt", "NUL"],
  ["a URL no URL can be", () => "file:///%", "not a valid"],
])("%s is refused, and nothing is kept", async (_what, given, reason) => {
  mkdirSync(join(dir, "workspace-2"));
  await expect(take(given())).rejects.toMatchObject({ kind: "invalid", message: expect.stringContaining(reason) });
  expect(outbound()).toEqual([]);
});

test("a link inside that leads out is refused, for a file as for a directory", async () => {
  symlinkSync(join(dir, "secret.txt"), join(workspace, "link.txt"));
  symlinkSync(dir, join(workspace, "up"));
  for (const given of ["link.txt", "up/secret.txt"])
    await expect(take(given)).rejects.toThrow(/outside the directories/u);
});

test("a pipe is refused at once", async () => {
  execFileSync("mkfifo", [join(workspace, "pipe")]);
  await expect(take("pipe")).rejects.toThrow(/not a regular file/u);
});

test("a file beyond the limit is refused, also one that grows while it is read", async () => {
  writeFileSync(join(workspace, "big"), "x".repeat(101));
  await expect(take("big")).rejects.toThrow(/limit of the channel/u);
  // Its size says nothing.
  await expect(take("/proc/self/status", { roots: undefined })).rejects.toThrow(/limit of the channel/u);
});

test("the owner of the machine may send any file", async () => {
  expect(readFileSync((await take("../secret.txt", { roots: undefined })).path, "utf8")).toBe("secret");
});

test("what cannot be fetched is said without leaving anything", async () => {
  const options = { maxBytes: 1, signal: new AbortController().signal, roots: [], base: "/" };
  await expect(source().take("https://x.test/a", options)).rejects.toMatchObject({ kind: "invalid" });
  expect(outbound()).toEqual([]);
});

test("a file that is handed over by its content is kept like any other, with its type judged by what is in it", async () => {
  const png = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(16)]);
  const given = { base64: png.toString("base64"), fileName: "a.txt", contentType: "text/plain" };
  const file = await source().keep(given, { maxBytes: 100 });
  expect(file).toMatchObject({ mimeType: "image/png", fileName: "a.txt" });
  expect(readFileSync(file.path)).toEqual(png);
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
});

test.each([
  ["no base64", "not base64!", /is not base64/],
  ["nothing", "", /is not base64/],
  ["more than the channel takes", Buffer.alloc(200).toString("base64"), /larger than the limit/],
])("content that is %s is refused, and nothing is kept", async (_name, base64, problem) => {
  const given = { base64, fileName: undefined, contentType: undefined };
  await expect(source().keep(given, { maxBytes: 100 })).rejects.toThrow(problem);
  expect(outbound()).toEqual([]);
});
