/** The canvas: a folder of pages an agent writes, served with a bridge and a reload, and the page that renders A2UI. One host
 *  answers on the gateway's port and on its own (canvas-browser-nodes.md §2-4, http.md §14). */
import { mkdir, realpath, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Logger } from "../../kernel/log.ts";
import type { Timer, World } from "../../kernel/world.ts";
import { answerAction, type ActionPort } from "./action.http.ts";
import { Capabilities, type Holder } from "./capabilities.ts";
import { isPage } from "./file-types.ts";
import { FolderWatch } from "./folder-watch.ts";
import { openBelow } from "./open-file.ts";
import { pageScript, withScript } from "./page-script.ts";
import { type Place, placeOf, readSegments } from "./paths.ts";
import { PushSocket, upgradeKey } from "./push-socket.ts";
import { redirect, refuseSocket, sendOpened, sendPage, sendPlain, sendUnauthorized } from "./reply.ts";
import { missingIndexPage, testPage } from "./test-page.ts";

/** What the gateway's own checks say about a request. */
export interface RequestFacts {
  host: "ok" | "missing" | "foreign";
  originAllowed: boolean;
  localDirect: boolean;
  authenticated: () => boolean;
}

export interface CanvasHostOptions {
  world: World;
  log: Logger;
  root: string;
  /** Folder of the A2UI page; undefined in a checkout that was never built. */
  a2uiDir: string | undefined;
  liveReload: boolean;
  judge: (req: IncomingMessage) => RequestFacts;
  action: ActionPort;
}

const maxSockets = 64;
const pingEveryMs = 30_000;
/** Larger pages are sent as they are. */
const maxPageBytes = 16 * 1024 * 1024;
/** On the gateway's port a page must not share the origin of the Control UI (S29). */
const sandbox = { "Content-Security-Policy": "sandbox allow-scripts allow-forms allow-popups allow-modals" };

export class CanvasHost {
  readonly capabilities: Capabilities;
  readonly #o: CanvasHostOptions;
  /** What only a page served from here knows; it opens the reload socket where the sandbox hides the page's origin. */
  readonly #ticket: string;
  readonly #sockets = new Set<PushSocket>();
  #root: string | undefined;
  #watch: FolderWatch | undefined;
  #watchFailed = false;
  #pings: Timer | undefined;
  #stopped = false;

  constructor(options: CanvasHostOptions) {
    this.#o = options;
    this.capabilities = new Capabilities(options.world);
    this.#ticket = options.world.randomBytes(16).toString("hex");
  }

  /** Makes the folder and its first page. Never rejects: a folder that cannot be written is served as it is. */
  async start(): Promise<void> {
    const { root, log } = this.#o;
    try {
      await mkdir(root, { recursive: true, mode: 0o700 });
      await writeFile(join(root, "index.html"), testPage, { flag: "wx", mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST")
        log.warn(`the canvas folder ${root} cannot be written`, { error });
    }
    await this.#realRoot();
  }

  stop(): void {
    this.#stopped = true;
    this.#pings?.cancel();
    this.#watch?.stop();
    for (const socket of this.#sockets) socket.close(1012);
    this.#sockets.clear();
  }

  /** Ends what is still open. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  // ---- requests

  /** `own`: on the canvas port, which serves nothing else. Never rejects. */
  async request(req: IncomingMessage, res: ServerResponse, path: string, own: boolean): Promise<void> {
    try {
      await this.#answer(req, res, path, own);
    } catch (error) {
      this.#o.log.error("a canvas request failed", { error });
      if (res.headersSent) res.destroy();
      else sendPlain(req, res, 500, "Internal Server Error");
    }
  }

  async #answer(req: IncomingMessage, res: ServerResponse, path: string, own: boolean): Promise<void> {
    const facts = this.#o.judge(req);
    if (facts.host === "missing") return sendPlain(req, res, 400, "Bad Request");
    if (facts.host === "foreign") return sendPlain(req, res, 421, "Host not allowed");
    if (own && path === "/") return redirect(res, "/__openclaw__/canvas/");
    const place = placeOf(path);
    if (place.surface === "none") return sendPlain(req, res, 404, "Not Found");
    if (place.surface === "action") return this.#action(req, res, place, facts);
    if (req.method !== "GET" && req.method !== "HEAD")
      return sendPlain(req, res, 405, "Method Not Allowed", { Allow: "GET, HEAD" });
    if (!facts.originAllowed) return sendPlain(req, res, 403, "This origin may not read the canvas.");
    if (!this.#admitted(place, facts)) return sendUnauthorized(req, res);
    if (place.surface === "socket") {
      if (!this.#o.liveReload) return sendPlain(req, res, 404, "not found");
      return sendPlain(req, res, 426, "upgrade required", { Upgrade: "websocket", Connection: "Upgrade" });
    }
    if (place.rest === "") return redirect(res, `${path}/${queryOf(req)}`);
    await this.#file(req, res, place, own);
  }

  #admitted({ token }: Place, facts: RequestFacts): boolean {
    if (token !== undefined) return this.capabilities.use(token) !== undefined;
    return facts.localDirect || facts.authenticated();
  }

  async #file(req: IncomingMessage, res: ServerResponse, place: Place, own: boolean): Promise<void> {
    const a2ui = place.surface === "a2ui";
    const root = a2ui ? this.#o.a2uiDir : await this.#realRoot();
    if (root === undefined)
      return a2ui ? sendPlain(req, res, 503, "A2UI assets not found") : sendPlain(req, res, 404, "not found");
    const segments = readSegments(place.rest);
    if (segments === "bad") return sendPlain(req, res, 400, "bad path");
    if (segments === "hidden") return sendPlain(req, res, 404, "not found");
    const folder = segments.at(-1) === "";
    const wanted = folder ? [...segments.slice(0, -1), "index.html"] : segments;
    let opened = await openBelow(root, wanted);
    if (opened === "directory") {
      // Relative links of its index only work below the slash.
      const index = await openBelow(root, [...wanted, "index.html"]);
      if (typeof index === "object") {
        await index.handle.close();
        return redirect(res, `${place.base}/__openclaw__/${place.surface}${place.rest}/${queryOf(req)}`);
      }
      opened = "missing";
    }
    if (opened === "missing") {
      if (folder && !a2ui) return sendPage(req, res, 404, missingIndexPage(segments.join("/")));
      return sendPlain(req, res, 404, "not found");
    }
    const headers = own ? {} : sandbox;
    if (!isPage(opened.name) || opened.bytes > maxPageBytes) return sendOpened(req, res, opened, headers);
    const html = await opened.handle.readFile("utf8").finally(() => opened.handle.close());
    sendPage(req, res, 200, withScript(html, pageScript(this.#o.liveReload ? this.#ticket : undefined)), headers);
  }

  async #action(req: IncomingMessage, res: ServerResponse, { token }: Place, facts: RequestFacts): Promise<void> {
    if (req.method !== "POST") return sendPlain(req, res, 405, "Method Not Allowed", { Allow: "POST" });
    if (!facts.originAllowed) return sendPlain(req, res, 403, "This origin may not send actions.");
    // Neither a local caller nor a bearer: actions come from the device whose page this is.
    const holder: Holder | undefined = token === undefined ? undefined : this.capabilities.use(token);
    if (!holder) return sendUnauthorized(req, res);
    await answerAction(req, res, holder, this.#o.action);
  }

  /** Made again when it was missing: a person may have removed the folder. */
  async #realRoot(): Promise<string | undefined> {
    try {
      this.#root ??= await realpath(this.#o.root);
    } catch {
      this.#root = undefined; // Not there: nothing to serve.
    }
    return this.#root;
  }

  // ---- reload

  /** Takes an upgrade on the reload path; refuses with a complete answer. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, path: string): void {
    const refused = this.#refusal(req, path);
    const key = upgradeKey(req);
    if (refused !== undefined || key === undefined) return refuse(socket, refused ?? 400);
    if (this.#sockets.size >= maxSockets) return refuse(socket, 503);
    let push: PushSocket | undefined = undefined;
    push = new PushSocket(socket, key, head, () => {
      if (push) this.#sockets.delete(push);
      if (this.#sockets.size === 0) this.#rest();
    });
    this.#sockets.add(push);
    this.#pings ??= this.#o.world.every(pingEveryMs, () => this.#sockets.forEach((one) => one.ping()));
    void this.#startWatch();
  }

  #refusal(req: IncomingMessage, path: string): number | undefined {
    const place = placeOf(path);
    if (place.surface !== "socket" || !this.#o.liveReload || this.#stopped) return 404;
    const facts = this.#o.judge(req);
    if (facts.host !== "ok") return facts.host === "missing" ? 400 : 421;
    const hidden = req.headers.origin === "null" && ticketOf(req) === this.#ticket;
    if (!facts.originAllowed && !hidden) return 403;
    return this.#admitted(place, facts) ? undefined : 401;
  }

  /** Only while somebody looks. */
  async #startWatch(): Promise<void> {
    const root = await this.#realRoot();
    if (this.#watch || this.#watchFailed || this.#stopped || root === undefined || this.#sockets.size === 0) return;
    const { world, log } = this.#o;
    this.#watch = new FolderWatch({
      root,
      world,
      changed: () => this.#sockets.forEach((one) => one.send("reload")),
      failed: (error) => {
        this.#watchFailed = true;
        this.#watch = undefined;
        log.error(
          `the canvas folder cannot be watched (${error.message}); pages are served and no longer reload by themselves. Choose a smaller canvasHost.root, or set canvasHost.liveReload=false.`,
        );
      },
    });
    await this.#watch.start();
  }

  #rest(): void {
    this.#watch?.stop();
    this.#watch = undefined;
    this.#pings?.cancel();
    this.#pings = undefined;
  }
}

const queryOf = (req: IncomingMessage): string => /\?[^#]*/.exec(req.url ?? "")?.[0] ?? "";

const ticketOf = (req: IncomingMessage): string | null => new URLSearchParams(queryOf(req)).get("page");

const phrases: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  421: "Host not allowed",
  503: "Service Unavailable",
};

function refuse(socket: Duplex, status: number): void {
  refuseSocket(socket, status, phrases[status] ?? "Refused");
}
