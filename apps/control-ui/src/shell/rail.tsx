import { ChevronDown, Keyboard, Moon, PanelLeftClose, PanelLeftOpen, Sun, SunMoon } from "lucide-preact";
import { useEffect } from "preact/hooks";
import { useApp } from "../app/app.ts";
import type { Theme } from "../app/settings.ts";
import { IconButton, Link } from "../ui/index.ts";
import { viewGroups, type View } from "../views/catalogue.ts";
import { ConnectionPill } from "./connection.tsx";
import { Mark } from "./mark.tsx";
import { rememberHidden, wasHidden } from "./hidden-views.ts";

const nextTheme: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const themeIcons = { system: SunMoon, light: Sun, dark: Moon };

export function Rail({ onKeys, onNavigate }: { onKeys: () => void; onNavigate: () => void }) {
  const { link, settings } = useApp();
  const { navCollapsed, theme } = settings.current;
  const methods = link.hello.value?.features.methods;
  useEffect(() => {
    if (methods) rememberHidden((view) => view.needs.every((method) => methods.includes(method)));
  }, [methods]);
  return (
    <div class="rail-inner">
      <div class="rail-brand">
        <Mark />
        <span class="rail-label">OpenClaw</span>
      </div>
      <nav aria-label="Views" class="rail-nav">
        {viewGroups.map((group) => (
          <RailGroup key={group.title} title={group.title} views={group.views} onNavigate={onNavigate} />
        ))}
      </nav>
      <div class="rail-foot">
        <ConnectionPill />
        <Versions />
        <div class="rail-tools">
          <IconButton
            icon={themeIcons[theme]}
            label={`Theme: ${theme}. Switch to ${nextTheme[theme]}`}
            onClick={() => settings.change({ theme: nextTheme[theme] })}
          />
          <IconButton icon={Keyboard} label="Keyboard shortcuts" onClick={onKeys} />
          <IconButton
            icon={navCollapsed ? PanelLeftOpen : PanelLeftClose}
            label={navCollapsed ? "Widen the navigation" : "Narrow the navigation"}
            class="rail-collapse"
            onClick={() => settings.change({ navCollapsed: !navCollapsed })}
          />
        </div>
      </div>
    </div>
  );
}

function Versions() {
  const { link, version } = useApp();
  const serving = link.hello.value?.server.version;
  if (serving === undefined) return null;
  return (
    <p class="rail-versions rail-label" title={`Gateway ${serving}, page ${version}`}>
      Gateway {serving}
    </p>
  );
}

function RailGroup({ title, views, onNavigate }: { title: string; views: readonly View[]; onNavigate: () => void }) {
  const { link, router, settings } = useApp();
  const folded = settings.current.navGroupsCollapsed[title] === true;
  const fold = () =>
    settings.change({ navGroupsCollapsed: { ...settings.current.navGroupsCollapsed, [title]: !folded } });
  const told = link.hello.value !== undefined;
  const offered = views.filter((view) =>
    told ? view.needs.every((method) => link.offers(method)) : !wasHidden(view.path),
  );
  if (offered.length === 0) return null;
  return (
    <section class="rail-group">
      <h2 class="rail-label">
        <button type="button" aria-expanded={!folded} onClick={fold}>
          {title}
          <ChevronDown size={14} aria-hidden="true" />
        </button>
      </h2>
      <ul hidden={folded && !settings.current.navCollapsed}>
        {offered.map(({ path, title: name, icon: Icon }) => (
          <li key={path}>
            <Link
              href={router.href(path)}
              title={name}
              onClick={(event) => {
                router.follow(event, router.href(path));
                onNavigate();
              }}
              {...(router.current.path === path ? { "aria-current": "page" as const } : {})}
            >
              <Icon size={18} aria-hidden="true" />
              <span class="rail-label">{name}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
