/** One clock for all relative times on the page: a signal that moves once a second while somebody looks. */
import { signal, type ReadonlySignal } from "@preact/signals";

const moment = signal(Date.now());
let running = false;

/** ms since the epoch, at most a second old. Reading it in a component redraws that component every second; prefer
 *  `<Ago>` and `<Countdown>`, which redraw only themselves. */
export function now(): ReadonlySignal<number> {
  if (!running) {
    running = true;
    setInterval(() => {
      if (document.visibilityState === "visible") moment.value = Date.now();
    }, 1_000);
    document.addEventListener("visibilitychange", () => (moment.value = Date.now()));
  }
  return moment;
}
