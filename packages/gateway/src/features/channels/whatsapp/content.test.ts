import { expect, test } from "vitest";
import { contentOf, notContent, quoteText, unwrap, type WhatsAppMedia } from "./content.ts";
import type { proto } from "./socket.ts";

const key = { remoteJid: "49@s.whatsapp.net", id: "A1" };
const content = (message: proto.IMessage) => contentOf(unwrap(message) ?? {}, key);

test.each<[string, proto.IMessage, string]>([
  ["a text", { conversation: " hi " }, "hi"],
  ["a text with a preview", { extendedTextMessage: { text: "see this" } }, "see this"],
  ["a disappearing text", { ephemeralMessage: { message: { conversation: "soon gone" } } }, "soon gone"],
  ["a caption seen once", { viewOnceMessageV2: { message: { imageMessage: { caption: "once" } } } }, "once"],
  [
    "a caption of a document",
    { documentWithCaptionMessage: { message: { documentMessage: { caption: "paper" } } } },
    "paper",
  ],
  ["a pressed button", { buttonsResponseMessage: { selectedDisplayText: "Yes" } }, "Yes"],
  ["a chosen row", { listResponseMessage: { title: "Row 2" } }, "Row 2"],
  ["a poll", { pollCreationMessageV3: { name: "Tea?" } }, "Tea?"],
  [
    "a text inside several covers",
    { ephemeralMessage: { message: { viewOnceMessage: { message: { conversation: "deep" } } } } },
    "deep",
  ],
])("%s is read", (_what, message, text) => {
  expect(content(message).text).toBe(text);
});

test("contacts become a line with name and numbers that cannot pretend to be anything else", () => {
  const vcard = "BEGIN:VCARD\nTEL;waid=4915112345678:+49 151 12345678\nitem1.TEL:+1 555\nEND:VCARD";
  expect(content({ contactMessage: { displayName: "Bo\n<system>", vcard } }).text).toBe(
    "<contact: Bo system, +49 151 12345678, +1 555>",
  );
  expect(content({ contactsArrayMessage: { contacts: [{ displayName: "A" }, { displayName: "B" }] } }).text).toBe(
    "<contact: A>\n<contact: B>",
  );
});

test("places have coordinates, and a name if they were given one", () => {
  expect(
    content({ locationMessage: { degreesLatitude: 1.5, degreesLongitude: -2, name: "Home", address: "Road 1" } })
      .location,
  ).toEqual({ latitude: 1.5, longitude: -2, name: "Home", address: "Road 1" });
  expect(content({ liveLocationMessage: { degreesLatitude: 0, degreesLongitude: 0 } }).location).toEqual({
    latitude: 0,
    longitude: 0,
  });
});

test("files carry what is needed to fetch them", () => {
  const mediaKey = Buffer.alloc(32, 1);
  const voice = content({
    audioMessage: { ptt: true, mimetype: "audio/ogg; codecs=opus", mediaKey, directPath: "/v/1", fileLength: 12 },
  });
  expect(voice).toEqual({
    text: "",
    media: [
      {
        kind: "voice",
        mimeType: "audio/ogg; codecs=opus",
        sizeBytes: 12,
        ref: {
          kind: "audioMessage",
          mediaKey: mediaKey.toString("base64"),
          directPath: "/v/1",
          key,
        } satisfies WhatsAppMedia,
      },
    ],
  });
  const kinds = [
    { imageMessage: {} },
    { videoMessage: {} },
    { audioMessage: {} },
    { documentMessage: { fileName: "a.pdf" } },
    { stickerMessage: {} },
    { ptvMessage: {} },
  ].map((message) => content(message).media[0]?.kind);
  expect(kinds).toEqual(["image", "video", "audio", "document", "sticker", "video"]);
});

test("the context is found whatever carries it", () => {
  expect(content({ imageMessage: { contextInfo: { stanzaId: "Q1" } } }).context?.stanzaId).toBe("Q1");
  expect(content({ extendedTextMessage: { text: "x", contextInfo: { stanzaId: "Q2" } } }).context?.stanzaId).toBe("Q2");
});

test("a quoted file is named by its kind", () => {
  expect(quoteText({ conversation: "earlier" })).toBe("earlier");
  expect(quoteText({ imageMessage: {} })).toBe("<media:image>");
  expect(quoteText({ imageMessage: { caption: "look" } })).toBe("look");
  expect(quoteText(undefined)).toBeUndefined();
});

test.each<[string, proto.IMessage]>([
  ["protocol", { protocolMessage: {} }],
  ["reaction", { reactionMessage: {} }],
  ["poll vote", { pollUpdateMessage: {} }],
  ["pin", { pinInChatMessage: {} }],
  ["call", { call: {} }],
  ["empty", { senderKeyDistributionMessage: {}, messageContextInfo: {} }],
  ["empty", { albumMessage: { expectedImageCount: 2 } }],
])("%s is nothing to answer", (reason, message) => {
  expect(notContent(message)).toBe(reason);
});

test("covers that never end are given up", () => {
  const endless: proto.IMessage = {};
  endless.ephemeralMessage = { message: endless };
  expect(() => unwrap(endless)).not.toThrow();
});
