/** Control UI: the web app of the gateway. Everything it does goes over one WebSocket of `@openclaw/client`; it keeps no copy
 *  of the gateway's state beyond what is on screen, drafts and this browser's choices.
 *  Guarantees: secrets never stay in the address and are never logged; nothing is requested from another origin; text that
 *  came from elsewhere is never run as markup or script; what is not live is marked as not live. */
export { startApp } from "./app/start.tsx";
