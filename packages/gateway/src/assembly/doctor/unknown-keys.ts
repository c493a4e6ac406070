/** Which keys the judge of the config did not know, as paths of keys. */
import { migrateLegacy, parsePath, type ConfigSnapshot } from "../../config/index.ts";

export interface UnknownKey {
  path: string[];
  /** The known key it resembles. */
  hint?: string;
  /** False where an include wrote it: the writer cannot reach it. */
  removable: boolean;
}

const isIndex = (key: string): boolean => /^\d+$/u.test(key);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What holds the last key of a path. */
function holder(document: unknown, path: readonly string[]): Record<string, unknown> | undefined {
  let value = document;
  for (const key of path.slice(0, -1)) {
    if (Array.isArray(value) && isIndex(key)) value = value[Number(key)];
    else value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return isObject(value) ? value : undefined;
}

/** Does nothing when the key is not there. */
export function removeKey(document: unknown, path: readonly string[]): void {
  const parent = holder(document, path);
  if (parent) delete parent[path.at(-1) ?? ""];
}

/** `issues`: how many issues of the snapshot are about unknown keys. Paths are those after old keys were moved. */
export function unknownKeys(snapshot: ConfigSnapshot): { keys: UnknownKey[]; issues: number } {
  const found =
    snapshot.verdict === "invalid"
      ? snapshot.issues.filter((issue) => issue.message.startsWith("Unrecognized key"))
      : [];
  const document = found.length > 0 && isObject(snapshot.parsed) ? migrateLegacy(snapshot.parsed).document : {};
  const keys = found.flatMap(({ path, message }) => {
    const parent = path === "" ? [] : parsePath(path);
    const [names = "", hint] = message.replace(/^Unrecognized keys?: /u, "").split(" (did you mean ");
    const near = hint?.replace(/^"(.*)"\?\)$/u, "$1");
    return [...names.matchAll(/"(?:[^"\\]|\\.)*"/gu)].map(([quoted]): UnknownKey => {
      const own = [...parent, JSON.parse(quoted) as string];
      const there = Object.hasOwn(holder(document, own) ?? {}, own.at(-1) ?? "");
      return { path: own, ...(near ? { hint: near } : {}), removable: there && snapshot.files.length === 1 };
    });
  });
  return { keys, issues: found.length };
}
