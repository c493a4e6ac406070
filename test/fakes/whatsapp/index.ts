/** A WhatsApp Web server for tests, on loopback, with the phone and its contacts behind it. Unmodified Baileys 7.0.0-rc14 links,
 *  logs in, sends and receives against it, encrypted end to end; what it proves and what not is in README.md.
 *
 *  ```ts
 *  const fake = await start();                       // or startChild(): a process that outlives the client's kills
 *  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(fake.certKey, "base64");
 *  makeWASocket({ waWebSocketUrl: fake.url, … });    // on `qr`: await fake.phone.scanQr(qr)
 *  const ann = await fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
 *  const id = await fake.phone.sendText(ann.pn, "hello");
 *  await fake.until((l) => l.inbound.find((m) => m.id === id)?.acknowledged, "a receipt");
 *  await fake.until((l) => l.outbound.find((m) => m.text === "hi"), "an answer");
 *  await fake.faults.failure(503, { now: true });
 *  await fake.close();
 *  ```
 *  As the real server does, it keeps a message until the client sends a receipt for it and delivers it again, with the same id,
 *  the same ciphertext and an `offline` attribute, at the next login. All state lives in the server, none in the client. */
export type {
  Connection,
  FakeWhatsApp,
  Faults,
  Inbound,
  Ledger,
  MediaKind,
  MediaOptions,
  Outbound,
  Person,
  Phone,
  SendOptions,
  StartOptions,
} from "./api.ts";
export { connect, startChild } from "./remote.ts";
export { start } from "./server.ts";
