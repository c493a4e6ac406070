/** Name and picture of the agent behind a session. Pictures come from the gateway itself or from its data, from nowhere else. */
import type { App } from "../app/app.ts";
import type { AgentRow } from "./conversations.ts";

export interface Face {
  name: string;
  /** Address or data URL of a picture. */
  picture: string | undefined;
  emoji: string | undefined;
}

export function agentFace(app: Pick<App, "link" | "router" | "conversations">, sessionKey: string): Face {
  const agentId = /^agent:([^:]+):/.exec(sessionKey)?.[1];
  const agents = app.conversations.agents.value;
  const agent = agents.find(({ id }) => id === agentId) ?? agents[0];
  const sameHost = URL.canParse(app.link.url) && new URL(app.link.url).host === location.host;
  return {
    name: agent?.identity?.name ?? agent?.name ?? "Assistant",
    picture: agent && pictureOf(agent, sameHost ? app.router.basePath : undefined),
    emoji: agent?.identity?.emoji,
  };
}

/** `basePath` undefined: the page does not come from this gateway, so its files are not asked for. */
export function pictureOf(agent: Pick<AgentRow, "id" | "identity">, basePath: string | undefined): string | undefined {
  const avatar = agent.identity?.avatar ?? "";
  if (/^data:image\/(png|jpeg|gif|webp);base64,/i.test(avatar)) return avatar;
  const file = /\.(png|jpe?g|gif|webp|svg)$/i.test(avatar) && !/^[a-z]+:/i.test(avatar);
  return file && basePath !== undefined ? `${basePath}/avatar/${encodeURIComponent(agent.id)}` : undefined;
}
