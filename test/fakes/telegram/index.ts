/** A Bot API server for tests (channels.md §9): HTTP on a local port, long polls that really wait, files, topics, and faults on
 *  demand. It outlives the gateway that talks to it: crash tests judge by `bot.ledger` and `chats.sent`.
 *
 *  ```ts
 *  const fake = await startFakeTelegram();
 *  fake.chats.message(fake.bot, 42, { text: "hello" });            // a person writes
 *  fake.fault("sendMessage", { kind: "error", code: 429, parameters: { retry_after: 7 } });
 *  await fake.until(() => fake.chats.sent.length === 1);
 *  await fake.close();
 *  ```
 *  The gateway is pointed at it with `channels.telegram.apiRoot: fake.url` and `botToken: fake.bot.token`. */
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { FakeBot } from "./bot.ts";
import { Chats } from "./chats.ts";
import { FakeServer } from "./server.ts";
import type { BotOptions, Fault, LoggedRequest, RateLimits } from "./types.ts";

export { FakeBot } from "./bot.ts";
export { Chats, type Chat } from "./chats.ts";
export { parseHtml } from "./html.ts";
export * from "./types.ts";

export interface FakeTelegram {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** The bot that exists from the start. */
  bot: FakeBot;
  bots: ReadonlyMap<string, FakeBot>;
  chats: Chats;
  /** Every call so far, in order of arrival. */
  requests: LoggedRequest[];
  /** Calls of one method, by any bot. */
  calls(method: string): LoggedRequest[];
  addBot(options: BotOptions & { token: string }): FakeBot;
  /** The next calls of the method meet these, one each. `*` stands for any method, `file` for downloads. */
  fault(method: string, ...faults: Fault[]): void;
  /** Takes scripted faults back. */
  heal(): void;
  /** Resolves with the first truthy value of `probe`, looked at after everything that happens here. Rejects after `ms`. */
  until<T>(probe: () => T | undefined | null | false, ms?: number): Promise<T>;
  /** Sockets open now. */
  readonly connections: number;
  close(): Promise<void>;
}

export async function startFakeTelegram(
  options: BotOptions & { port?: number; rateLimits?: RateLimits } = {},
): Promise<FakeTelegram> {
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const look of watchers) look();
  };
  const chats = new Chats();
  chats.rateLimits = options.rateLimits ?? {};
  const bots = new Map<string, FakeBot>();
  const addBot = (more: BotOptions) => {
    const bot = new FakeBot(more, changed);
    bots.set(bot.token, bot);
    return bot;
  };
  const bot = addBot(options);
  const handler = new FakeServer(bots, chats, changed);
  const sockets = new Set<Socket>();
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    handler.handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(error instanceof Error ? `fake: ${error.message}` : "fake: failed");
    });
  });
  server.on("connection", (socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      changed();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bot,
    bots,
    chats,
    requests: handler.requests,
    calls: (method) => handler.requests.filter((request) => request.method === method),
    addBot,
    fault: (method, ...faults) => handler.fault(method, faults),
    heal: () => handler.heal(),
    until: (probe, ms = 5_000) =>
      new Promise((resolve, reject) => {
        const end = (settle: () => void) => {
          watchers.delete(look);
          clearTimeout(timer);
          settle();
        };
        const look = () => {
          const value = probe();
          if (value) end(() => resolve(value));
        };
        const timer = setTimeout(
          () => end(() => reject(new Error(`the fake Bot API waited ${ms} ms in vain for: ${probe.toString()}`))),
          ms,
        );
        watchers.add(look);
        look();
      }),
    get connections() {
      return sockets.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const one of bots.values()) one.close();
        for (const socket of sockets) socket.destroy();
      }),
  };
}
