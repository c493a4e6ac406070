/** Every view of the app: its address, its place in the navigation, what it needs of the gateway, and how it is loaded.
 *  A view whose `needs` the gateway does not offer is hidden, and comes alive when a later gateway offers them. */
import type { ComponentType } from "preact";
import {
  Bot,
  Bug,
  CalendarClock,
  Gauge,
  GraduationCap,
  List,
  MessageSquare,
  MessagesSquare,
  MonitorSmartphone,
  ScrollText,
  Settings,
  Smartphone,
  type LucideIcon,
} from "lucide-preact";

export interface ViewModule {
  default: ComponentType;
}

export interface View {
  /** Below the base path. */
  path: string;
  title: string;
  /** One line for the palette. */
  summary: string;
  icon: LucideIcon;
  /** Methods without which the view makes no sense. */
  needs: readonly string[];
  load: () => Promise<ViewModule>;
}

export interface ViewGroup {
  title: string;
  views: readonly View[];
}

export const viewGroups: readonly ViewGroup[] = [
  {
    title: "Talk",
    views: [
      {
        path: "/chat",
        title: "Chat",
        summary: "Talk to an agent",
        icon: MessageSquare,
        needs: ["chat.history", "chat.send"],
        load: () => import("../chat/chat-view.tsx"),
      },
      {
        path: "/sessions",
        title: "Sessions",
        summary: "Every conversation the gateway keeps",
        icon: List,
        needs: ["sessions.list"],
        load: () => import("./sessions/sessions-view.tsx"),
      },
    ],
  },
  {
    title: "Gateway",
    views: [
      {
        path: "/overview",
        title: "Overview",
        summary: "How the gateway is doing, and what needs you",
        icon: Gauge,
        needs: ["health", "status"],
        load: () => import("./overview/overview-view.tsx"),
      },
      {
        path: "/channels",
        title: "Channels",
        summary: "Where people reach your agents from",
        icon: MessagesSquare,
        needs: ["channels.status"],
        load: () => import("./channels/channels-view.tsx"),
      },
      {
        path: "/instances",
        title: "Instances",
        summary: "Who is connected",
        icon: MonitorSmartphone,
        needs: ["system-presence"],
        load: () => import("./instances/instances-view.tsx"),
      },
      {
        path: "/nodes",
        title: "Nodes & devices",
        summary: "Who may connect, and what they lend",
        icon: Smartphone,
        needs: ["device.pair.list"],
        load: () => import("./nodes/nodes-view.tsx"),
      },
      {
        path: "/cron",
        title: "Cron",
        summary: "What runs by itself, and when",
        icon: CalendarClock,
        needs: ["cron.list", "cron.add"],
        load: () => import("./cron/cron-view.tsx"),
      },
    ],
  },
  {
    title: "Agent",
    views: [
      {
        path: "/agents",
        title: "Agents",
        summary: "Who answers, and with what",
        icon: Bot,
        needs: ["agents.list"],
        load: () => import("./agents/agents-view.tsx"),
      },
      {
        path: "/skills",
        title: "Skills",
        summary: "What the agents have learned",
        icon: GraduationCap,
        needs: ["skills.status"],
        load: () => import("./skills/skills-view.tsx"),
      },
    ],
  },
  {
    title: "Settings",
    views: [
      {
        path: "/config",
        title: "Config",
        summary: "What the gateway does, and how",
        icon: Settings,
        needs: ["config.get", "config.schema"],
        load: () => import("./config/config-view.tsx"),
      },
      {
        path: "/logs",
        title: "Logs",
        summary: "What the gateway writes down",
        icon: ScrollText,
        needs: ["logs.tail"],
        load: () => import("./logs/logs-view.tsx"),
      },
      {
        path: "/debug",
        title: "Debug",
        summary: "Any method, every event",
        icon: Bug,
        needs: ["status"],
        load: () => import("./debug/debug-view.tsx"),
      },
    ],
  },
];

export const views: readonly View[] = viewGroups.flatMap((group) => group.views);
export const fallbackPath = "/chat";
export const viewPaths: readonly string[] = views.map((view) => view.path);
