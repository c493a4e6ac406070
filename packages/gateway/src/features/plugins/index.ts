/** Plugins: extensions of other authors. So far only their config keys, judged and kept; nothing reads them yet. */
export { memorySection, pluginsSection } from "./plugins.config.ts";
