import type { ComponentChildren } from "preact";
import { useApp } from "../app/app.ts";
import type { Query } from "../gateway/index.ts";
import { Empty, ErrorNotice, Notice, Skeleton } from "./notice.tsx";
import { Ago } from "./time.tsx";

interface LoadedProps<T> {
  query: Query<T>;
  /** What is loaded, for the error and the empty state: `sessions`. */
  what: string;
  skeletonLines?: number;
  children: (data: T) => ComponentChildren;
}

/** The five states of everything that is read: not offered, loading, error, stale, there. `children` draws the data, and an
 *  empty list in its own words. */
export function Loaded<T>({ query, what, skeletonLines = 5, children }: LoadedProps<T>) {
  const { link } = useApp();
  const { data, readAt, error, notOffered } = query.state.value;
  const live = link.connected.value;
  if (notOffered && data === undefined) return <Empty title={`This gateway does not offer ${what} yet`} />;
  if (data === undefined) {
    // The banner tells why; a skeleton would promise something that does not come.
    if (!live && link.phase.value.name !== "connecting")
      return <p class="dim">Nothing was read of {what} yet: there is no connection.</p>;
    if (error !== undefined && live)
      return <ErrorNotice text={`Could not read ${what}. ${error}`} retry={() => void query.refresh()} />;
    return <Skeleton lines={skeletonLines} label={`Loading ${what}`} />;
  }
  const stale = error !== undefined || !live;
  return (
    <>
      {error !== undefined && live && (
        <ErrorNotice text={`Could not read ${what} again. ${error}`} retry={() => void query.refresh()} />
      )}
      {stale && readAt !== undefined && (
        <Notice tone="warn">
          <p>
            Not live: read <Ago at={readAt} />.
          </p>
        </Notice>
      )}
      <div class={stale ? "stale" : "fresh"}>{children(data)}</div>
    </>
  );
}
