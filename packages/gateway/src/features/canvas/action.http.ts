/** User actions of a page that was opened by a capability address (canvas-browser-nodes.md §6). */
import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError } from "@openclaw/protocol";
import type { Holder } from "./capabilities.ts";
import { sendPlain, sendWhole } from "./reply.ts";
import { readUserAction, type UserAction } from "./user-action.ts";

/** Gives an action to the agent. Rejects with a text for the page when nobody takes it. */
export interface ActionPort {
  (action: UserAction, holder: Holder): Promise<void>;
}

const maxBytes = 64 * 1024;

export async function answerAction(
  req: IncomingMessage,
  res: ServerResponse,
  holder: Holder,
  action: ActionPort,
): Promise<void> {
  // No form of another page can send this type without asking first.
  if (!/^application\/json\b/i.test(req.headers["content-type"] ?? ""))
    return sendPlain(req, res, 415, "send application/json");
  const bytes = await readSmall(req).catch(() => "left" as const);
  if (bytes === "left") return void res.destroy();
  if (!bytes) return sendPlain(req, res, 413, "payload too large", { Connection: "close" });
  let read: UserAction | undefined;
  try {
    read = readUserAction(JSON.parse(bytes.toString("utf8")));
  } catch {
    read = undefined; // Not JSON.
  }
  if (!read) return sendPlain(req, res, 400, "userAction with a name is required");
  try {
    await action(read, holder);
  } catch (error) {
    // What was not said for people stays here.
    return sendPlain(req, res, 503, error instanceof GatewayError ? error.message.slice(0, 200) : "not taken");
  }
  sendWhole(req, res, 200, "application/json; charset=utf-8", JSON.stringify({ ok: true }));
}

/** Undefined for a body that is too large, of which the rest is left unread. Rejects when the client leaves. */
async function readSmall(req: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  // Left alone by what ends the loop: the answer still has to go out.
  for await (const part of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
