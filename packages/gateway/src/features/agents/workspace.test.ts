import { EventEmitter } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { ChildProcess } from "node:child_process";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { silentLogger } from "../../kernel/log.ts";
import { shorten, Workspaces } from "./workspace.ts";
import { buildPrompt, type PromptInput } from "./prompt.ts";
import { parseIdentity } from "./identity.ts";
import { probeTool } from "./agents.fixture.ts";

const root = mkdtempSync(join(tmpdir(), "workspace-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const spawned: string[][] = [];
const world = fakeWorld({
  spawn: (command, args) => {
    spawned.push([command, ...args]);
    return Object.assign(new EventEmitter(), { kill: () => true }) as unknown as ChildProcess;
  },
});
const workspaces = () => new Workspaces(world, silentLogger);
const six = ["AGENTS.md", "HEARTBEAT.md", "IDENTITY.md", "SOUL.md", "TOOLS.md", "USER.md"];

test("a new workspace gets all files, BOOTSTRAP.md too, private, and becomes a repository", async () => {
  const directory = join(root, "new", "deep");
  await workspaces().create(directory, { skipBootstrap: false });
  expect(readdirSync(directory).sort()).toEqual(["AGENTS.md", "BOOTSTRAP.md", ...six.slice(1)]);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, "SOUL.md")).mode & 0o777).toBe(0o600);
  expect(spawned.at(-1)).toEqual(["git", "init", "--quiet"]);
});

test("a used workspace keeps what is there, gets what is missing, and no BOOTSTRAP.md", async () => {
  const directory = join(root, "used");
  mkdirSync(directory);
  writeFileSync(join(directory, "SOUL.md"), "mine");
  const before = spawned.length;
  expect(await workspaces().create(directory, { skipBootstrap: false })).not.toContain("SOUL.md");
  expect(readFileSync(join(directory, "SOUL.md"), "utf8")).toBe("mine");
  expect(readdirSync(directory).sort()).toEqual(six);
  expect(spawned).toHaveLength(before);
});

test("skipBootstrap makes the directory and nothing else; a workspace that cannot be made does not stop a run", async () => {
  const directory = join(root, "bare");
  await workspaces().ensure(directory, { skipBootstrap: true });
  expect(readdirSync(directory)).toEqual([]);
  writeFileSync(join(root, "file"), "");
  await expect(workspaces().ensure(join(root, "file", "below"), { skipBootstrap: false })).resolves.toBeUndefined();
});

test("files are read anew when they change, marked when missing, shortened when long", async () => {
  const directory = join(root, "read");
  mkdirSync(directory);
  const reader = workspaces();
  const read = async () =>
    Object.fromEntries(
      (await reader.read(directory, { maxCharsPerFile: 1_000, mode: "full" })).map((file) => [file.name, file]),
    );
  writeFileSync(join(directory, "SOUL.md"), "calm");
  writeFileSync(join(directory, "USER.md"), "a".repeat(3_000));
  let files = await read();
  expect(files["SOUL.md"]).toMatchObject({ text: "calm", missing: false });
  expect(files["AGENTS.md"]).toMatchObject({ missing: true, text: "" });
  expect(files["USER.md"]).toMatchObject({ truncated: true, rawChars: 3_000 });
  expect(files["MEMORY.md"]).toBeUndefined();
  writeFileSync(join(directory, "SOUL.md"), "louder");
  files = await read();
  expect(files["SOUL.md"]?.text).toBe("louder");
  expect((await reader.read(directory, { maxCharsPerFile: 1_000, mode: "minimal" })).map(({ name }) => name)).toEqual([
    "AGENTS.md",
    "TOOLS.md",
  ]);
});

test("a long text keeps its first 70 % and its last 20 %", () => {
  const { text, truncated } = shorten("a".repeat(700) + "b".repeat(9_000) + "c".repeat(200), 1_000);
  expect(truncated).toBe(true);
  expect(text).toMatch(/^a{700}\n\n\[… 9000 characters left out.*…\]\n\nc{200}$/s);
});

const input: PromptInput = {
  mode: "full",
  agentId: "main",
  workspace: "/w",
  tools: [probeTool("look")],
  owners: ["+1"],
  timeZone: "UTC",
  aliases: [{ alias: "fast", ref: "mock/two" }],
  files: [
    { name: "SOUL.md", path: "/w/SOUL.md", missing: false, rawChars: 4, text: "calm", truncated: false },
    { name: "USER.md", path: "/w/USER.md", missing: true, rawChars: 0, text: "", truncated: false },
    { name: "TOOLS.md", path: "/w/TOOLS.md", missing: false, rawChars: 0, text: "", truncated: false },
  ],
  skills: [{ name: "weather", description: "Tells the weather.", path: "/s/SKILL.md" }],
  model: "mock/one",
  defaultModel: "mock/one",
  thinking: "low",
  reasoning: "off",
  host: { name: "box", platform: "linux", arch: "x64", node: "v24" },
};

test("the prompt is the same for the same input and reports its parts", () => {
  const { text, report } = buildPrompt(input);
  expect(buildPrompt(structuredClone({ ...input, tools: [] })).text).toBe(buildPrompt({ ...input, tools: [] }).text);
  expect(report.chars).toBe(text.length);
  expect(text).toContain("- look: Test tool look.");
  expect(text).toContain("### SOUL.md\ncalm");
  expect(text).toContain("Take on the persona");
  expect(text).toContain("(missing; expected at /w/USER.md)");
  expect(text).not.toContain("### TOOLS.md");
  expect(text).toContain("- weather: Tells the weather. (/s/SKILL.md)");
  expect(text.endsWith("reasoning=off")).toBe(true);
});

test("minimal leaves out what is not for sub-agents; none is one line", () => {
  const { report } = buildPrompt({ ...input, mode: "minimal" });
  const names = report.sections.map(({ name }) => name);
  expect(names).not.toEqual(expect.arrayContaining(["messaging"]));
  for (const gone of ["skills", "memory", "aliases", "user", "messaging", "silence", "heartbeat"])
    expect(names).not.toContain(gone);
  expect(buildPrompt({ ...input, mode: "none" }).text).not.toContain("\n");
});

test("identity lines are read, placeholders are not", () => {
  expect(
    parseIdentity("# Identity\n- **Name:** Ada\n- Emoji: 🦊\n- Vibe: calm\nAvatar: (none yet)\nconstructor: x"),
  ).toEqual({ name: "Ada", emoji: "🦊" });
});
