import { useState } from "preact/hooks";
import { Download } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { Button, ErrorNotice, Field, Status, Switch, useAction } from "../../ui/index.ts";
import { missingOf, skillState, type Skill } from "./skill-groups.ts";

const installTimeoutMs = 120_000;

export function SkillCard({ skill, onChanged }: { skill: Skill; onChanged: () => void }) {
  const { link, toasts } = useApp();
  const action = useAction();
  const state = skillState(skill);
  const missing = missingOf(skill);
  const may = link.connected.value && link.may("operator.admin");
  const change = (name: string, params: { enabled?: boolean; apiKey?: string }) =>
    action.run(name, async () => {
      await link.call("skills.update", { skillKey: skill.skillKey, ...params });
      onChanged();
    });
  const install = (installId: string) =>
    action.run(installId, async () => {
      const params = { name: skill.name, installId, timeoutMs: installTimeoutMs };
      const { message } = await link.call("skills.install", params, { timeoutMs: installTimeoutMs + 10_000 });
      toasts.show(message === "" ? `${skill.name} has what it needs.` : message, { tone: "ok" });
      onChanged();
    });
  return (
    <li class="card skill">
      <div class="card-title">
        <h3>
          {skill.emoji !== undefined && <span aria-hidden="true">{skill.emoji} </span>}
          {skill.name}
        </h3>
      </div>
      <Status tone={state.tone}>{state.text}</Status>
      <p class="dim">{skill.description}</p>
      {missing.length > 0 && (
        <ul class="missing small">
          {missing.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      {action.error !== undefined && <ErrorNotice text={action.error} />}
      {link.offers("skills.install") && !skill.eligible && skill.install.length > 0 && (
        <div class="row">
          {skill.install.map(({ id, label }) => (
            <Button
              key={id}
              icon={Download}
              disabled={!may || action.busy !== undefined}
              onClick={() => void install(id)}
            >
              {action.busy === id ? "Installing…" : label}
            </Button>
          ))}
        </div>
      )}
      {link.offers("skills.update") && (
        <>
          <Switch
            label="In use"
            checked={!skill.disabled}
            disabled={!may || action.busy !== undefined}
            onSwitch={(enabled) => void change("enabled", { enabled })}
          />
          {skill.primaryEnv !== undefined && (
            <KeyForm
              name={skill.primaryEnv}
              disabled={!may || action.busy !== undefined}
              onKey={(apiKey) => change("key", { apiKey })}
            />
          )}
        </>
      )}
      <p class="id">{skill.filePath}</p>
    </li>
  );
}

interface KeyFormProps {
  name: string;
  disabled: boolean;
  /** True when it was kept. */
  onKey: (key: string) => Promise<boolean>;
}

/** The key goes to the gateway and is never shown again. */
function KeyForm({ name, disabled, onKey }: KeyFormProps) {
  const { toasts } = useApp();
  const [text, setText] = useState("");
  const save = async (event: Event) => {
    event.preventDefault();
    if (!(await onKey(text))) return;
    setText("");
    toasts.show(`${name} is saved.`, { tone: "ok" });
  };
  return (
    <form class="inline-form" onSubmit={(event) => void save(event)}>
      <Field label={name}>
        {(attributes) => (
          <input
            {...attributes}
            type="password"
            autocomplete="off"
            value={text}
            disabled={disabled}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Field>
      <Button type="submit" disabled={disabled || text === ""}>
        Save
      </Button>
    </form>
  );
}
