import { channelContract } from "./channel.contract.ts";
import { MemoryAccount, memoryEntry, memoryMessage, memorySettings } from "./memory.fixture.ts";

channelContract("in memory", () => {
  const account = new MemoryAccount();
  const entry = memoryEntry({ accounts: () => [memorySettings()], account: () => account });
  let n = 0;
  /** Written, and not yet acknowledged. */
  const waiting: ReturnType<typeof memoryMessage>[] = [];
  const connect = account.connect.bind(account);
  const deliver = async () => {
    for (let next = waiting[0]; next && account.live > 0; next = waiting[0]) {
      try {
        await account.receive(next);
        waiting.shift();
      } catch (error) {
        account.end({ kind: "retry", message: String(error) });
        return;
      }
    }
  };
  account.connect = (events, signal) => {
    const ended = connect(events, signal);
    void deliver();
    return ended;
  };
  return Promise.resolve({
    entry,
    account,
    async write(text) {
      waiting.push(memoryMessage(++n, { text }));
      await deliver();
    },
    delivered: () =>
      account.delivered.map(({ part }) => (part.content.type === "text" ? part.content.body.plain : part.content.type)),
    person: { chatId: "ann", kind: "direct" },
    spellings: ["ann", " ann ", "memory:ann"],
    close: () => Promise.resolve(),
  });
});
