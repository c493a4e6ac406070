import { useRef, useState } from "preact/hooks";
import { plainError } from "../gateway/index.ts";

export interface Action {
  /** Name of what is under way, for its button's label. */
  busy: string | undefined;
  /** Why the last one failed, as a sentence. */
  error: string | undefined;
  /** Runs `work` unless something is under way. Never rejects; true when it went well. */
  run: (name: string, work: () => Promise<unknown>) => Promise<boolean>;
  /** Takes the error off the screen. */
  clear: () => void;
}

/** Something a person started: one at a time, with its failure kept to be shown in place. */
export function useAction(): Action {
  const [busy, setBusy] = useState<string>();
  const [error, setError] = useState<string>();
  const running = useRef(false);
  const run = async (name: string, work: () => Promise<unknown>): Promise<boolean> => {
    if (running.current) return false;
    running.current = true;
    setBusy(name);
    setError(undefined);
    try {
      await work();
      return true;
    } catch (failure) {
      setError(plainError(failure));
      return false;
    } finally {
      running.current = false;
      setBusy(undefined);
    }
  };
  return { busy, error, run, clear: () => setError(undefined) };
}

/** For `Confirm`: the same work, failing with a sentence a person can read. */
export const spoken =
  (work: () => Promise<unknown>): (() => Promise<void>) =>
  async () => {
    try {
      await work();
    } catch (failure) {
      throw new Error(plainError(failure), { cause: failure });
    }
  };
