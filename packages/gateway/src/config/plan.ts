/** What a change needs, from the reload classes that the keys declare (lifecycle.md §7.4). */
import { documentSchema, type Declared } from "./read.ts";
import type { SchemaNode } from "./validate.ts";

export interface ReloadPlan {
  /** Paths whose readers see the new value by themselves. */
  live: string[];
  /** Paths by the service whose `reload` takes them. A service that does not run has nothing to reload. */
  services: Map<string, string[]>;
  /** Paths that need a restart in process. */
  restart: string[];
  /** Paths nobody reads while the gateway runs: bookkeeping. */
  ignored: string[];
}

/** `paths` as `diffConfig` returns them. A path no section declares needs a restart. */
export function reloadPlan(paths: readonly string[], declared: Declared): ReloadPlan {
  const schema = documentSchema(declared);
  const classes = new Map<string, string>(declared.sections.map((section) => [section.path, section.reload]));
  const plan: ReloadPlan = { live: [], services: new Map(), restart: [], ignored: [] };
  for (const path of paths) {
    const reload = classOf(path, schema, classes);
    if (reload === "live") plan.live.push(path);
    else if (reload === "restart") plan.restart.push(path);
    else if (reload === "none") plan.ignored.push(path);
    else
      for (const service of reload.split(" "))
        plan.services.set(service, [...(plan.services.get(service) ?? []), path]);
  }
  return plan;
}

/** The class of the deepest key on the way that declares one. Keys with dots in open maps are read as longer paths, which
 *  ends at the map's own class. */
function classOf(path: string, root: SchemaNode, classes: ReadonlyMap<string, string>): string {
  const keys = path.split(".");
  let node = root;
  let found = classes.get(keys[0] ?? "") ?? "restart";
  for (const [i, key] of keys.entries()) {
    const child: SchemaNode | undefined = childOf(node, key);
    if (!child) break;
    const last = i === keys.length - 1;
    found = (last ? child.ownReload : undefined) ?? child.reload ?? (last ? node.entryReload : undefined) ?? found;
    node = child;
  }
  return found;
}

/** The declaration of a key; undefined where none reaches. */
export function schemaAt(declared: Declared, keys: readonly string[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = documentSchema(declared);
  for (const key of keys) {
    if (!node) return undefined;
    node = node.type === "array" ? node.items : childOf(node, key);
  }
  return node;
}

function childOf(node: SchemaNode, key: string): SchemaNode | undefined {
  if (node.properties && Object.hasOwn(node.properties, key)) return node.properties[key];
  const open = Object.values(node.patternProperties ?? {})[0];
  if (open) return open;
  if (typeof node.additionalProperties === "object") return node.additionalProperties;
  for (const member of node.anyOf ?? []) {
    const child = childOf(member, key);
    if (child) return child;
  }
  return undefined;
}
