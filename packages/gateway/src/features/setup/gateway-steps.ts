/** Where the gateway listens, and who may come in. */
import { oneOf, textOf } from "./answers.ts";
import type { Facts } from "./ports.ts";
import type { State, StepRule } from "./step.ts";

const binds = ["loopback", "lan", "tailnet", "auto", "custom"] as const;

/** After "start over" nothing of the old file counts. */
const present = ({ draft, facts }: State): Partial<Facts["present"]> =>
  draft.existing === "reset" ? {} : facts.present;

export const gatewaySteps: readonly StepRule[] = [
  {
    id: "port",
    section: "gateway",
    show: (state) => ({
      type: "text",
      message: "Port for WebSocket and HTTP",
      initialValue: String(present(state).port ?? state.facts.defaultPort),
    }),
    accept(value, { draft }) {
      const text = typeof value === "number" ? String(value) : textOf(value);
      const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
      if (port < 1 || port > 65_535) return { problem: "Give a port from 1 to 65535." };
      draft.port = port;
    },
  },
  {
    id: "tailscale",
    section: "gateway",
    show: (state) => ({
      type: "select",
      message: "Reach it through Tailscale?",
      options: [
        { value: "off", label: "No" },
        { value: "serve", label: "Within the tailnet", hint: "tailscale serve" },
        { value: "funnel", label: "From the internet", hint: "tailscale funnel; needs a password" },
      ],
      initialValue: present(state).tailscale ?? "off",
    }),
    accept(value, { draft }) {
      const mode = oneOf(value, ["off", "serve", "funnel"] as const);
      if (mode === undefined) return { problem: "Choose off, serve or funnel." };
      draft.tailscale = mode;
      // Tailscale forwards to loopback; a second way in would bypass it.
      if (mode !== "off") draft.bind = "loopback";
      if (mode === "funnel") draft.auth = "password";
    },
  },
  {
    id: "bind",
    section: "gateway",
    when: ({ draft }) => (draft.tailscale ?? "off") === "off",
    show: (state) => {
      const now = present(state);
      return {
        type: "select",
        message: "Who can reach the port?",
        options: [
          { value: "loopback", label: "Programs on this machine" },
          { value: "lan", label: "The local network" },
          { value: "tailnet", label: "The tailnet's address" },
          { value: "auto", label: "Loopback, else every address" },
          ...(now.customBindHost ? [{ value: "custom", label: `The address ${now.customBindHost}` }] : []),
        ],
        initialValue: now.bind ?? "loopback",
      };
    },
    accept(value, state) {
      const bind = oneOf(value, binds);
      if (bind === undefined) return { problem: `Choose one of ${binds.join(", ")}.` };
      if (bind === "custom" && !present(state).customBindHost)
        return { problem: "custom needs gateway.customBindHost in the config file. Set it first." };
      state.draft.bind = bind;
    },
  },
  {
    id: "auth",
    section: "gateway",
    when: ({ draft }) => draft.tailscale !== "funnel",
    show: (state) => ({
      type: "select",
      message: "How do clients log in?",
      options: [
        { value: "token", label: "Token", hint: "random, made here when there is none" },
        { value: "password", label: "Password" },
      ],
      initialValue: present(state).authMode ?? (hasPassword(state) && !hasToken(state) ? "password" : "token"),
    }),
    accept(value, { draft }) {
      const auth = oneOf(value, ["token", "password"] as const);
      if (auth === undefined) return { problem: "Choose token or password." };
      draft.auth = auth;
    },
  },
  {
    id: "token",
    section: "gateway",
    when: ({ draft }) => draft.auth === "token",
    show: (state) => ({
      type: "text",
      message: present(state).hasToken ? "Token (empty: keep the present one)" : "Token (empty: a random one)",
      sensitive: true,
      initialValue: "",
    }),
    accept(value, { draft }) {
      const token = textOf(value);
      if (/\s/.test(token)) return { problem: "A token has no spaces." };
      draft.token = token;
    },
  },
  {
    id: "password",
    section: "gateway",
    when: ({ draft }) => draft.auth === "password",
    show: (state) => ({
      type: "text",
      message: hasPassword(state) ? "Password (empty: keep the present one)" : "Password",
      sensitive: true,
      initialValue: "",
    }),
    accept(value, state) {
      const password = textOf(value);
      if (password === "" && !hasPassword(state)) return { problem: "A password is needed." };
      state.draft.password = password;
    },
  },
];

const hasPassword = (state: State): boolean => state.facts.passwordInEnv || present(state).hasPassword === true;
const hasToken = (state: State): boolean => state.facts.tokenInEnv || present(state).hasToken === true;
