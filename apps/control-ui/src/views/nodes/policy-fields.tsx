import { Field, Select } from "../../ui/index.ts";
import { inherited, policyOf, withPolicy, type Policy, type RulesFile, type Scope } from "./exec-rules.ts";

const securities = { deny: "Run nothing", allowlist: "Run what is on the list", full: "Run everything" };
const asks = { off: "Never ask", "on-miss": "Ask when not on the list", always: "Always ask" };

interface PolicyFieldsProps {
  file: RulesFile;
  scope: Scope;
  disabled: boolean;
  onChange: (file: RulesFile) => void;
}

export function PolicyFields({ file, scope, disabled, onChange }: PolicyFieldsProps) {
  const own = policyOf(file, scope);
  const above = inherited(file, scope);
  const none = scope === undefined ? "Built in" : "As above";
  const select = (
    name: "security" | "ask" | "askFallback",
    label: string,
    words: Record<string, string>,
    help: string,
  ) => (
    <Field label={label} help={help}>
      {(attributes) => (
        <Select
          {...attributes}
          disabled={disabled}
          value={own[name] ?? ""}
          options={[
            { value: "", label: `${none}: ${words[above[name]]?.toLowerCase() ?? above[name]}` },
            ...Object.entries(words).map(([value, text]) => ({ value, label: text })),
          ]}
          onPick={(value) =>
            onChange(withPolicy(file, scope, name, value === "" ? undefined : (value as Policy[typeof name])))
          }
        />
      )}
    </Field>
  );
  const skills = own.autoAllowSkills;
  return (
    <div class="fields two rule-fields">
      {select("security", "Commands", securities, "What may run at all.")}
      {select("ask", "Asking", asks, "When a person is asked first.")}
      {select("askFallback", "When nobody answers", securities, "Holds when the time to answer is over.")}
      <Field label="Programs of skills" help="Whether they count as being on the list.">
        {(attributes) => (
          <Select
            {...attributes}
            disabled={disabled}
            value={skills === undefined ? "" : String(skills)}
            options={[
              { value: "", label: `${none}: ${above.autoAllowSkills ? "on the list" : "not on the list"}` },
              { value: "true", label: "On the list" },
              { value: "false", label: "Not on the list" },
            ]}
            onPick={(value) =>
              onChange(withPolicy(file, scope, "autoAllowSkills", value === "" ? undefined : value === "true"))
            }
          />
        )}
      </Field>
    </div>
  );
}
