/** A model provider for tests: a local HTTP server on port 0 that speaks the real wires of OpenAI (chat completions,
 *  responses), Anthropic (messages) and Google (generateContent), and says what a script tells it.
 *
 *  ```ts
 *  const fake = await startFakeProvider({ script: [["Hel", "lo"], { status: 429, headers: { "retry-after": "1" } }] });
 *  // base URLs: fake.baseUrl("openai-completions") …
 *  await fake.close();
 *  ```
 *  `GET …/models` lists the model `fake`. Everything a client sent is in `fake.requests`. */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Api, FakeRequest, Reply, Script } from "./script.ts";
import { isRefusal, toAnswer } from "./script.ts";
import type { Action } from "./wires.ts";
import { play } from "./wires.ts";

export type { Answer, Api, FakeRequest, Refusal, Reply, Script, Step } from "./script.ts";
export { play } from "./wires.ts";

export interface FakeProvider {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** What to configure as `models.providers.<id>.baseUrl` for a wire. */
  baseUrl(api: Api): string;
  /** Every model request so far, in order of arrival. */
  requests: FakeRequest[];
  /** Model requests whose client went away before the answer was complete. */
  readonly aborted: number;
  /** Replaces the script; the count of `index` starts over. */
  script(script: Script): void;
  close(): Promise<void>;
}

export async function startFakeProvider(options: { script?: Script; port?: number } = {}): Promise<FakeProvider> {
  let script: Script = options.script ?? [["Hello from the fake provider."]];
  let served = 0;
  let aborted = 0;
  const requests: FakeRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.on("connection", (socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    if (request.method === "GET" && path.endsWith("/models")) {
      return void response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ object: "list", data: [{ id: "fake", object: "model" }] }));
    }
    const raw = await readAll(request);
    const api = apiOf(path);
    if (request.method !== "POST" || !api) return void response.writeHead(404).end();
    const body = JSON.parse(raw) as Record<string, unknown>;
    const model = typeof body["model"] === "string" ? body["model"] : (/models\/([^:]+):/.exec(path)?.[1] ?? "");
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const entry: FakeRequest = { api, index: served++, path, headers, model, body, raw };
    requests.push(entry);
    const reply = typeof script === "function" ? await script(entry) : (script[entry.index] ?? script.at(-1) ?? []);
    await answer(api, model, reply, response);
  }

  async function answer(api: Api, model: string, reply: Reply, response: ServerResponse): Promise<void> {
    let gone = false;
    response.on("close", () => {
      gone = true;
      if (!response.writableEnded) aborted++;
    });
    if ("noHeaders" in reply) return;
    if (isRefusal(reply)) {
      const text =
        typeof reply.body === "string"
          ? reply.body
          : JSON.stringify(reply.body ?? { error: { message: "scripted refusal" } });
      return void response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers }).end(text);
    }
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    response.flushHeaders();
    for (const action of play(api, model, toAnswer(reply))) {
      if (gone) return;
      if (!(await act(action, response))) return;
    }
    response.end();
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    baseUrl: (api) =>
      api === "anthropic-messages" ? url : api === "google-generative-ai" ? `${url}/v1beta` : `${url}/v1`,
    requests,
    get aborted() {
      return aborted;
    },
    script(next) {
      script = next;
      served = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** False when the answer ends here. */
async function act(action: Action, response: ServerResponse): Promise<boolean> {
  if ("send" in action) {
    if (action.send !== "" && !response.write(action.send))
      await new Promise<void>((resolve) => response.once("drain", resolve).once("close", resolve));
    return true;
  }
  if ("delayMs" in action) {
    await new Promise((resolve) => setTimeout(resolve, action.delayMs));
    return true;
  }
  if ("die" in action) {
    // What was written before has to arrive first.
    await new Promise((resolve) => setTimeout(resolve, 5));
    response.destroy();
  }
  return false;
}

function apiOf(path: string): Api | undefined {
  if (path.endsWith("/chat/completions")) return "openai-completions";
  if (path.endsWith("/responses")) return "openai-responses";
  if (path.endsWith("/messages")) return "anthropic-messages";
  return /:streamGenerateContent/.test(path) ? "google-generative-ai" : undefined;
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
