/** Requests through an HTTP proxy. The runtime's own `fetch` knows a proxy only for the whole process; here it belongs to one account,
 *  so this is a door of its own, with the same shape (docs/decisions/0021). HTTPS goes through a tunnel, so that the proxy sees a
 *  host name and nothing else; plain HTTP, for a server of one's own, is handed to the proxy as it is. Nothing ever goes around
 *  the proxy. Redirects are not followed. */
import { type IncomingMessage, request as plainRequest, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeStream } from "node:stream/web";
import { connect as tlsConnect } from "node:tls";
import type { World } from "../../../kernel/world.ts";

/** Failures before the tunnel stands have codes that start so: nothing of the request has left this machine. */
export const proxyCode = "PROXY_";

class ProxyError extends Error {
  readonly code: string;

  constructor(code: string) {
    super("the proxy could not be used");
    this.code = `${proxyCode}${code}`;
  }
}

/** `proxyUrl`: `http://` or `https://`, with `user:password@` where the proxy wants them. Requests take a text or a web stream as
 *  their body. */
export function throughProxy(proxyUrl: string): World["fetch"] {
  const proxy = new URL(proxyUrl);
  return async (input, init = {}) => {
    const url = new URL(input);
    const signal = init.signal ?? undefined;
    const headers = Object.fromEntries(new Headers(init.headers));
    const common: RequestOptions = { method: init.method ?? "GET", ...(signal ? { signal } : {}) };
    if (url.protocol === "https:") {
      const socket = await tunnel(proxy, url, signal);
      const createConnection = () => secured(socket, hostOf(url));
      const path = `${url.pathname}${url.search}`;
      return exchange({ ...common, host: hostOf(url), path, headers, createConnection }, tlsRequest, init.body);
    }
    const request = {
      ...common,
      ...addressOf(proxy),
      agent: false as const,
      path: url.href,
      headers: { host: url.host, ...headers, ...login(proxy) },
    };
    return exchange(request, senderFor(proxy), init.body);
  };
}

function exchange(options: RequestOptions, send: typeof plainRequest, body: RequestInit["body"]): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = send(options);
    request.once("error", reject);
    request.once("response", (answer) => {
      // What breaks from here on belongs to the body.
      request.on("error", () => answer.destroy());
      try {
        resolve(responseOf(answer));
      } catch (error) {
        answer.destroy();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    if (body instanceof ReadableStream) {
      pipeline(Readable.fromWeb(body as NodeStream), request).catch((error: unknown) => {
        request.destroy(error instanceof Error ? error : new Error(String(error)));
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    } else request.end(typeof body === "string" ? body : undefined);
  });
}

function responseOf(answer: IncomingMessage): Response {
  const status = answer.statusCode ?? 502;
  const empty = status === 204 || status === 205 || status === 304;
  if (empty) answer.resume();
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  return new Response(empty ? null : (Readable.toWeb(answer) as ReadableStream), { status, headers });
}

/** A connection to `target` through the proxy, before TLS. Rejects with a ProxyError. */
function tunnel(proxy: URL, target: URL, signal: AbortSignal | undefined): Promise<Duplex> {
  const authority = `${target.hostname}:${target.port || "443"}`;
  return new Promise((resolve, reject) => {
    const request = senderFor(proxy)({
      ...addressOf(proxy),
      method: "CONNECT",
      path: authority,
      agent: false,
      headers: { host: authority, ...login(proxy) },
      ...(signal ? { signal } : {}),
    });
    request.once("error", (error: NodeJS.ErrnoException) => reject(new ProxyError(error.code ?? "FAILED")));
    request.once("connect", (answer, socket, head) => {
      if (answer.statusCode === 200 && head.length === 0) {
        // From here on the request that uses it ends it, and so does whoever gives up before there is one.
        signal?.addEventListener("abort", () => socket.destroy(), { once: true });
        return resolve(socket);
      }
      socket.destroy();
      reject(new ProxyError(String(answer.statusCode ?? "FAILED")));
    });
    request.once("response", (answer) => {
      answer.destroy();
      reject(new ProxyError(String(answer.statusCode ?? "FAILED")));
    });
    request.end();
  });
}

function secured(socket: Duplex, host: string): Duplex {
  return tlsConnect({ socket, host, ...(isIP(host) ? {} : { servername: host }) });
}

const senderFor = (proxy: URL) => (proxy.protocol === "https:" ? tlsRequest : plainRequest);

const hostOf = (url: URL) => url.hostname.replace(/^\[|\]$/gu, "");

const addressOf = (proxy: URL) => ({
  host: hostOf(proxy),
  port: Number(proxy.port) || (proxy.protocol === "https:" ? 443 : 80),
});

function login({ username, password }: URL): Record<string, string> {
  if (username === "" && password === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}
