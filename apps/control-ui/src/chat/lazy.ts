/** Parts of the chat that are loaded when they are first needed. */
export const loadHighlighter = () => import("./highlight.ts");
