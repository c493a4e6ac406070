/** Which places of a config document are sensitive by declaration, written with `*` for the names of open maps and `[]` for list
 *  entries, so that a document can be compared with the schema. */
import { isObject, type SchemaNode } from "../../packages/gateway/src/config/validate.ts";

type Child = [name: string, node: SchemaNode];

function childrenOf(node: SchemaNode): Child[] {
  const open = isObject(node.additionalProperties) ? [node.additionalProperties as SchemaNode] : [];
  const named = Object.entries(node.properties ?? {});
  const maps = [...Object.values(node.patternProperties ?? {}), ...open].map((child): Child => ["*", child]);
  const items = node.items ? [["[]", node.items] as Child] : [];
  return [...named, ...maps, ...items, ...(node.anyOf ?? []).flatMap(childrenOf)];
}

/** Every text that the schema calls sensitive, itself or as part of a group. */
export function sensitivePaths(root: SchemaNode): string[] {
  const found = new Set<string>();
  const walk = (node: SchemaNode, path: string, inherited: boolean, depth: number): void => {
    const sensitive = inherited || node.sensitive === true;
    if (sensitive && (node.type === "string" || node.anyOf?.some(({ type }) => type === "string"))) found.add(path);
    if (depth === 0) return;
    for (const [name, child] of childrenOf(node)) walk(child, path ? `${path}.${name}` : name, sensitive, depth - 1);
  };
  walk(root, "", false, 12);
  return [...found];
}

/** Where the document has texts, in the same words. */
export function textPaths(document: unknown, root: SchemaNode): string[] {
  const walk = (value: unknown, node: SchemaNode | undefined, path: string): string[] => {
    if (typeof value === "string") return [path];
    const children = node ? childrenOf(node) : [];
    const below = (name: string, key: string) => {
      const [found, child] = children.find(([candidate]) => candidate === key) ??
        children.find(([candidate]) => candidate === name) ?? [key, undefined];
      return { at: path ? `${path}.${found}` : found, child };
    };
    const entries = Array.isArray(value)
      ? value.map((item) => ["[]", item] as const)
      : isObject(value)
        ? Object.entries(value)
        : [];
    return entries.flatMap(([key, item]) => {
      const { at, child } = below(Array.isArray(value) ? "[]" : "*", key);
      return walk(item, child, at);
    });
  };
  return walk(document, root, "");
}
