/** Canvas: pages that agents show on nodes. So far only its config keys, judged and kept; nothing reads them yet. */
export { canvasSection } from "./canvas.config.ts";
