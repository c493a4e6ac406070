/** Every view of the app: its address, its place in the navigation, what it needs of the gateway, and how it is loaded.
 *  A view whose `needs` the gateway does not offer is hidden, and comes alive when a later gateway offers them. */
import type { ComponentType } from "preact";
import { MessageSquare, type LucideIcon } from "lucide-preact";

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
    ],
  },
];

export const views: readonly View[] = viewGroups.flatMap((group) => group.views);
export const fallbackPath = "/chat";
export const viewPaths: readonly string[] = views.map((view) => view.path);
