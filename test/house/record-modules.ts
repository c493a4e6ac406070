/** Preloaded into a program under test: writes every module it resolved to `OPENCLAW_RECORD_MODULES` when it ends. */
import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";

const path = process.env.OPENCLAW_RECORD_MODULES;
const seen = new Set<string>();

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    seen.add(resolved.url);
    return resolved;
  },
});
process.on("exit", () => {
  if (path) writeFileSync(path, [...seen].join("\n"));
});
