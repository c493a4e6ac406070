/** Requests that a web page makes: which origins may, and what a page of a listed origin is told (http.md §4.3-4.7, S1). */
import type { IncomingMessage, ServerResponse } from "node:http";
import { HttpError } from "../kernel/http.ts";
import { secure } from "./http-reply.ts";
import { originAllowed } from "./origin.ts";
import type { ServerSettings } from "./ports.ts";

const reading: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** What the SDKs send from a browser. */
const allowedHeader =
  /^(?:authorization|content-type|accept|idempotency-key|openai-[a-z-]+|x-openclaw-[a-z-]+|x-stainless-[a-z-]+)$/;
const maxAllowedHeaders = 40;

const isApi = (path: string): boolean => path.startsWith("/v1/");

/** Whether the origin is listed for cross-origin calls of the API. Nothing is by default. */
function listed(origin: string | undefined, path: string, settings: ServerSettings): boolean {
  if (origin === undefined || !isApi(path)) return false;
  const lower = origin.toLowerCase();
  return (settings.corsOrigins ?? []).some((allowed) => allowed.toLowerCase().replace(/\/+$/, "") === lower);
}

/** Throws HttpError 403 for a request that a page of another site started. */
export function assertNoForeignPage(req: IncomingMessage, path: string, settings: ServerSettings): void {
  const { origin, host } = req.headers;
  const { dangerouslyAllowHostHeaderOriginFallback } = settings.controlUi;
  const rules = { allowedOrigins: settings.allowedOrigins, dangerouslyAllowHostHeaderOriginFallback };
  if (origin !== undefined) {
    if (listed(origin, path, settings) || originAllowed(origin, host, rules)) return;
    throw new HttpError(403, "This origin may not call the gateway (gateway.controlUi.allowedOrigins).");
  }
  if (req.headers["sec-fetch-site"] === "cross-site" && !reading.has(req.method ?? "GET"))
    throw new HttpError(403, "A page of another site may not call the gateway.");
}

/** Sets what lets a listed origin read the answer. True when the request was a preflight and is answered. */
export function allowListed(
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  settings: ServerSettings,
): boolean {
  const { origin } = req.headers;
  if (origin === undefined || !listed(origin, path, settings)) return false;
  res.setHeader("Access-Control-Allow-Origin", origin);
  res.setHeader("Vary", "Origin");
  res.setHeader("Access-Control-Expose-Headers", "x-request-id, retry-after");
  if (req.method !== "OPTIONS" || req.headers["access-control-request-method"] === undefined) return false;
  secure(res);
  const asked = (req.headers["access-control-request-headers"] ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const headers = asked.filter((name) => allowedHeader.test(name)).slice(0, maxAllowedHeaders);
  res.writeHead(204, {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": headers.join(", ") || "authorization, content-type",
    "Access-Control-Max-Age": "600",
  });
  res.end();
  return true;
}
