/** How a room declares its config keys: type, default, text and reload class in one line each (architecture §5). */
import type { Static, TObject, TProperties, TSchema } from "typebox";
import { Type } from "typebox";

/** `live`: readers see the new value. `restart`: the gateway restarts in process. `none`: nobody reads it while the gateway
 *  runs. Otherwise the services whose `reload` is called, separated by blanks. Children inherit it unless they say otherwise. */
export type ReloadClass = "live" | "restart" | "none" | (string & {});

export interface Section<Path extends string = string, S extends TSchema = TSchema> {
  /** Top-level key of the config file. */
  path: Path;
  reload: ReloadClass;
  schema: S;
  /** What it configures comes with a later release: accepted, judged and shown, but nothing reads it yet. */
  later?: true;
  /** Whether a document that uses a later section is warned about. Off where the keys only describe or keep records. */
  announce?: true;
}

interface SectionOptions {
  reload: ReloadClass;
  later?: true;
  announce?: false;
}

/** A key with `default` always has a value in the effective config; one without is wrapped in Type.Optional. Key options:
 *  `default`, `description`, `reload`, `sensitive: true`, `label`, `placeholder`, `advanced: true`; `entryReload` on an open map
 *  is the class of entries that come or go, `ownReload` on a group the class of its own coming and going. `rest` judges keys that are not named; without it there are none. */
export function section<const Path extends string, P extends TProperties>(
  path: Path,
  options: SectionOptions & { description: string },
  properties: P,
  rest?: TSchema,
): Section<Path, TObject<P>> {
  const schema = Type.Object(properties, { additionalProperties: rest ?? false, description: options.description });
  return sectionOf(path, options, schema);
}

/** A top-level key that is no group. */
export function sectionOf<const Path extends string, S extends TSchema>(
  path: Path,
  options: SectionOptions,
  schema: S,
): Section<Path, S> {
  return {
    path,
    reload: options.reload,
    ...(options.later ? { later: true } : {}),
    ...(options.later && options.announce !== false ? { announce: true } : {}),
    schema,
  };
}

/** The effective value of a section: defaults applied. */
export type SectionValue<S> = S extends Section<string, infer T> ? Static<T> : never;

/** The running config as rooms see it. Read `current` at use, never keep a part of it: a reload swaps it atomically. */
export interface ConfigSource<C> {
  readonly current: C;
}
