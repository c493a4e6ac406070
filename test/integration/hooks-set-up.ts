/** A gateway with webhooks, a scripted model and a fake Telegram. */
import { expect } from "vitest";
import type { Wire } from "../support/wire.ts";
import { askedText, type ChatOptions, type ChatWorld, openChatWorld } from "./channels/set-up.ts";

export const hookToken = "hook-token-0123456789abcdef";
const open: ChatWorld[] = [];
export async function closeHooks(): Promise<void> {
  for (const world of open.splice(0)) await world.stop();
}

export interface Setting {
  world: ChatWorld;
  wire: Wire;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

export async function startHooks(hooks: Record<string, unknown> = {}, options: ChatOptions = {}): Promise<Setting> {
  const world = await openChatWorld({
    ...options,
    config: { hooks: { enabled: true, token: hookToken, ...hooks }, ...options.config },
  });
  const wire = await world.gateway.connect({ client: { id: "gateway-client", mode: "backend" } });
  const post: Setting["post"] = (path, body, headers = {}) =>
    fetch(world.gateway.httpUrl + path, {
      method: "POST",
      headers: { authorization: `Bearer ${hookToken}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  return { world, wire, post };
}
export async function ownHooks(hooks: Record<string, unknown> = {}, options: ChatOptions = {}): Promise<Setting> {
  const setting = await startHooks(hooks, options);
  open.push(setting.world);
  return setting;
}

export const notes = async (wire: Wire) =>
  (await wire.call<{ queuedSystemEvents: string[] }>("status", {})).queuedSystemEvents;

/** The run of an accepted webhook, once it is over. */
export async function ended(wire: Wire, answer: Response) {
  expect(answer.status).toBe(202);
  const { ok, runId } = (await answer.json()) as { ok: boolean; runId: string };
  expect(ok).toBe(true);
  expect(runId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u);
  const result = await wire.call<{ status: string; error?: string }>("agent.wait", { runId, timeoutMs: 10_000 });
  return { runId, ...result };
}

export const lastAsked = ({ world }: Setting) => askedText(world.provider.requests.at(-1));
