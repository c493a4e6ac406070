/** The setup wizard as a conversation of steps (protocol.md §13.13). */
import { method } from "../define.ts";
import { bool, choice, closed, json, list, model, open, opt, str, str1 } from "../fields.ts";

const WizardStep = model("WizardStep", {
  id: str1,
  type: choice("note", "select", "text", "confirm", "multiselect", "progress", "action"),
  title: opt(str),
  message: opt(str),
  options: opt(list(open({ value: json, label: str, hint: opt(str) }))),
  initialValue: opt(json),
  placeholder: opt(str),
  sensitive: opt(bool),
  executor: opt(choice("gateway", "client")),
});

const status = choice("running", "done", "cancelled", "error");

export const wizardStart = method({
  name: "wizard.start",
  scope: "operator.admin",
  summary: "Begins the setup wizard.",
  params: closed({ mode: opt(choice("local", "remote")), workspace: opt(str) }),
  result: open({ sessionId: str1, done: bool, step: opt(WizardStep), status: opt(status), error: opt(str) }),
});

export const wizardNext = method({
  name: "wizard.next",
  scope: "operator.admin",
  summary: "Answers a step and gets the next one.",
  params: closed({ sessionId: str1, answer: opt(closed({ stepId: str1, value: opt(json) })) }),
  result: open({ done: bool, step: opt(WizardStep), status: opt(status), error: opt(str) }),
});

export const wizardCancel = method({
  name: "wizard.cancel",
  scope: "operator.admin",
  summary: "Ends the setup wizard.",
  params: closed({ sessionId: str1 }),
  result: open({ status, error: opt(str) }),
});

export const wizardStatus = method({
  name: "wizard.status",
  scope: "operator.admin",
  summary: "Where the setup wizard stands.",
  params: closed({ sessionId: str1 }),
  result: open({ status, error: opt(str) }),
});
