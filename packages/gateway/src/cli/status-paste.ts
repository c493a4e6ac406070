/** What makes the text of `status` fit to be pasted: every secret the config or the environment holds is masked. */
import { Redactor } from "../kernel/redact.ts";
import type { Io } from "./io.ts";
import type { Target } from "./target.ts";

const secretKey = /token|password|passwd|secret|api_?key|authorization/i;

/** Every text below a key that looks like a secret's. */
function collect(value: unknown, redactor: Redactor, below: boolean): void {
  if (typeof value === "string") {
    if (below) redactor.add(value);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value))
      collect(
        item,
        redactor,
        secretKey.test(key) || (below && Array.isArray(value)) || (below && typeof item === "string"),
      );
  }
}

export function pasteRedactor(target: Target, io: Io): Redactor {
  const redactor = new Redactor();
  redactor.addEnvironment(io.env);
  collect(target.config.document, redactor, false);
  for (const secret of Object.values(target.credentials)) if (secret) redactor.add(secret);
  return redactor;
}
