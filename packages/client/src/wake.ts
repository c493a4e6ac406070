/** Moments in a browser at which waiting any longer makes no sense. Elsewhere there are none. */

type Target = {
  addEventListener(type: string, run: () => void): void;
  removeEventListener(type: string, run: () => void): void;
};

export function browserWakes(wake: () => void): () => void {
  const { document } = globalThis as { document?: Target & { visibilityState?: string } };
  const window = globalThis as unknown as Partial<Target>;
  if (!document || !window.addEventListener) return () => {};
  const visible = () => {
    if (document.visibilityState === "visible") wake();
  };
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", visible);
  return () => {
    window.removeEventListener?.("online", wake);
    document.removeEventListener("visibilitychange", visible);
  };
}
