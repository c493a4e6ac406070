import { expect, test } from "vitest";
import { readArrival } from "./arrivals.ts";

test("a message redelivered after its sender's number became known is the same message", async () => {
  const ids: unknown[] = [];
  for (const pn of [undefined, "4915112345678@s.whatsapp.net"]) {
    const read = await readArrival(
      {
        key: { remoteJid: "77@lid", id: "ABC" },
        message: { conversation: "hi" },
        messageTimestamp: 1_770_000_000,
      } as never,
      false,
      {
        own: { pn: "1@s.whatsapp.net", lid: undefined, e164: "+1" },
        pnOfLid: () => Promise.resolve(pn),
        unresolved: () => {},
        groups: {} as never,
        sent: { has: () => false } as never,
        selfChatMode: false,
        messagePrefix: undefined,
        linkedAt: 0,
      },
    );
    ids.push("message" in read ? read.message.platformId : read);
  }
  expect(ids[1]).toBe(ids[0]);
});
