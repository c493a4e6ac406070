/** Shows the steps of the set-up on a terminal. Everything goes to stderr: stdout is for results. Loaded only when somebody sits
 *  there. */
import * as clack from "@clack/prompts";
import type { Step, Wizard } from "../assembly/onboard.ts";
import { Interrupted } from "./command.ts";
import { clean } from "./terminal/clean.ts";

const output = process.stderr;

/** Asks until the wizard is through. Throws Interrupted on Ctrl-C, GatewayError when writing fails. */
export async function askAll(wizard: Wizard, title: string): Promise<void> {
  clack.intro(title, { output });
  for (;;) {
    const step = await wizard.current();
    if (step === undefined) break;
    const answer = await ask(step);
    if (clack.isCancel(answer)) {
      clack.cancel("Stopped. Nothing was written.", { output });
      throw new Interrupted();
    }
    if (step.id === "key" && answer) clack.log.step("Trying the key; this takes three seconds at most.", { output });
    const problem = await wizard.answer(answer);
    if (problem !== undefined) clack.log.warn(clean(problem), { output });
  }
  clack.outro(wizard.state.draft.declined ? "Nothing was written." : "That is all.", { output });
}

/** One question outside the set-up. Throws Interrupted on Ctrl-C. */
export async function askOne(step: Omit<Step, "id">): Promise<string> {
  const answer = await ask({ ...step, id: "question" });
  if (clack.isCancel(answer)) throw new Interrupted();
  return typeof answer === "string" ? answer : "";
}

async function ask(step: Step): Promise<unknown> {
  const message = clean(step.message ?? "");
  const options = (step.options ?? []).map(({ value, label, hint }) => ({
    value,
    label: clean(label),
    ...(hint === undefined ? {} : { hint }),
  }));
  const first = step.initialValue;
  switch (step.type) {
    case "note":
      clack.note(message, step.title ?? "", { output });
      return undefined;
    case "confirm":
      return clack.confirm({ message, initialValue: first === true, output });
    case "select":
      return clack.select({ message, options, output, ...(typeof first === "string" ? { initialValue: first } : {}) });
    case "multiselect":
      return clack.multiselect({ message, options, required: false, output });
    case "text": {
      // An empty line means what the step offers; clack would show it as a placeholder only.
      if (step.sensitive) return clack.password({ message, output });
      const placeholder = step.placeholder ?? "";
      return clack.text({ message, placeholder, initialValue: typeof first === "string" ? first : "", output });
    }
  }
}
