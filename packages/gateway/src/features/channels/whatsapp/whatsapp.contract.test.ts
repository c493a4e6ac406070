import { channelContract } from "../channel.contract.ts";
import { whatsappEntry } from "./entry.ts";
import { link, openWire } from "./wire.fixture.ts";

channelContract("WhatsApp", async () => {
  const wire = await openWire();
  await link(wire);
  const ann = await wire.fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
  let delivered: string[] = [];
  const watch = async () => {
    const { outbound } = await wire.fake.ledger();
    delivered = outbound.flatMap(({ text }) => (text === undefined ? [] : [text]));
  };
  const timer = setInterval(() => void watch(), 10);
  return {
    entry: whatsappEntry,
    account: wire.account,
    async write(text) {
      await wire.fake.phone.sendText(ann.pn, text);
    },
    delivered: () => delivered,
    person: { chatId: ann.number, kind: "direct" },
    spellings: ["+4915112345678", "whatsapp:+49 151 12345678", "4915112345678@s.whatsapp.net"],
    async close() {
      clearInterval(timer);
      await wire.close();
    },
  };
});
