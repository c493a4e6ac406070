import { expect, test } from "vitest";
import { roomOf } from "./rooms.ts";
import { dotted, isNode, lineOf, shipped, walk, type Source } from "./sources.ts";

/** Files that touch the outside themselves, what they touch, and why. Each entry must still be needed. */
const allowed: readonly { path: string; what: readonly string[]; reason: string }[] = [
  {
    path: "packages/gateway/src/kernel/world.ts",
    what: ["*"],
    reason: "it is the one place where the outside comes in",
  },
  {
    path: "packages/gateway/src/cli/io.ts",
    what: ["*"],
    reason: "the World of one-shot commands: the real one loads the process spawner, which costs more than the rest",
  },
];

const globals = new Set(
  (
    "Date.now performance.now Math.random setTimeout setInterval AbortSignal.timeout fetch process.env process.hrtime " +
    "process.cwd process.pid process.platform crypto.randomUUID crypto.getRandomValues"
  ).split(" "),
);

const imported: Record<string, readonly string[] | "all"> = {
  "node:child_process": "all",
  "node:timers": "all",
  "node:timers/promises": "all",
  "node:crypto": ["randomBytes", "randomUUID", "randomInt", "getRandomValues", "webcrypto"],
  "node:os": ["homedir", "hostname", "tmpdir", "userInfo", "platform", "arch"],
  "node:process": "all",
};

interface Touch {
  what: string;
  line: number;
}

function touches(source: Source): Touch[] {
  const found: Touch[] = [];
  const add = (what: string, offset: number) => found.push({ what, line: lineOf(source.text, offset) });
  walk(source.ast, (node) => {
    if (node.type === "MemberExpression") {
      const name = dotted(node)?.replace(/^globalThis\./, "");
      if (name && globals.has(name)) add(name, node.start);
    } else if (node.type === "CallExpression") {
      const name = isNode(node.callee) && node.callee.type === "Identifier" ? String(node.callee.name) : undefined;
      if (name && globals.has(name)) add(name, node.start);
    } else if (node.type === "NewExpression") {
      if (dotted(node.callee) === "Date" && (node.arguments as unknown[]).length === 0) add("new Date()", node.start);
    } else if (node.type === "ImportDeclaration" && node.importKind !== "type" && isNode(node.source)) {
      const module = String(node.source.value);
      const names = imported[module];
      for (const specifier of names
        ? (node.specifiers as { importKind?: string; imported?: { name: string }; start: number }[])
        : []) {
        const name = specifier.imported?.name;
        if (specifier.importKind !== "type" && (names === "all" || name === undefined || names?.includes(name)))
          add(name ? `${module} ${name}` : module, specifier.start);
      }
    }
  });
  return found;
}

const gateway = () =>
  shipped().filter((source) => source.path.startsWith("packages/gateway/") && roomOf(source.path) !== undefined);
const covers = (path: string, what: string) =>
  allowed.some((entry) => entry.path === path && (entry.what.includes("*") || entry.what.includes(what)));

test("clock, chance, environment, processes and network come in through the World only", () => {
  const strays = gateway().flatMap((source) =>
    touches(source)
      .filter(({ what }) => !covers(source.path, what))
      .map(({ what, line }) => `${source.path}:${line} ${what}`),
  );
  expect(strays).toEqual([]);
});

test("every permission to touch the outside is still needed", () => {
  const stale = allowed.flatMap(({ path, what }) => {
    const source = gateway().find((candidate) => candidate.path === path);
    const used = new Set(source ? touches(source).map((touch) => touch.what) : []);
    if (what.includes("*")) return used.size > 0 ? [] : [path];
    return what.filter((name) => !used.has(name)).map((name) => `${path} ${name}`);
  });
  expect(stale).toEqual([]);
});

test("the protocol's main entry and the client need no Node", () => {
  const nodeOnly = /(^|\/)node(-|\.|\/)/;
  const strays = shipped()
    .filter((source) => /^packages\/(protocol|client)\//.test(source.path) && !nodeOnly.test(source.path))
    .flatMap((source) =>
      source.imports
        .filter((entry) => entry.specifier.startsWith("node:") && !entry.typeOnly)
        .map((entry) => `${source.path}:${entry.line} ${entry.specifier}`),
    );
  expect(strays).toEqual([]);
});
