/** How a room declares its config keys: type, default, text and reload class in one line each (architecture §5). */
import type { Static, TObject, TProperties } from "typebox";
import { Type } from "typebox";

/** `live`: readers see the new value. `restart`: the gateway restarts in process. Otherwise the name of the service whose
 *  `reload` is called. Children inherit it unless they say otherwise. */
export type ReloadClass = "live" | "restart" | (string & {});

export interface Section<Path extends string = string, P extends TProperties = TProperties> {
  /** Top-level key of the config file. */
  path: Path;
  reload: ReloadClass;
  schema: TObject<P>;
}

/** A key with `default` always has a value in the effective config; one without is wrapped in Type.Optional. Key options:
 *  `default`, `description`, `reload`, `sensitive: true`, `label`, `placeholder`, `advanced: true`. */
export function section<const Path extends string, P extends TProperties>(
  path: Path,
  options: { reload: ReloadClass; description: string },
  properties: P,
): Section<Path, P> {
  return {
    path,
    reload: options.reload,
    schema: Type.Object(properties, { additionalProperties: false, description: options.description }),
  };
}

/** The effective value of a section: defaults applied. */
export type SectionValue<S> = S extends Section<string, infer P> ? Static<TObject<P>> : never;

/** The running config as rooms see it. Read `current` at use, never keep a part of it: a reload swaps it atomically. */
export interface ConfigSource<C> {
  readonly current: C;
}
