/** The frame around the views: navigation, state of the connection, the view of the present address, and what floats. */
import { Menu as MenuIcon, RotateCw } from "lucide-preact";
import { Component, type ComponentChildren, type ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app/app.ts";
import { Button, Empty, ErrorNotice, IconButton, Page, Skeleton } from "../ui/index.ts";
import { ApprovalDesk } from "../approvals/index.ts";
import { views } from "../views/catalogue.ts";
import { ConnectionBanner, ConnectionPill } from "./connection.tsx";
import { Entrance } from "./entrance.tsx";
import { KeysDialog } from "./keys.tsx";
import { Palette } from "./palette.tsx";
import { Rail } from "./rail.tsx";
import { Toaster } from "./toaster.tsx";

type Floating = "palette" | "keys" | undefined;

export function Shell() {
  const { link, router, settings, conversations } = useApp();
  const [floating, setFloating] = useState<Floating>();
  const [drawer, setDrawer] = useState(false);
  const phase = link.phase.value;
  const { navCollapsed, chatFocusMode } = settings.current;
  const { path } = router.current;
  const title = views.find((view) => view.path === path)?.title ?? "";

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const command = event.metaKey || event.ctrlKey;
      if (command && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setFloating((open) => (open === "palette" ? undefined : "palette"));
      } else if (command && event.shiftKey && event.key.toLowerCase() === "o") {
        event.preventDefault();
        router.go(router.href("/chat", conversations.newKey()));
      } else if (event.key === "?" && !typing(event.target)) {
        setFloating("keys");
      } else if (event.key === "Escape") {
        setDrawer(false);
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);

  // The drawer takes the focus and gives it back.
  useEffect(() => {
    if (!drawer) return;
    document.querySelector<HTMLElement>("#rail nav a")?.focus();
    return () => {
      if (document.activeElement === document.body || document.activeElement?.closest("#rail"))
        document.querySelector<HTMLElement>(".topbar button")?.focus();
    };
  }, [drawer]);

  const focus = chatFocusMode && path === "/chat";
  return (
    <div
      class={`shell ${navCollapsed ? "narrow" : ""} ${focus ? "focus" : ""}`}
      data-drawer={drawer ? "open" : "closed"}
    >
      <a class="skip" href="#main">
        Skip to content
      </a>
      <aside class="rail" id="rail">
        <Rail onKeys={() => setFloating("keys")} onNavigate={() => setDrawer(false)} />
      </aside>
      {drawer && (
        <button type="button" class="scrim" aria-label="Close the navigation" onClick={() => setDrawer(false)} />
      )}
      <div class="stage">
        <header class="topbar">
          <IconButton
            icon={MenuIcon}
            label="Navigation"
            aria-expanded={drawer}
            aria-controls="rail"
            onClick={() => setDrawer(!drawer)}
          />
          <span class="topbar-title">{title}</span>
          <ConnectionPill />
        </header>
        <ConnectionBanner />
        <VersionBanner />
        <ApprovalDesk />
        <main id="main" tabIndex={-1}>
          {phase.name === "refused" && <Entrance key={phase.refusal.kind} phase={phase} />}
          {/* What somebody was in the middle of when the gateway withdrew its leave is there again once it is back. */}
          {(phase.name !== "refused" || link.hello.value !== undefined) && (
            <div class="view-place" hidden={phase.name === "refused"}>
              <ViewAt path={path} />
            </div>
          )}
        </main>
      </div>
      <Toaster />
      {floating === "palette" && <Palette onClose={() => setFloating(undefined)} />}
      {floating === "keys" && <KeysDialog onClose={() => setFloating(undefined)} />}
    </div>
  );
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Loads the view of a path; the former one stays until the new one is there. */
function ViewAt({ path }: { path: string }) {
  const { link } = useApp();
  const [shown, setShown] = useState<{ path: string; View: ComponentType } | undefined>();
  const [failed, setFailed] = useState(false);
  const wanted = useRef(path);
  wanted.current = path;
  const view = views.find((candidate) => candidate.path === path);
  const load = () => {
    setFailed(false);
    view?.load().then(
      (module) => {
        if (wanted.current === path) setShown({ path, View: module.default });
      },
      () => setFailed(true),
    );
  };
  useEffect(load, [path]);
  if (view?.needs.some((method) => !link.offers(method)))
    return (
      <Page title={view.title}>
        <Empty title={`This gateway does not offer ${view.title} yet`}>
          <p>A later version may; the view appears in the navigation then.</p>
        </Empty>
      </Page>
    );
  if (failed)
    return (
      <div class="page">
        <ErrorNotice
          text="This part of the app could not be loaded. The gateway may have been updated since this page was opened; reload it."
          retry={() => location.reload()}
        />
      </div>
    );
  if (!shown) return <Skeleton lines={4} />;
  const { View } = shown;
  return (
    <Boundary key={shown.path}>
      <View />
    </Boundary>
  );
}

/** A view that breaks says so and leaves the rest of the app alone. */
class Boundary extends Component<{ children: ComponentChildren }, { broken: string | undefined }> {
  override state = { broken: undefined as string | undefined };

  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ broken: error instanceof Error ? error.message : String(error) });
  }

  override render() {
    const { broken } = this.state;
    if (broken === undefined) return this.props.children;
    return (
      <div class="page">
        <ErrorNotice text={`This view made a mistake: ${broken}`} retry={() => this.setState({ broken: undefined })} />
      </div>
    );
  }
}

/** The gateway was updated while this page was open: offered once, never forced. */
function VersionBanner() {
  const { link, version } = useApp();
  const [dismissed, setDismissed] = useState("");
  const serving = link.hello.value?.server.version;
  const foreign = !link.connected.value || serving === undefined || serving === version || dismissed === serving;
  if (foreign || version === "dev" || !/^\d{4}\./.test(serving ?? "")) return null;
  return (
    <div class="banner" role="status">
      <p>
        The gateway is version {serving}, this page {version}. Reload to use the page that belongs to it.
      </p>
      <Button icon={RotateCw} onClick={() => location.reload()}>
        Reload
      </Button>
      <Button kind="plain" onClick={() => setDismissed(serving ?? "")}>
        Later
      </Button>
    </div>
  );
}
