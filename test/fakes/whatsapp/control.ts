/** The same API over HTTP, for tests whose fake is a process of its own: `POST /control {"call": "phone.sendText", "args": […]}`.
 *  Answers `{"result": …}` or `{"error": "…"}`. On loopback only, without a secret: it holds nothing but test data. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FakeWhatsApp } from "./api.ts";

type Call = (...args: unknown[]) => Promise<unknown>;

const maxBodyBytes = 64 * 1024 * 1024;

export async function answerControl(
  fake: FakeWhatsApp,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader("content-type", "application/json");
  try {
    const { call, args } = await read(request);
    const answer = await find(fake, call)(...args);
    response.end(JSON.stringify({ result: answer ?? null }));
  } catch (error) {
    response.statusCode = 400;
    response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
  }
}

function find(fake: FakeWhatsApp, name: string): Call {
  if (name === "ledger") return () => fake.ledger();
  const [group = "", method = ""] = name.split(".");
  const target = group === "phone" ? fake.phone : group === "faults" ? fake.faults : undefined;
  const found = target && Object.hasOwn(target, method) && (target as unknown as Record<string, Call>)[method];
  if (!found) throw new Error(`There is no call "${name}".`);
  return found;
}

async function read(request: IncomingMessage): Promise<{ call: string; args: unknown[] }> {
  if (request.method !== "POST" || request.url !== "/control") throw new Error("POST /control is all there is.");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) throw new Error("The call is too large.");
    chunks.push(chunk as Buffer);
  }
  const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { call?: unknown; args?: unknown };
  // A JSON null stands for an argument that was left out.
  const args = Array.isArray(body.args) ? body.args.map((value: unknown) => value ?? undefined) : [];
  return { call: String(body.call), args };
}
