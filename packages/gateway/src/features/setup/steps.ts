/** The steps of the set-up, in order (cli.md §2.3). Data: who shows them is somebody else's matter. */
import { planOf } from "./plan.ts";
import { gatewaySteps } from "./gateway-steps.ts";
import { modelSteps } from "./model-steps.ts";
import { oneOf, textOf } from "./answers.ts";
import { setupSections, type State, type StepRule } from "./step.ts";

const asks = ({ draft }: State) => draft.existing !== "keep";
const local = (state: State) => asks(state) && state.draft.mode !== "remote";

const opening: readonly StepRule[] = [
  {
    id: "risk",
    show: () => ({
      type: "confirm",
      title: "Before you start",
      message:
        "An agent reads your files, runs commands and talks to people in your name.\n" +
        "Whoever can write to it can try to steer it. Keep it on loopback unless you\n" +
        "know why not, and give it no secrets it does not need. Go on?",
      initialValue: false,
    }),
    accept(value, { draft }) {
      if (value !== true) draft.declined = true;
    },
  },
  {
    id: "existing",
    when: ({ facts }) => facts.exists,
    show: ({ facts }) => ({
      type: "select",
      message: `${facts.configPath} is there already.`,
      options: [
        ...(facts.broken === undefined
          ? [
              { value: "keep", label: "Keep it", hint: "only what is missing is added" },
              { value: "modify", label: "Change it", hint: "go through the steps; comments stay" },
            ]
          : []),
        { value: "reset", label: "Start over", hint: "the old file stays in the history" },
      ],
      initialValue: facts.broken === undefined ? "keep" : "reset",
    }),
    accept(value, { draft, facts }) {
      const choice = oneOf(value, ["keep", "modify", "reset"] as const);
      if (choice === undefined) return { problem: "Choose keep, modify or reset." };
      if (facts.broken !== undefined && choice !== "reset") return { problem: facts.broken };
      draft.existing = choice;
    },
  },
  {
    id: "flow",
    when: asks,
    show: () => ({
      type: "select",
      message: "How much do you want to decide?",
      options: [
        { value: "quickstart", label: "Quick start", hint: "loopback, a random token, the usual port" },
        { value: "advanced", label: "Everything", hint: "port, address, login, Tailscale" },
      ],
      initialValue: "quickstart",
    }),
    accept(value, { draft }) {
      // `manual` is an older name.
      const choice = oneOf(value === "manual" ? "advanced" : value, ["quickstart", "advanced"] as const);
      if (choice === undefined) return { problem: "Choose quickstart or advanced." };
      draft.flow = choice;
    },
  },
  {
    id: "mode",
    when: asks,
    show: ({ facts }) => ({
      type: "select",
      message: "Where does the gateway run?",
      options: [
        { value: "local", label: "On this machine" },
        { value: "remote", label: "On another machine", hint: "this one only connects to it" },
      ],
      initialValue: facts.present.mode ?? "local",
    }),
    accept(value, { draft }) {
      const choice = oneOf(value, ["local", "remote"] as const);
      if (choice === undefined) return { problem: "Choose local or remote." };
      draft.mode = choice;
    },
  },
  {
    id: "remote-url",
    when: (state) => asks(state) && state.draft.mode === "remote",
    show: ({ facts }) => ({
      type: "text",
      message: "Address of that gateway",
      placeholder: "ws://host:18789",
      initialValue: facts.present.remoteUrl ?? "",
    }),
    accept(value, { draft }) {
      const url = textOf(value);
      if (!/^wss?:$/.test(URL.parse(url)?.protocol ?? ""))
        return { problem: "Give an address that begins with ws:// or wss://." };
      draft.remoteUrl = url;
    },
  },
  {
    id: "remote-token",
    when: (state) => asks(state) && state.draft.mode === "remote",
    show: () => ({ type: "text", message: "Its token (empty: leave as it is)", sensitive: true, initialValue: "" }),
    accept(value, { draft }) {
      draft.remoteToken = textOf(value);
    },
  },
];

const workspaceStep: StepRule = {
  id: "workspace",
  section: "workspace",
  when: local,
  show: ({ facts }) => ({
    type: "text",
    message: "Workspace: the folder the agent works in",
    initialValue: facts.present.workspace ?? facts.defaultWorkspace,
  }),
  accept(value, { draft, ports }) {
    const path = textOf(value);
    if (path === "") return { problem: "Give a folder." };
    const problem = ports.workspaceProblem(path);
    if (problem !== undefined) return { problem };
    draft.workspace = path;
  },
};

const laterNote = (what: string) => `${what} cannot be set up here yet. Nothing of it was changed.`;

const closing: readonly StepRule[] = [
  {
    id: "later",
    when: ({ draft }) => draft.command === "onboard" && draft.mode !== "remote",
    show: ({ ports }) => ({
      type: "note",
      title: "Not yet",
      message:
        "Channels, skills and a system service are not part of this set-up yet.\n" +
        `Until then ${ports.command("gateway")} runs in the foreground.`,
    }),
  },
  {
    id: "apply",
    show: ({ draft, facts }) => ({
      type: "confirm",
      title: "Ready",
      message: `Write ${facts.configPath}${draft.key ? ` and keep the ${draft.provider} key` : ""}? Nothing was written so far.`,
      initialValue: true,
    }),
    async accept(value, { draft, facts, ports }) {
      if (value === true) draft.written = await ports.apply(planOf(draft, facts, ports));
      else draft.declined = true;
    },
  },
  {
    id: "summary",
    show: ({ draft, ports }) => ({
      type: "note",
      title: "Done",
      message: [
        ...(draft.written ?? []),
        ...(draft.mode === "remote"
          ? [`Look at it:  ${ports.command("status")}`]
          : [
              `Start it:    ${ports.command("gateway")}`,
              `Talk to it:  ${ports.command('agent --message "What can you do?"')}`,
              `Look at it:  ${ports.command("status")}`,
            ]),
      ].join("\n"),
    }),
  },
];

/** `onboard`, `setup --wizard`, `wizard.start`. */
export const onboardSteps: readonly StepRule[] = [
  ...opening,
  workspaceStep,
  ...modelSteps.map((rule) => narrowed(rule, local)),
  ...gatewaySteps.map((rule) => narrowed(rule, (state) => local(state) && state.draft.flow === "advanced")),
  ...closing,
];

/** `configure`: only the parts that were named. */
export const configureSteps: readonly StepRule[] = [
  {
    id: "sections",
    show: () => ({
      type: "multiselect",
      message: "What do you want to change?",
      options: [
        { value: "workspace", label: "Workspace" },
        { value: "model", label: "Model and its key" },
        { value: "gateway", label: "Port, address and login" },
      ],
      initialValue: [],
    }),
    accept(value, { draft }) {
      const chosen = Array.isArray(value) ? value.map(String) : [];
      const unknown = chosen.find((name) => !setupSections.some((known) => known === name));
      if (unknown !== undefined) return { problem: `Unknown section. Choose from ${setupSections.join(", ")}.` };
      draft.sections = chosen;
      if (chosen.length === 0) draft.declined = true;
    },
  },
  workspaceStep,
  ...modelSteps,
  ...gatewaySteps,
  ...(["web", "daemon", "channels", "skills"] as const).map((section): StepRule => ({
    id: `later-${section}`,
    section,
    show: () => ({ type: "note", title: section, message: laterNote(`"${section}"`) }),
  })),
  {
    id: "health",
    section: "health",
    show: ({ ports }) => ({
      type: "note",
      title: "health",
      message: `${ports.command("doctor")} checks this installation, ${ports.command("health")} a running gateway.`,
    }),
  },
  ...closing.map((rule) => narrowed(rule, ({ draft }) => (draft.sections ?? []).some(isBuilt))),
];

const isBuilt = (section: string) => ["workspace", "model", "gateway"].includes(section);

function narrowed(rule: StepRule, also: (state: State) => boolean): StepRule {
  return { ...rule, when: (state) => also(state) && (rule.when?.(state) ?? true) };
}
