/** Which model answers, and its key. */
import { textOf } from "./answers.ts";
import type { ProviderChoice } from "./ports.ts";
import type { State, StepRule } from "./step.ts";

const chosen = ({ draft, facts }: State): ProviderChoice | undefined =>
  facts.providers.find(({ id }) => id === draft.provider);

export const modelSteps: readonly StepRule[] = [
  {
    id: "provider",
    section: "model",
    show: (state) => {
      const { facts } = state;
      const model = presentModel(state);
      const withKey = facts.providers.find((provider) => hasKey(state, provider));
      return {
        type: "select",
        message: "Which model shall answer?",
        options: [
          ...(model === undefined ? [] : [{ value: "keep", label: `Keep ${model}` }]),
          ...facts.providers.map((provider) => ({
            value: provider.id,
            label: provider.name,
            ...(provider.models
              ? { hint: "runs on this machine" }
              : hasKey(state, provider)
                ? { hint: `key found: ${provider.keyName}` }
                : {}),
          })),
          { value: "skip", label: "None for now", hint: "offline/echo answers and says so" },
        ],
        initialValue: model === undefined ? (withKey?.id ?? "skip") : "keep",
      };
    },
    accept(value, { draft, facts }) {
      const id = textOf(value);
      if (id !== "keep" && id !== "skip" && !facts.providers.some((provider) => provider.id === id))
        return { problem: `Choose one of ${facts.providers.map((provider) => provider.id).join(", ")} or skip.` };
      draft.provider = id;
    },
  },
  {
    id: "key",
    section: "model",
    when: (state) => chosen(state)?.keyName !== undefined,
    show: (state) => {
      const provider = chosen(state);
      const empty = provider && hasKey(state, provider) ? "keep the one there is" : "add it later";
      return {
        type: "text",
        message: `${provider?.name ?? ""} API key (empty: ${empty})`,
        sensitive: true,
        initialValue: "",
      };
    },
    async accept(value, state) {
      const key = textOf(value);
      if (/[\s"'#]/.test(key)) return { problem: "A key has no spaces, quotes or #." };
      if (typeof value === "string" && value.trim() !== "" && key === "") return { problem: "That is no key." };
      state.draft.key = key;
      const verdict = key === "" ? "unknown" : await state.ports.checkKey(state.draft.provider ?? "", key);
      state.draft.keyRefused = verdict === "refused";
    },
  },
  {
    id: "key-refused",
    section: "model",
    when: ({ draft }) => draft.keyRefused === true,
    show: (state) => ({
      type: "confirm",
      message: `${chosen(state)?.name ?? ""} refuses this key. Keep it all the same?`,
      // Where nobody can be asked, what was said counts.
      initialValue: true,
    }),
    accept: (value) => (value === true ? undefined : { back: "key" }),
  },
  {
    id: "model",
    section: "model",
    when: (state) => chosen(state) !== undefined,
    show: (state) => {
      const provider = chosen(state);
      const { models, defaultModel, id } = provider ?? {};
      if (models && models.length > 0) {
        return {
          type: "select",
          message: "Model",
          options: models.map((name) => ({ value: name, label: name })),
          initialValue: models[0] ?? "",
        };
      }
      const now = presentModel(state);
      const same = now?.startsWith(`${id}/`) ? now.slice(`${id}/`.length) : undefined;
      return { type: "text", message: `Model of ${provider?.name ?? ""}`, initialValue: same ?? defaultModel ?? "" };
    },
    accept(value, { draft }) {
      const name = textOf(value);
      if (!/^\S{1,160}$/.test(name)) return { problem: "Give the model's name, without spaces." };
      draft.model = `${draft.provider}/${name}`;
    },
  },
];

/** After "start over" the old model is gone too. */
const presentModel = ({ draft, facts }: State): string | undefined =>
  draft.existing === "reset" ? undefined : facts.present.model;

/** After "start over" a key in the old file is gone too. */
const hasKey = ({ draft }: State, { key }: ProviderChoice): boolean =>
  key === "env" || (key === "config" && draft.existing !== "reset");
