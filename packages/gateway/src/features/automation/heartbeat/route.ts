/** Where a heartbeat's alert goes: nowhere, to a named channel, or to where its session was last spoken to. */
import { GatewayError } from "@openclaw/protocol";
import type { ReplyRoute, RoutePort } from "../../agents/index.ts";
import type { HeartbeatSettings } from "./settings.ts";

export interface RouteParts {
  routes: RoutePort;
  /** People an account lets in, as it compares them; undefined for a channel that is not there. */
  allowed(channel: string, accountId: string): { list: readonly string[]; normalize(id: string): string } | undefined;
}

export type RouteAnswer = { route: ReplyRoute } | { reason: string };

/** Never throws: a route that cannot be had now is a reason. */
export function alertRoute(settings: HeartbeatSettings, sessionKey: string, parts: RouteParts): RouteAnswer {
  const { target, to, accountId } = settings;
  if (target === "none") return { reason: "target-none" };
  const asked = { sessionKey, channel: target, ...(accountId ? { accountId } : {}) };
  try {
    const route = parts.routes(to ? { ...asked, to } : asked);
    if (!route) return { reason: "no-target" };
    return to || route.kind !== "direct" ? { route } : { route: knownPerson(route, asked, parts) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { reason: error.kind === "invalid" ? "no-target" : error.kind };
  }
}

/** On WhatsApp everybody may have written last; an alert only goes to people the account lists, the first one otherwise. */
function knownPerson(
  route: ReplyRoute,
  asked: { sessionKey: string; channel: string; accountId?: string },
  { routes, allowed }: RouteParts,
): ReplyRoute {
  if (route.channel !== "whatsapp") return route;
  const people = allowed(route.channel, route.accountId);
  const listed = (people?.list ?? []).map((id) => id.trim()).filter((id) => id !== "");
  const wanted = people?.normalize(route.chatId);
  if (!people || listed.includes("*") || listed.some((id) => people.normalize(id) === wanted)) return route;
  const [first] = listed;
  if (first === undefined) return route;
  return routes({ ...asked, channel: route.channel, accountId: route.accountId, to: first }) ?? route;
}
