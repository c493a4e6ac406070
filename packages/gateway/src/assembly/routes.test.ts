/** Avatars of agents (http.md §13.7, cases U15, U17, U18) and where the built app is found. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openGateway, type TestGateway } from "../../../../test/support/gateway.ts";
import { builtControlUi } from "./routes.ts";

let folder: string;
let gateway: TestGateway | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "openclaw-routes-"));
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");

async function avatarOf(avatar: string): Promise<{ url: unknown; status: number; type: string | null }> {
  mkdirSync(join(folder, "workspace"), { recursive: true });
  const list = [{ id: "main", workspace: join(folder, "workspace"), identity: { name: "Ada", avatar } }];
  mkdirSync(join(folder, "ui"), { recursive: true });
  writeFileSync(join(folder, "ui/index.html"), "<html></html>");
  const controlUi = { root: join(folder, "ui") };
  gateway = await openGateway({ config: { agents: { list }, gateway: { controlUi } } });
  const meta = await fetch(`${gateway.httpUrl}/avatar/main?meta=1`);
  const file = await fetch(`${gateway.httpUrl}/avatar/main`);
  const { avatarUrl } = (await meta.json()) as { avatarUrl: unknown };
  return { url: avatarUrl, status: file.status, type: file.headers.get("content-type") };
}

test("a picture of the workspace is served", async () => {
  mkdirSync(join(folder, "workspace"), { recursive: true });
  writeFileSync(join(folder, "workspace/ada.png"), png);
  expect(await avatarOf("ada.png")).toEqual({ url: "/avatar/main", status: 200, type: "image/png" });
});

test("an address is told, never fetched", async () => {
  expect(await avatarOf("https://pictures.example/a.png")).toMatchObject({
    url: "https://pictures.example/a.png",
    status: 404,
  });
});

test("a file outside of the workspace, by path or by link, is none", async () => {
  mkdirSync(join(folder, "workspace"), { recursive: true });
  writeFileSync(join(folder, "outside.png"), png);
  symlinkSync(join(folder, "outside.png"), join(folder, "workspace/link.png"));
  expect(await avatarOf("link.png")).toMatchObject({ url: null, status: 404 });
});

test("a file that is not the picture its name says is none", async () => {
  mkdirSync(join(folder, "workspace"), { recursive: true });
  writeFileSync(join(folder, "workspace/notes.png"), "not a picture");
  expect(await avatarOf("notes.png")).toMatchObject({ url: null, status: 404 });
});

test("the built app is found beside the chunks and from the sources, and nowhere else", () => {
  expect(builtControlUi(folder)).toBeUndefined();
  mkdirSync(join(folder, "dist/ui"), { recursive: true });
  writeFileSync(join(folder, "dist/ui/index.html"), "");
  expect(builtControlUi(join(folder, "dist/chunks"))).toBe(join(folder, "dist/ui"));
  expect(builtControlUi(join(folder, "src/assembly"))).toBe(join(folder, "dist/ui"));
});
