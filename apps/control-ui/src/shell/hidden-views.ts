/** Views the gateway did not offer last time: they stay out of the navigation until it says otherwise, so that nothing moves
 *  there while the page connects. */
import { readJson, writeJson } from "../gateway/index.ts";
import { views, type View } from "../views/catalogue.ts";

const storageKey = "openclaw.hidden-views";
const isList = (value: unknown): value is unknown[] => Array.isArray(value);

export const wasHidden = (path: string): boolean => (readJson("local", storageKey, isList) ?? []).includes(path);

export function rememberHidden(offered: (view: View) => boolean): void {
  const hidden = views.filter((view) => !offered(view)).map(({ path }) => path);
  writeJson("local", storageKey, hidden);
}
