/** Canvas: pages that agents write and devices show. Owns the folder `canvas` of the default workspace as a web site, the A2UI
 *  page, the addresses that open them, and the config section `canvasHost`.
 *
 *  Guarantees. What is served lies inside the folder and is a regular file, whatever a path, a link or a swap says. Readers are on
 *  this machine, hold the operator secret, or hold an address made for their connection that ends with it. Nothing is watched
 *  while nobody looks, and at most 64 pages wait for a reload. Imports tools for its own tool; knows nothing of the server. */
export { canvasSection } from "./canvas.config.ts";
export { canvasTool } from "./canvas.tool.ts";
export { canvasUrl } from "./canvas-url.ts";
export { CanvasHost, type CanvasHostOptions, type RequestFacts } from "./canvas-host.ts";
export type { ActionPort } from "./action.http.ts";
export type { Holder } from "./capabilities.ts";
export { actionLine, type UserAction } from "./user-action.ts";
