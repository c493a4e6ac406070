import { channelContract } from "../channel.contract.ts";
import { openAccount } from "./account.fixture.ts";
import { telegramEntry } from "./entry.ts";

channelContract("Telegram", async () => {
  const rig = await openAccount();
  const { fake } = rig;
  fake.chats.add({ id: 42 });
  return {
    entry: telegramEntry,
    account: rig.account,
    write(text) {
      fake.chats.message(fake.bot, 42, { text });
      return Promise.resolve();
    },
    delivered: () => fake.chats.sent.map(({ text }) => text),
    person: { chatId: "42", kind: "direct" },
    spellings: ["42", " 42 ", "telegram:42", "tg:42"],
    close: () => rig.close(),
  };
});
