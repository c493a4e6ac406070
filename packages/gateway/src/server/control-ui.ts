/** Serves the Control UI below its base path (http.md §13): the page for every place inside the app, files for files, and never
 *  a page for what belongs to an API. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Route, RouteContext } from "./http.ts";
import { sendJson, sendText } from "./http-reply.ts";
import { looksLikeAsset, relativePath, sendFile, StaticFiles, type StaticFile } from "./static-files.ts";

export interface Assistant {
  agentId: string;
  name: string;
  /** A text, an address or a data URL. */
  avatar: string;
}

export interface Avatar {
  /** For `?meta=1`; null: there is none. */
  url: string | null;
  /** A file of the agent's workspace. */
  file?: { bytes: Buffer; type: string };
}

export interface ControlUiParts {
  /** Folder of the built app. */
  root: string;
  basePath: string;
  version: string;
  assistant: () => Assistant;
  /** Undefined for an agent that does not exist. */
  avatar: (agentId: string, basePath: string) => Promise<Avatar | undefined>;
  /** Path prefixes of other surfaces, such as `/v1`: their unknown paths are theirs. */
  reserved: readonly string[];
}

/** `/x`, or empty: trimmed, one leading slash, none trailing. */
export function normalBasePath(given: string): string {
  const path = given.trim().replace(/^\/+|\/+$/g, "");
  return path === "" ? "" : `/${path}`;
}

export function controlUiRoutes(parts: ControlUiParts): Route[] {
  const base = normalBasePath(parts.basePath);
  const page = new ControlUi({ ...parts, basePath: base });
  const below = (path: string) => ({ methods: ["GET"], path: `${base}${path}`, browser: true });
  const reserved = (path: string): boolean =>
    base === "" && parts.reserved.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
  return [
    { ...below("/control-ui-config.json"), handle: (req, res, context) => page.config(req, res, context) },
    { ...below("/avatar/*"), handle: (req, res, context) => page.avatar(req, res, context) },
    ...(base === ""
      ? ["/ui", "/ui/*"].map((path) => ({ ...below(path), handle: notFound }))
      : [
          { methods: ["GET"], path: base, browser: true, handle: redirectTo(`${base}/`) },
          { methods: ["GET"], path: "/", browser: true, handle: notFound },
        ]),
    {
      ...below("/*"),
      publicFiles: true,
      except: reserved,
      handle: (req, res, context) => page.file(req, res, context),
    },
  ];
}

/** `GET /` while the app is switched off: not the plain text, which would say that something is served here. */
export const noControlUiRoutes = (): Route[] => [{ methods: ["GET"], path: "/", browser: true, handle: notFound }];

function notFound(req: IncomingMessage, res: ServerResponse): void {
  sendText(req, res, 404, "Not Found");
}

const redirectTo =
  (place: string) =>
  (req: IncomingMessage, res: ServerResponse): void => {
    const query = req.url?.includes("?") ? req.url.slice(req.url.indexOf("?")) : "";
    sendText(req, res, 302, "", { Location: `${place}${query}` });
  };

const agentIdPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/i;

class ControlUi {
  readonly #parts: ControlUiParts;
  readonly #files: StaticFiles;
  #index: { of: string; file: StaticFile; policy: string } | undefined;

  constructor(parts: ControlUiParts) {
    this.#parts = parts;
    this.#files = new StaticFiles(parts.root);
  }

  async file(req: IncomingMessage, res: ServerResponse, { path }: RouteContext): Promise<void> {
    const wanted = relativePath(path.slice(this.#parts.basePath.length));
    if (wanted === "malformed") return sendText(req, res, 400, "Bad Request");
    if (wanted === "outside") return sendText(req, res, 404, "Not Found");
    const file = wanted === "index.html" ? undefined : await this.#files.find(wanted);
    if (file) return sendFile(req, res, file, { "Cache-Control": cacheRule(wanted), ...sandboxed(file.type) });
    if (wanted !== "index.html" && looksLikeAsset(wanted)) return sendText(req, res, 404, "Not Found");
    return this.#sendIndex(req, res);
  }

  async #sendIndex(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const source = await this.#files.find("index.html");
    if (!source) return sendText(req, res, 503, missingBuild, { "Retry-After": "5" });
    if (this.#index?.of !== source.etag) this.#index = prepareIndex(source, this.#parts.basePath);
    sendFile(req, res, this.#index.file, {
      "Cache-Control": "no-cache",
      "X-Frame-Options": "DENY",
      "Content-Security-Policy": this.#index.policy,
    });
  }

  config(req: IncomingMessage, res: ServerResponse, context: RouteContext): void {
    if (!context.authenticated && !context.localDirect)
      return sendText(req, res, 401, "Unauthorized", { "WWW-Authenticate": "Bearer" });
    const { basePath, version } = this.#parts;
    const { agentId, name, avatar } = this.#parts.assistant();
    sendJson(req, res, 200, {
      basePath,
      assistantName: name,
      assistantAvatar: avatar,
      assistantAgentId: agentId,
      serverVersion: version,
    });
  }

  async avatar(req: IncomingMessage, res: ServerResponse, { path }: RouteContext): Promise<void> {
    const { basePath } = this.#parts;
    const agentId = path.slice(`${basePath}/avatar/`.length);
    const avatar = agentIdPattern.test(agentId) ? await this.#parts.avatar(agentId.toLowerCase(), basePath) : undefined;
    if (!avatar) return sendText(req, res, 404, "Not Found");
    if (new URLSearchParams(req.url?.split("?")[1]).get("meta") === "1")
      return sendJson(req, res, 200, { avatarUrl: avatar.url });
    if (!avatar.file) return sendText(req, res, 404, "Not Found");
    const { bytes, type } = avatar.file;
    res.writeHead(200, {
      "Content-Type": type,
      "Content-Length": bytes.length,
      "Cache-Control": "no-cache",
      ...sandboxed(type),
    });
    res.end(req.method === "HEAD" ? undefined : bytes);
  }
}

const missingBuild =
  "The files of the Control UI were not found. In a checkout run: npm run build\nOtherwise check gateway.controlUi.root.\n";

/** Names with a hash never change their content; everything else is asked for again. */
const cacheRule = (path: string): string =>
  /^assets\/.*-[\w-]{8}\.\w+$/.test(path) ? "public, max-age=31536000, immutable" : "no-cache";

/** A picture of this kind may hold scripts, which must not run as ours when it is opened alone. */
const sandboxed = (type: string): Record<string, string> =>
  type.startsWith("image/svg")
    ? { "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'" }
    : {};

/** The page as it is sent: where the app is mounted, addresses that work on every path, and a policy that lets the inline
 *  scripts of the build run and no other. */
function prepareIndex(source: StaticFile, basePath: string): { of: string; file: StaticFile; policy: string } {
  const text = source.bytes
    .toString("utf8")
    .replace(/<html\b/, `<html data-base-path="${escapeAttribute(basePath)}"`)
    .replaceAll(/((?:src|href)=")\.\//g, `$1${escapeAttribute(basePath)}/`);
  const bytes = Buffer.from(text);
  const hashes = [...text.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, script = ""]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`,
  );
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 24)}"`;
  const policy = [
    "default-src 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
    `script-src 'self' ${hashes.join(" ")}`.trimEnd(),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob: https:",
    "media-src 'self' data: blob:",
    "font-src 'self'",
    "worker-src 'self'",
    "connect-src 'self' ws: wss:",
  ].join("; ");
  return { of: source.etag, file: { type: source.type, bytes, etag, encoded: {} }, policy };
}

const escapeAttribute = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
