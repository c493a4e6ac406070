/** Puts the app together: reads the address and wipes what must not stay in it, then connects. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { Approvals } from "../approvals/index.ts";
import { Conversations } from "../chat/conversations.ts";
import { GatewayLink } from "../gateway/index.ts";
import { Shell } from "../shell/shell.tsx";
import { Confirm } from "../ui/index.ts";
import { fallbackPath, viewPaths } from "../views/catalogue.ts";
import { basePathOf, defaultGatewayUrl, readHandover, type Handover } from "./address.ts";
import { AppContext, type App } from "./app.ts";
import { Router } from "./router.ts";
import { applyTheme, Settings } from "./settings.ts";
import { Toasts } from "./toasts.ts";

/** Put in by the build. */
declare const CONTROL_UI_VERSION: string;

export function startApp(): VNode {
  const handover = readHandover(new URL(location.href));
  // Before anything else: a secret must not stay in the address, nor in what is shared or bookmarked.
  if (handover.cleaned !== `${location.pathname}${location.search}${location.hash}`)
    history.replaceState(null, "", handover.cleaned);
  const settings = new Settings();
  applyTheme(settings.current.theme);
  if (handover.onboarding) settings.assume({ chatFocusMode: true });
  const basePath = basePathOf(location.pathname, document.documentElement.dataset.basePath, viewPaths);
  const router = new Router({ basePath, paths: viewPaths, fallback: fallbackPath });
  const own = defaultGatewayUrl(location, basePath);
  const link = new GatewayLink({ url: settings.current.gatewayUrl || own, version: CONTROL_UI_VERSION });
  const toasts = new Toasts();
  const conversations = new Conversations({ link, router, settings, toasts });
  const approvals = new Approvals(link);
  const app: App = { link, router, settings, toasts, conversations, approvals, version: CONTROL_UI_VERSION };

  const foreign = handover.gatewayUrl === link.url ? undefined : handover.gatewayUrl;
  if (foreign === undefined) connect(link, handover);
  const decide = (accepted: boolean) => {
    if (accepted && foreign !== undefined) {
      settings.change({ gatewayUrl: foreign === own ? "" : foreign });
      link.move(foreign);
      connect(link, handover);
    } else {
      // The secret was meant for the address that was refused.
      connect(link, {});
    }
  };
  return (
    <AppContext.Provider value={app}>
      <Shell />
      {foreign !== undefined && <ForeignGateway url={foreign} onDecide={decide} />}
    </AppContext.Provider>
  );
}

function connect(link: GatewayLink, { token, password }: Partial<Handover>): void {
  if (token !== undefined) link.secrets.useToken(token);
  if (password !== undefined) link.secrets.usePassword(password);
  link.start();
}

/** A link may name another gateway, which would then be sent what is typed here: nothing is opened before the person agrees. */
function ForeignGateway({ url, onDecide }: { url: string; onDecide: (accepted: boolean) => void }) {
  const [open, setOpen] = useState(true);
  if (!open) return null;
  return (
    <Confirm
      title="Connect to another gateway?"
      action="Connect there"
      danger={false}
      onConfirm={() => onDecide(true)}
      onClose={() => setOpen(false)}
      onRefuse={() => onDecide(false)}
    >
      <p>
        The link you opened wants this page to connect to <b>{new URL(url).host}</b>. Everything you write would go
        there. Do this only if that gateway is yours.
      </p>
    </Confirm>
  );
}
