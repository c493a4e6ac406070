/** The operator's runbook covers the user's runbook section by section, and no page shows a command the program refuses. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commands } from "../../packages/gateway/src/cli/commands.ts";
import { parse } from "../../packages/gateway/src/cli/parse.ts";
import { root } from "./sources.ts";

const read = (path: string): string => readFileSync(join(root, path), "utf8");

test("the runbook has the sections of the user's runbook, in its order", () => {
  const headings = [...read("docs/guides/operators-runbook.md").matchAll(/^## (.+)$/gmu)].map(
    (match) => match[1] ?? "",
  );
  expect(headings).toEqual([
    "What it is",
    "How to run it",
    "Remote access",
    "Multiple gateways on one host",
    "Protocol",
    "Methods",
    "Events",
    "WebChat integration",
    "Typing and validation",
    "Connection snapshot",
    "Error codes",
    "Keepalive behavior",
    "Replay and gaps",
    "Supervision with launchd",
    "Managing the service",
    "Supervision with systemd",
    "Windows",
    "Operational checks",
    "Safety guarantees",
    "CLI helpers",
    "Migration guidance",
  ]);
});

/** Words of a shell line up to a comment, pipe or redirection, quotes taken off. */
function words(line: string): string[] {
  const found: string[] = [];
  for (const [word, double, single] of line.matchAll(/"([^"]*)"|'([^']*)'|\S+/gu)) {
    if (/^(#|\||>|2>|<<|&&|;)/u.test(word)) break;
    found.push(double ?? single ?? word.replace(/[;)]+$/u, ""));
  }
  return found;
}

/** The command behind variables and `sudo`, without the flags that stand before it; undefined when the line is another program. */
function invocation(line: string): string[] | undefined {
  const [program, ...rest] = words(line.trim().replace(/^\$ /u, "")).filter((word, i, all) => {
    const leading = all.slice(0, i + 1).every((each) => /^([A-Z_]+=.*|sudo)$/u.test(each));
    return !leading;
  });
  if (program !== "openclaw") return undefined;
  while (rest[0] === "--dev" || rest[0] === "--profile") rest.splice(0, rest[0] === "--dev" ? 1 : 2);
  return rest;
}

const shells = (text: string): string[] =>
  [...text.matchAll(/^```(?:sh|bash|console)\n([\s\S]*?)^```/gmu)].flatMap((match) =>
    (match[1] ?? "").replaceAll("\\\n", " ").split("\n"),
  );
const inline = (text: string): string[] => [...text.matchAll(/`(openclaw [^`\n]+)`/gu)].map((match) => match[1] ?? "");

/** Named to say that they come later, or that they are not commands but their names. */
const later = /^(gateway (stop|restart|start|install|uninstall)|message send|gateway stop\|restart)/u;

test("every command of every page is one the program knows, with options it takes", () => {
  const pages = globSync(["README.md", "docs/**/*.md"], { cwd: root }).filter(
    (page) => !page.startsWith("docs/reference/"),
  );
  const refused = pages.flatMap((page) =>
    [...shells(read(page)), ...inline(read(page))].flatMap((line) => {
      const argv = invocation(line);
      if (argv === undefined || argv.length === 0 || argv[0]?.startsWith("-") || later.test(argv.join(" "))) return [];
      try {
        parse(commands, argv);
        return [];
      } catch (error) {
        // A name alone, `config set`, is no call: what it still needs is not said.
        const message = (error as Error).message;
        return message.startsWith("error: missing required argument") ? [] : [`${page}: ${line.trim()}: ${message}`];
      }
    }),
  );
  expect(refused).toEqual([]);
});
