/** Browser: pages that agents drive. So far only its config keys, judged and kept; nothing reads them yet. */
export { browserSection } from "./browser.config.ts";
