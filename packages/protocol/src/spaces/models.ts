/** Models that can be chosen (protocol.md §13.6). */
import { method } from "../define.ts";
import { bool, choice, closed, int, list, model, open, opt, str, str1 } from "../fields.ts";

export const ModelChoice = model("ModelChoice", {
  id: str1,
  name: str,
  provider: str1,
  contextWindow: opt(int),
  reasoning: opt(bool),
  input: opt(list(choice("text", "image"))),
});

export const modelsList = method({
  name: "models.list",
  scope: "operator.read",
  summary: "Models that can be chosen here.",
  params: closed({}),
  result: open({ models: list(ModelChoice) }),
});
