/** The law of imports. Change it together with docs/architecture.md, which is its summary. */

export interface Room {
  /** Rooms whose doors may be imported. */
  may: readonly string[];
  /** Third-party packages, each of which belongs to one room only. `typebox` is the language of contracts: see `shared`. */
  packages?: readonly string[];
  /** Files besides `index.ts` that other rooms may import. `*` means every file. */
  contracts?: readonly string[];
  /** Rooms of which only these files may be imported, whatever their doors are. */
  only?: Readonly<Record<string, readonly string[]>>;
}

const base = ["protocol", "kernel"];
const feature = [...base, "config", "store"];

export const rooms: Record<string, Room> = {
  protocol: { may: [], contracts: ["schema.ts"] },
  client: { may: ["protocol"], contracts: ["node.ts"] },
  /** A program of its own in the browser: what it takes from third parties is bundled apart from the gateway. */
  "control-ui": {
    may: ["protocol", "client"],
    packages: ["preact", "@preact/signals", "lucide-preact", "dompurify", "highlight.js", "marked"],
  },
  /** The page that shows A2UI: one script without any import from elsewhere. */
  a2ui: { may: [] },
  kernel: { may: ["protocol"], contracts: ["*"] },
  config: { may: base, packages: ["json5"], contracts: ["section.ts", "fields.ts", "locate.ts", "secret-strength.ts"] },
  store: { may: base, contracts: ["store.ts"] },
  sessions: { may: feature, contracts: ["types.ts"] },
  models: {
    may: feature,
    packages: [
      "@ai-sdk/openai-compatible",
      "@ai-sdk/openai",
      "@ai-sdk/anthropic",
      "@ai-sdk/google",
      "@ai-sdk/provider",
    ],
    contracts: ["provider.ts"],
  },
  tools: {
    may: feature,
    packages: ["turndown", "linkedom", "@mozilla/readability", "@lydell/node-pty"],
    contracts: ["tool.ts"],
  },
  skills: { may: feature },
  devices: { may: feature },
  presence: { may: feature },
  setup: { may: feature },
  /** Of sessions only the shape of an entry: what it reads is handed to it. */
  status: { may: feature, only: { sessions: ["index.ts"] } },
  agents: { may: [...feature, "sessions", "models", "tools", "skills"] },
  channels: {
    may: [...feature, "agents", "sessions", "tools"],
    packages: ["grammy", "marked", "baileys", "uqr"],
    contracts: ["channel.ts"],
  },
  automation: { may: [...feature, "agents", "channels", "sessions", "tools"] },
  openai: { may: [...feature, "agents"], packages: ["unpdf"] },
  browser: { may: feature },
  canvas: { may: [...feature, "tools"] },
  nodes: { may: feature },
  plugins: { may: feature },
  server: { may: [...base, "config"], packages: ["ws"], contracts: ["ports.ts", "gateway.config.ts"] },
  service: { may: [...base, "client"] },
  cli: {
    may: [...base, "client", "service"],
    packages: ["@clack/prompts"],
    only: {
      config: ["locate.ts", "path.ts", "secret-strength.ts"],
      assembly: [
        "run.ts",
        "run-options.ts",
        "setup.ts",
        "onboard.ts",
        "sections.ts",
        "doctor/index.ts",
        "doctor/listeners.ts",
        "import.ts",
        "export.ts",
        "install.ts",
        "judge.ts",
        "dotenv.ts",
      ],
    },
  },
  assembly: {
    may: feature.concat(
      "server",
      "sessions",
      "models",
      "tools",
      "skills",
      "devices",
      "presence",
      "setup",
      "status",
      "agents",
      "channels",
      "openai",
      "automation",
      "browser",
      "canvas",
      "nodes",
      "plugins",
      "service",
    ),
  },
  /** The binary itself: the command table and what must happen before it. */
  main: { may: ["kernel"], only: { cli: ["index.ts"] } },
};

/** Packages every room may use in its contracts, config sections and tools. */
export const shared = ["typebox"];

/** Node built-ins that belong to one room. */
export const ownedBuiltins: Record<string, string> = { "node:sqlite": "store" };

export interface Exception {
  from: string;
  to: string;
  reason: string;
}

/** Imports the law forbids and a reason allows. Each must still exist. */
export const exceptions: readonly Exception[] = [
  {
    from: "packages/gateway/src/cli/rooms.ts",
    to: "packages/gateway/src/config/index.ts",
    reason: "`config …` and `models set` edit the file whether a gateway runs or not",
  },
  {
    from: "packages/gateway/src/cli/config.ts",
    to: "packages/gateway/src/config/substitute.ts",
    reason: "`config get` shows what a reference to the environment stands for",
  },
];

/** Files in which `import()` may stand, and what they load that way. Each must still use it. */
export const catalogues: Readonly<Record<string, string>> = {
  "packages/gateway/src/features/models/dialects.ts": "one chunk per wire dialect",
  "packages/gateway/src/features/tools/child.ts": "the optional terminal driver",
  "packages/gateway/src/features/tools/web-page.ts": "what reads and writes HTML",
  "packages/gateway/src/features/openai/pdf-process.ts": "the reader of PDFs, whose address its process is told",
  "packages/gateway/src/features/openai/pdf.ts": "PDF.js, inside that thread",
  "packages/gateway/src/features/channels/catalogue.ts": "the adapter of a configured channel",
  "packages/gateway/src/features/channels/telegram/entry.ts": "its SDK, when an account starts",
  "packages/gateway/src/features/channels/whatsapp/entry.ts": "its library, when an account starts",
  "apps/control-ui/src/gateway/lazy.ts": "signing without WebCrypto, only where there is none",
  "apps/control-ui/src/chat/lazy.ts": "highlighting, when the first code block is shown",
  "apps/control-ui/src/views/catalogue.ts": "one chunk per view",
  "packages/gateway/src/main.ts": "the command line, unless only the version was asked for",
  "packages/gateway/src/cli/commands/agents.ts": "one file per command",
  "packages/gateway/src/cli/commands/channels.ts": "one file per command",
  "packages/gateway/src/cli/commands/devices.ts": "one file per command",
  "packages/gateway/src/cli/commands/gateway.ts": "one file per command",
  "packages/gateway/src/cli/commands/service.ts": "one file per command",
  "packages/gateway/src/cli/commands/setup.ts": "one file per command",
  "packages/gateway/src/cli/commands/state.ts": "one file per command",
  "packages/gateway/src/cli/rooms.ts": "the assembly and the prompts, for the commands that need them",
  "packages/gateway/src/cli/config.ts": "substitution, only when a value was found",
  "packages/gateway/src/cli/status.ts": "the config file, only when the gateway does not answer",
  "packages/gateway/src/cli/run-cli.ts": "help, when it is asked for",
  "packages/client/src/node/socket.ts": "TLS, only for wss addresses",
  "packages/gateway/src/config/locate.ts": "the JSON5 parser, only when a file is not plain JSON",
  "packages/gateway/src/cli/io.ts": "the World, which loads the process spawner",
};

/** Room of a file of the checkout, or undefined for scripts and tests. */
export function roomOf(path: string): string | undefined {
  const parts = path.split("/");
  if (parts[0] === "apps") return parts[1];
  if (parts[0] !== "packages" || parts[2] !== "src") return undefined;
  if (parts[1] !== "gateway") return parts[1];
  if (parts.length === 4) return "main";
  return parts[3] === "features" ? parts[4] : parts[3];
}

/** Path of a file inside its room. */
export function placeInRoom(path: string): string {
  const parts = path.split("/");
  if (parts[1] !== "gateway") return parts.slice(3).join("/");
  return parts.slice(parts[3] === "features" ? 5 : 4).join("/");
}
