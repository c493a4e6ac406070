/** The config's schema for editors and forms: JSON Schema of what a person writes, and a hint per key. */
import { documentSchema, type Declared } from "./read.ts";
import { joinPath, type SchemaNode } from "./validate.ts";

const ownWords = new Set([
  "sensitive",
  "reload",
  "entryReload",
  "ownReload",
  "advanced",
  "placeholder",
  "label",
  "later",
]);

/** Without our own keywords, and nothing that has a default is required. */
export function authoredSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(authoredSchema);
  if (typeof node !== "object" || node === null) return node;
  const source = node as Record<string, unknown>;
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(source)) {
    if (ownWords.has(key) && typeof value !== "object") continue;
    if (key !== "required" || !source.properties) copy[key] = authoredSchema(value);
  }
  return copy;
}

export interface UiHint {
  label?: string;
  help?: string;
  group?: string;
  advanced?: boolean;
  sensitive?: boolean;
  placeholder?: string;
  order?: number;
}

/** By dotted path; entries of lists are `path[]`, entries of open maps `path.*`. */
export function hintsOf(declared: Declared): Record<string, UiHint> {
  const found: Record<string, UiHint> = {};
  const later = new Set(declared.sections.flatMap((section) => (section.later ? [section.path] : [])));
  const visit = (node: SchemaNode, path: string, group: string) => {
    const open =
      Object.values(node.patternProperties ?? {})[0] ??
      (typeof node.additionalProperties === "object" ? node.additionalProperties : undefined);
    if (open) visit(open, joinPath(path, "*"), group);
    for (const [order, [key, child]] of Object.entries(node.properties ?? {}).entries()) {
      const at = joinPath(path, key);
      found[at] = hintOf(key, child, order, group || key, later.has(group || key));
      visit(child, at, group || key);
      if (child.items) visit(child.items, `${at}[]`, group || key);
    }
  };
  visit(documentSchema(declared), "", "");
  return found;
}

function hintOf(key: string, node: SchemaNode, order: number, group: string, later: boolean): UiHint {
  const help = later ? [node.description, "Not used by this release yet."].filter(Boolean).join(" ") : node.description;
  return {
    label: node.label ?? words(key),
    ...(help ? { help } : {}),
    group,
    ...(node.sensitive ? { sensitive: true } : {}),
    ...(node.advanced || later ? { advanced: true } : {}),
    ...(node.placeholder ? { placeholder: node.placeholder } : {}),
    order,
  };
}

/** `maxConcurrent` → `Max concurrent`. */
function words(key: string): string {
  const text = key.replace(/([a-z])([A-Z])/gu, "$1 $2").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
