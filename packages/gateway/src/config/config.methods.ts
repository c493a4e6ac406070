/** `config.get` and `config.schema` (config.md §6.2). Everything that leaves is redacted. */
import type { Handles } from "../kernel/call.ts";
import { documentSchema, type ConfigSnapshot, type Declared } from "./read.ts";
import { redactRaw, redactValues, secretsOf } from "./redact.ts";
import { joinPath, type SchemaNode } from "./validate.ts";

export interface ConfigMethodSources {
  /** The file as it is now, not as it was applied. */
  read(): ConfigSnapshot;
  declared: Declared;
  version: string;
  now(): number;
}

export function configMethods(sources: ConfigMethodSources) {
  return {
    "config.get": () => {
      const snapshot = sources.read();
      const schema = documentSchema(sources.declared);
      const effective = snapshot.config ?? {};
      const secrets = secretsOf(effective, schema, "", secretsOf(snapshot.parsed, schema));
      return {
        path: snapshot.path,
        exists: snapshot.exists,
        raw: snapshot.raw === null ? null : redactRaw(snapshot.raw, secrets),
        parsed: redactValues(snapshot.parsed, schema) as object,
        valid: snapshot.verdict === "ok" || snapshot.verdict === "missing",
        config: redactValues(effective, schema) as object,
        hash: snapshot.hash,
        issues: snapshot.issues,
        warnings: snapshot.warnings,
        legacyIssues: [],
      };
    },
    "config.schema": () => {
      const schema = documentSchema(sources.declared);
      return {
        schema: { $schema: "http://json-schema.org/draft-07/schema#", ...(authored(schema) as object) },
        uiHints: hints(schema),
        version: sources.version,
        generatedAt: new Date(sources.now()).toISOString(),
      };
    },
  } satisfies Handles<"config.get" | "config.schema">;
}

/** The schema of what a person writes: nothing with a default is required. */
function authored(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(authored);
  if (typeof node !== "object" || node === null) return node;
  const source = node as Record<string, unknown>;
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(source)) {
    if (key === "sensitive" || key === "reload" || key === "advanced" || key === "placeholder" || key === "label") continue;
    if (key !== "required" || !source.properties) copy[key] = authored(value);
  }
  return copy;
}

type Hint = { label?: string; help?: string; advanced?: boolean; sensitive?: boolean; placeholder?: string; order?: number };

function hints(schema: SchemaNode): Record<string, Hint> {
  const found: Record<string, Hint> = {};
  const visit = (node: SchemaNode, path: string) => {
    for (const [order, [key, child]] of Object.entries(node.properties ?? {}).entries()) {
      const at = joinPath(path, key);
      found[at] = {
        label: child.label ?? words(key),
        ...(child.description ? { help: child.description } : {}),
        ...(child.sensitive ? { sensitive: true } : {}),
        ...(child.advanced ? { advanced: true } : {}),
        ...(child.placeholder ? { placeholder: child.placeholder } : {}),
        order,
      };
      visit(child, at);
      if (child.items) visit(child.items, `${at}[]`);
    }
  };
  visit(schema, "");
  return found;
}

/** `maxConcurrent` → `Max concurrent`. */
function words(key: string): string {
  const text = key.replace(/([a-z])([A-Z])/gu, "$1 $2").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
