/** Nodes: devices that lend the gateway their abilities. So far only their config keys, judged and kept; nothing reads them yet. */
export { approvalsSection, discoverySection, nodeHostSection } from "./nodes.config.ts";
