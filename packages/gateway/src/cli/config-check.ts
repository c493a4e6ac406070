/** `config validate` and `config schema`. */
import { configPath, displayPath } from "../kernel/paths.ts";
import type { Context } from "./command.ts";
import { suggest } from "./profile.ts";
import { rooms } from "./rooms.ts";
import { clean } from "./terminal/clean.ts";

/** Exit 0 when a gateway would start on the file. */
export async function validate(context: Context): Promise<number> {
  const config = await rooms.config.load();
  const { declared } = await rooms.sections.load();
  const snapshot = config.readConfig(configPath(context.io), context.io, declared);
  const { path, verdict, issues, warnings, legacyIssues, hash } = snapshot;
  const ok = verdict === "ok" || verdict === "missing";
  if (context.json) {
    context.printJson({ ok, path, verdict, hash, issues, warnings, legacyIssues });
    return ok ? 0 : 1;
  }
  const lines = (list: readonly { path: string; message: string }[]) =>
    list.map((issue) => `  - ${clean(issue.path || "<root>")}: ${clean(issue.message)}`);
  if (!ok) context.note("Config invalid", `File: ${displayPath(path, context.io)}`, "Problem:", ...lines(issues));
  if (legacyIssues.length > 0) context.note("Legacy config keys detected:", ...lines(legacyIssues));
  if (warnings.length > 0) context.note("Warnings:", ...lines(warnings));
  if (!ok || legacyIssues.length > 0) context.note(`Run: ${suggest(context.io.env, "doctor --fix")}`);
  if (ok)
    context.print(
      verdict === "missing"
        ? `No config at ${displayPath(path, context.io)}: defaults apply.`
        : `Config OK: ${displayPath(path, context.io)}`,
    );
  return ok ? 0 : 1;
}

export async function schema(context: Context): Promise<number> {
  const config = await rooms.config.load();
  const { declared } = await rooms.sections.load();
  context.printJson({
    $schema: "http://json-schema.org/draft-07/schema#",
    ...(config.authoredSchema(config.documentSchema(declared)) as object),
  });
  return 0;
}
