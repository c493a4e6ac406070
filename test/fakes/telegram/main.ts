/** The fake Bot API as a process of its own: prints its URL and token, and runs until it is ended.
 *  `node main.ts [--port 0] [--token …] [--chat 42]`; each line on standard input is a message from that chat, and each message sent is a line of JSON. */
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { startFakeTelegram } from "./index.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    token: { type: "string" },
    chat: { type: "string", default: "42" },
  },
});
const fake = await startFakeTelegram({
  port: Number(values.port),
  ...(values.token === undefined ? {} : { token: values.token }),
});
console.log(JSON.stringify({ url: fake.url, token: fake.bot.token }));
const chatId = Number(values.chat);
fake.chats.ensure(chatId);
let shown = 0;
const show = () => {
  for (; shown < fake.chats.sent.length; shown++) console.log(JSON.stringify(fake.chats.sent[shown]));
};
setInterval(show, 50).unref();
createInterface({ input: process.stdin }).on("line", (text) => {
  if (text !== "") fake.chats.message(fake.bot, chatId, { text });
});
