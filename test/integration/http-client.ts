/** Plain requests for tests of the HTTP surface: fetch for honest ones, a raw socket for all others. */
import { connect, type Socket } from "node:net";
import type { FakeRequest } from "../support/fake-provider/index.ts";
import type { TestGateway } from "../support/gateway.ts";

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: Record<string, unknown>;
}

export interface ApiError {
  message: string;
  type: string;
  code?: string | null;
  param?: string | null;
}

export const errorOf = (answer: Answer): ApiError => answer.json["error"] as ApiError;

/** JSON with the operator's token, unless `headers` say otherwise. */
export async function post(
  gateway: TestGateway,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return ask(gateway, path, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.token}`, "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

export async function ask(gateway: TestGateway, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${gateway.httpUrl}${path}`, { redirect: "manual", ...init });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== "" ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}

export interface ServerEvent {
  event: string | undefined;
  data: string;
}

/** Events of a whole stream; comments are left out. */
export function eventsOf(text: string): ServerEvent[] {
  return text
    .split("\n\n")
    .filter((block) => block !== "" && !block.startsWith(":"))
    .map((block) => {
      const lines = block.split("\n");
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      return { event: field("event"), data: field("data") ?? "" };
    });
}

export const chunksOf = (text: string): Record<string, unknown>[] =>
  eventsOf(text)
    .filter(({ data }) => data !== "[DONE]")
    .map(({ data }) => JSON.parse(data) as Record<string, unknown>);

/** Text of `role` messages as the provider got them, in order. */
export function told(request: FakeRequest | undefined, role: string): string[] {
  const messages = request?.body["messages"] as { role: string; content: unknown }[] | undefined;
  return (messages ?? [])
    .filter((message) => message.role === role)
    .map(({ content }) =>
      typeof content === "string"
        ? content
        : (content as { text?: string }[]).map((part) => part.text ?? "").join("\n"),
    );
}

export const lastRequest = (gateway: { provider: { requests: FakeRequest[] } }): FakeRequest | undefined =>
  gateway.provider.requests.at(-1);

/** Waits until `holds`, and fails with `what` after ten seconds. */
export async function until(what: string, holds: () => boolean, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A socket that is written to by hand. */
export class RawSocket {
  readonly socket: Socket;
  text = "";
  closed = false;
  readonly ended: Promise<void>;

  constructor(port: number, host = "127.0.0.1") {
    this.socket = connect(port, host);
    this.socket.setEncoding("latin1");
    this.socket.on("data", (part: string) => (this.text += part));
    this.socket.on("error", () => {});
    this.ended = new Promise((resolve) =>
      this.socket.once("close", () => {
        this.closed = true;
        resolve();
      }),
    );
  }

  write(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** Resolves with all that came once `fits` is in it. */
  async until(fits: string | RegExp, ms = 3_000): Promise<string> {
    const there = () => (typeof fits === "string" ? this.text.includes(fits) : fits.test(this.text));
    await until(`"${String(fits)}" in ${JSON.stringify(this.text.slice(0, 400))}`, there, ms);
    return this.text;
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.text)?.[1] ?? 0);
  }

  end(): void {
    this.socket.destroy();
  }
}

/** One raw request, answered and closed. */
export async function raw(gateway: TestGateway, text: string): Promise<RawSocket> {
  const socket = new RawSocket(gateway.port).write(text);
  await Promise.race([socket.ended, socket.until("\r\n\r\n")]);
  return socket;
}

/** Requests behind each other on one connection; the last should say `Connection: close`. Ends with the connection, which the
 *  gateway also closes behind a request that is none. Fails when it stays open. */
export async function pipelined(
  port: number,
  requests: readonly string[],
): Promise<{ statuses: number[]; text: string }> {
  const socket = new RawSocket(port).write(requests.join(""));
  await until("the connection ends", () => socket.closed, 15_000).finally(() => socket.end());
  const statuses = [...socket.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  return { statuses, text: socket.text };
}
