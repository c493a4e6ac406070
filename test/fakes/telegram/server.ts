/** The HTTP side of the fake Bot API: addresses, envelopes, faults, the log of requests. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Body, readBody } from "./body.ts";
import type { FakeBot } from "./bot.ts";
import type { Chats } from "./chats.ts";
import { methods } from "./methods.ts";
import { ApiError, type Fault, type Json, type LoggedRequest } from "./types.ts";

export class FakeServer {
  readonly requests: LoggedRequest[] = [];
  readonly #bots: ReadonlyMap<string, FakeBot>;
  readonly #chats: Chats;
  readonly #changed: () => void;
  readonly #faults = new Map<string, Fault[]>();
  /** Ends what hangs when faults are taken back. */
  #healed = new AbortController();

  constructor(bots: ReadonlyMap<string, FakeBot>, chats: Chats, changed: () => void) {
    this.#bots = bots;
    this.#chats = chats;
    this.#changed = changed;
  }

  fault(method: string, faults: readonly Fault[]): void {
    this.#faults.set(method, [...(this.#faults.get(method) ?? []), ...faults]);
  }

  heal(): void {
    this.#faults.clear();
    this.#healed.abort();
    this.#healed = new AbortController();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://fake");
    const file = /^\/file\/bot([^/]+)\/(.+)$/u.exec(url.pathname);
    const call = /^\/bot([^/]+)\/(\w+)$/u.exec(url.pathname);
    const [token = "", name = ""] = (file ?? call)?.slice(1) ?? [];
    if (token === "") return void response.writeHead(404).end("Not Found");
    const method = file ? "file" : name;
    const logged: LoggedRequest = {
      at: Date.now(),
      token: decodeURIComponent(token),
      method,
      params: file ? { path: name } : {},
      files: {},
      clientPort: request.socket.remotePort ?? 0,
    };
    this.requests.push(logged);
    response.on("close", () => {
      if (!response.writableFinished) logged.gone = true;
      else logged.status = response.statusCode;
      this.#changed();
    });
    const fault = this.#faults.get(method)?.shift() ?? this.#faults.get("*")?.shift();
    if (fault?.kind === "reset" && fault.when === "before") return void request.socket.resetAndDestroy();
    const body = await readBody(request, url.searchParams);
    if (!file) logged.params = body.params;
    logged.files = Object.fromEntries(
      Object.entries(body.uploads).map(([field, { name: fileName, data }]) => [
        field,
        { name: fileName, bytes: data.length },
      ]),
    );
    this.#changed();
    if (fault && !(await this.#meet(fault, { request, response, logged, body, file: file !== null, path: name })))
      return;
    if (file) return this.#file(logged.token, decodeURIComponent(name), response);
    await this.#answer(logged, body, request, response);
  }

  /** Plays a fault. True when the call goes on as if nothing were. */
  async #meet(
    fault: Fault,
    at: {
      request: IncomingMessage;
      response: ServerResponse;
      logged: LoggedRequest;
      body: Body;
      file: boolean;
      path: string;
    },
  ): Promise<boolean> {
    const { request, response } = at;
    if (fault.apply === true && !at.file) {
      const bot = this.#bots.get(at.logged.token);
      if (bot)
        await methods[at.logged.method]?.({
          bot,
          chats: this.#chats,
          body: at.body,
          files: at.logged.files,
          now: Date.now(),
        });
      this.#changed();
    }
    switch (fault.kind) {
      case "slow":
        await this.#wait(fault.ms, response);
        return true;
      case "error":
        envelope(response, fault.status ?? fault.code, {
          ok: false,
          error_code: fault.code,
          description: fault.description ?? "scripted",
          ...(fault.parameters ? { parameters: fault.parameters } : {}),
        });
        return false;
      case "http":
        response.writeHead(fault.status, { "content-type": "text/html", ...fault.headers }).end(fault.body ?? "");
        return false;
      case "hang":
        if (fault.headers === true) response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
        await this.#wait(600_000, response);
        response.destroy();
        return false;
      case "endless": {
        response.writeHead(200, { "content-type": "application/json" });
        const chunk = Buffer.alloc(65_536, " ");
        const gone = new Promise<void>((resolve) => response.once("close", resolve));
        while (!response.destroyed) {
          if (!response.write(chunk))
            await Promise.race([gone, new Promise<void>((resolve) => response.once("drain", resolve))]);
        }
        return false;
      }
      case "reset":
        if (fault.when === "middle") {
          response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
          await new Promise<void>((resolve) => response.write('{"ok":true,"resu', () => resolve()));
        }
        request.socket.resetAndDestroy();
        return false;
    }
  }

  async #answer(logged: LoggedRequest, body: Body, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bot = this.#bots.get(logged.token);
    const method = methods[logged.method];
    try {
      if (!bot || bot.revoked) throw new ApiError(bot ? 401 : 401, "Unauthorized");
      if (logged.method === "getUpdates") {
        const gone = new AbortController();
        const leave = () => gone.abort();
        response.on("close", leave);
        // The other side has hung up: the response is closed only some turns later.
        request.socket.once("end", leave);
        if (request.socket.readableEnded || response.destroyed) leave();
        const updates = await bot.getUpdates(body.params, gone.signal);
        request.socket.off("end", leave);
        if (gone.signal.aborted) return void response.destroy();
        response.on("finish", () => bot.delivered(updates));
        return envelope(response, 200, { ok: true, result: updates });
      }
      if (!method) throw new ApiError(404, "Not Found: method not found");
      const result = await method({ bot, chats: this.#chats, body, files: logged.files, now: Date.now() });
      envelope(response, 200, { ok: true, result });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      envelope(response, error.code, {
        ok: false,
        error_code: error.code,
        description: error.message,
        ...(error.parameters ? { parameters: error.parameters } : {}),
      });
    }
  }

  #file(token: string, path: string, response: ServerResponse): void {
    const file = [...this.#chats.files.values()].find((one) => one.path === path);
    if (!this.#bots.has(token) || !file) return void response.writeHead(404).end("Not Found");
    response.writeHead(200, { "content-length": String(file.data.length) }).end(file.data);
  }

  /** Ends early when the client goes or faults are taken back. */
  #wait(ms: number, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(end, ms);
      response.once("close", end);
      this.#healed.signal.addEventListener("abort", end, { once: true });
    });
  }
}

function envelope(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
