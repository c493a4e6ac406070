/** What every view may use: the connection, the address, the choices of this browser, notices. Built once in main.tsx and
 *  handed down by context; views import `useApp`, nothing global. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Approvals } from "../approvals/index.ts";
import type { GatewayLink } from "../gateway/index.ts";
import type { Conversations } from "../chat/conversations.ts";
import type { Router } from "./router.ts";
import type { Settings } from "./settings.ts";
import type { Toasts } from "./toasts.ts";

export interface App {
  readonly link: GatewayLink;
  readonly router: Router;
  readonly settings: Settings;
  readonly toasts: Toasts;
  readonly conversations: Conversations;
  readonly approvals: Approvals;
  /** Of the app's build; compared with the gateway's. */
  readonly version: string;
}

export const AppContext = createContext<App | undefined>(undefined);

/** Throws outside of the app's tree: that is a mistake in the program. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("useApp outside of the app");
  return app;
}
