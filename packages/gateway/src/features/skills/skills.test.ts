import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { createLogger } from "../../kernel/log.ts";
import { parseFrontMatter } from "./front-matter.ts";
import { skillsMethods } from "./skills.methods.ts";
import { Skills } from "./skills.ts";
import type { SkillsConfig } from "./skills.config.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "openclaw-skills-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

function write(path: string, text: string): string {
  const file = join(root, path, "SKILL.md");
  mkdirSync(join(root, path), { recursive: true });
  writeFileSync(file, text);
  return file;
}
const skill = (name: string, metadata?: object) =>
  `---\nname: ${name}\ndescription: Does ${name}.\n${metadata ? `metadata: ${JSON.stringify({ openclaw: metadata })}\n` : ""}---\nText\n`;

function kit(change: Partial<SkillsConfig> = {}) {
  mkdirSync(join(root, "bin"), { recursive: true });
  writeFileSync(join(root, "bin/tool"), "#!/bin/sh\n");
  chmodSync(join(root, "bin/tool"), 0o755);
  const world = fakeWorld({ env: { PATH: join(root, "bin"), HAVE: "1" } });
  const warnings: string[] = [];
  const log = createLogger({ subsystem: "skills", sinks: [(line) => void warnings.push(line.message)], now: () => 0 });
  const skillsConfig: SkillsConfig = {
    load: { extraDirs: [join(root, "extra")], watch: true, watchDebounceMs: 250 },
    install: { preferBrew: true, nodeManager: "npm" },
    entries: {},
    ...change,
  };
  const config = { current: { skills: skillsConfig, gateway: { on: true } } };
  const skills = new Skills({
    world,
    log,
    config,
    managedDir: join(root, "state/skills"),
    workspaceOf: (id) => (id === undefined || id === "main" ? join(root, "workspace") : undefined),
    agentIds: () => ["main"],
  });
  return { skills, world, warnings, config };
}

describe("skills", () => {
  test("skills.status answers the documented shape", () => {
    const filePath = write(
      "workspace/skills/one",
      skill("one", {
        emoji: "x",
        homepage: "https://h",
        primaryEnv: "KEY",
        requires: { bins: ["tool", "nope"], env: ["KEY"], config: ["gateway.on", "gateway.off"] },
        install: [{ id: "b", kind: "brew", label: "Brew", bins: ["nope"] }],
      }),
    );
    const { skills } = kit();
    expect(skillsMethods(skills)["skills.status"]({})).toEqual({
      workspaceDir: join(root, "workspace"),
      managedSkillsDir: join(root, "state/skills"),
      skills: [
        {
          name: "one",
          description: "Does one.",
          source: "openclaw-workspace",
          bundled: false,
          filePath,
          baseDir: join(root, "workspace/skills/one"),
          skillKey: "one",
          primaryEnv: "KEY",
          emoji: "x",
          homepage: "https://h",
          always: false,
          disabled: false,
          blockedByAllowlist: false,
          eligible: false,
          requirements: {
            bins: ["tool", "nope"],
            anyBins: [],
            env: ["KEY"],
            config: ["gateway.on", "gateway.off"],
            os: [],
          },
          missing: { bins: ["nope"], anyBins: [], env: ["KEY"], config: ["gateway.off"], os: [] },
          configChecks: [
            { path: "gateway.on", satisfied: true },
            { path: "gateway.off", satisfied: false },
          ],
          install: [{ id: "b", kind: "brew", label: "Brew", bins: ["nope"] }],
        },
      ],
    });
    expect(() => skillsMethods(skills)["skills.status"]({ agentId: "X" })).toThrow('unknown agent id "X"');
    expect(skillsMethods(skills)["skills.bins"]()).toEqual({ bins: ["nope", "tool"] });
  });

  test("of two with one name the workspace wins, then managed, then extra directories", () => {
    write("extra/a", skill("a"));
    write("state/skills/a", skill("a"));
    write("extra/b", skill("b"));
    expect(
      kit()
        .skills.list()
        .map((one) => [one.name, one.source]),
    ).toEqual([
      ["a", "openclaw-managed"],
      ["b", "openclaw-extra"],
    ]);
    write("workspace/skills/a", skill("a"));
    expect(kit().skills.list()[0]?.source).toBe("openclaw-workspace");
  });

  test("only eligible skills reach the prompt, in a stable order", () => {
    write(
      "workspace/skills/ok",
      skill("ok", { requires: { bins: ["tool"], anyBins: ["nope", "tool"], env: ["HAVE"] } }),
    );
    write("workspace/skills/bin", skill("bin", { requires: { anyBins: ["nope"] } }));
    write("workspace/skills/os", skill("os", { os: ["darwin"], always: true }));
    write("workspace/skills/always", skill("always", { always: true, requires: { bins: ["nope"] } }));
    write("workspace/skills/off", skill("off"));
    write("workspace/skills/keyed", skill("keyed", { primaryEnv: "K", requires: { env: ["K"] } }));
    const { skills } = kit({ entries: { off: { enabled: false }, keyed: { apiKey: "secret" } } });
    expect(skills.promptList("main").map((one) => one.name)).toEqual(["always", "keyed", "ok"]);
    expect(JSON.stringify(skills.list())).not.toContain("secret");
  });

  test("a changed file is seen after the debounce, an unchanged one is not read again", async () => {
    const file = write("workspace/skills/one", skill("one"));
    const { skills, world } = kit();
    expect(skills.list()[0]?.description).toBe("Does one.");
    writeFileSync(file, skill("one").replace("Does one.", "Changed."));
    utimesSync(file, 1, 1);
    expect(skills.list()[0]?.description).toBe("Does one.");
    await world.clock.advance(300);
    expect(skills.list()[0]?.description).toBe("Changed.");
  });

  test("a broken file is left out with one warning; links that leave the directory are left out", async () => {
    write("workspace/skills/bad", "no front matter");
    write("elsewhere", skill("elsewhere"));
    symlinkSync(join(root, "elsewhere"), join(root, "workspace/skills/link"));
    mkdirSync(join(root, "workspace/skills/file"));
    symlinkSync("/etc/passwd", join(root, "workspace/skills/file/SKILL.md"));
    const { skills, warnings, world } = kit();
    expect(skills.list()).toEqual([]);
    await world.clock.advance(300);
    skills.list();
    expect(warnings).toEqual(["skill bad is not used: SKILL.md has no front matter between --- lines"]);
  });
});

describe("front matter", () => {
  test.each<[string, unknown]>([
    [
      "a: 1\nb: 'it''s'\nc: \"x\\n\"\nd: true\ne: ~\nf: plain # note",
      { a: 1, b: "it's", c: "x\n", d: true, e: null, f: "plain" },
    ],
    ["a: >-\n  one\n  two\nb: |\n  one\n  two", { a: "one two", b: "one\ntwo" }],
    ["a:\n  b:\n    - x\n    - y\n  c: z", { a: { b: ["x", "y"], c: "z" } }],
    ["a:\n- x\n- y\nb: 1", { a: ["x", "y"], b: 1 }],
    ['a: {"b": [1, 2,],}\nc: [x, y]', { a: { b: [1, 2] }, c: ["x", "y"] }],
    ['a:\n  {\n    "b": ", }",\n  }\nc: d', { a: { b: ", }" }, c: "d" }],
    ["a: goes on\n  here\nb: https://x.y/z", { a: "goes on here", b: "https://x.y/z" }],
    ["# note\n\na: b", { a: "b" }],
  ])("%j", (text, expected) => {
    expect(parseFrontMatter(`---\n${text}\n---\nbody`)).toEqual(expected);
  });
  test.each(["a: {b", "  - x\n y", "a: b\n   c\n d: e\nnonsense", "- a"])("refuses %j", (text) => {
    expect(() => parseFrontMatter(`---\n${text}\n---\n`)).toThrow("front matter");
  });
  test("a file without it has none, and deep nesting ends", () => {
    expect(parseFrontMatter("# Title")).toBeUndefined();
    const deep = Array.from({ length: 40 }, (_, i) => `${" ".repeat(i)}a:`).join("\n");
    expect(() => parseFrontMatter(`---\n${deep}\n---\n`)).toThrow("nested too deeply");
  });
});
