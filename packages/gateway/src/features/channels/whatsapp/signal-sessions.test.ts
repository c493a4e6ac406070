/** The Signal sessions of the real library against a contact's phone: what comes late or at once leaves them readable. */
import {
  addTransactionCapability,
  type AuthenticationCreds,
  DEFAULT_CONNECTION_CONFIG,
  initAuthCreds,
  type SignalKeyStore,
} from "baileys";
import { beforeAll, expect, test } from "vitest";
import { type Bundle, Peer } from "../../../../../../test/fakes/whatsapp/peer.ts";
import { quietConsole } from "./quiet-console.ts";
import { keepSessionsWhole, sessionKeys } from "./signal-sessions.ts";

const pn = "4915112345678@s.whatsapp.net";
const lid = "100000000000002@lid";
/** Of the account. */
const device = 7;

beforeAll(() => {
  quietConsole(console, () => {});
  keepSessionsWhole();
});

/** The account's keys in memory, and one contact. */
async function setUp() {
  const creds: AuthenticationCreds = initAuthCreds();
  const rows = new Map<string, unknown>();
  const name = (kind: string, id: string) => `${kind} ${id}`;
  const { logger } = DEFAULT_CONNECTION_CONFIG;
  logger.level = "silent";
  const get = (kind: string, ids: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(ids.flatMap((id) => (rows.has(name(kind, id)) ? [[id, rows.get(name(kind, id))]] : [])));
  const store: SignalKeyStore = {
    get: (kind, ids) => Promise.resolve(get(kind, ids) as never),
    set: (data) => {
      for (const [kind, values] of Object.entries(data))
        for (const [id, value] of Object.entries(values ?? {}))
          if (value === null) rows.delete(name(kind, id));
          else rows.set(name(kind, id), structuredClone(value));
    },
  };
  /** As the library does it. */
  const locked = addTransactionCapability(store, logger, { maxCommitRetries: 1, delayBetweenTriesMs: 1 });
  const keys = sessionKeys(store);
  const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds, keys }, logger);
  await repository.lidMapping.storeLIDPNMappings([{ lid, pn }]);
  const peer = new Peer();
  const { signedPreKey, signedIdentityKey, registrationId } = creds;
  const ours: Bundle = {
    registrationId,
    identity: signedIdentityKey.public,
    signedPreKey: {
      id: signedPreKey.keyId,
      value: signedPreKey.keyPair.public,
      signature: signedPreKey.signature,
    },
  };
  await peer.open(device, ours);
  const write = (text: string) => peer.encrypt(device, Buffer.from(text));
  const read = async ({ type, ciphertext }: Awaited<ReturnType<typeof write>>, jid = lid) => {
    const bytes = Buffer.from(await repository.decryptMessage({ jid, type, ciphertext }));
    return bytes.subarray(0, bytes.length - (bytes.at(-1) ?? 0)).toString();
  };
  /** What the contact reads of an answer. */
  const answer = async (text: string, jid = pn) => {
    const { type, ciphertext } = await repository.encryptMessage({ jid, data: padded(text) });
    return Buffer.from(await peer.decrypt(device, type, ciphertext)).toString();
  };
  /** What the library does at each look at the contact's devices. */
  const newSession = () => {
    const bundle = peer.bundle();
    return repository.injectE2ESession({
      jid: lid,
      session: {
        registrationId: bundle.registrationId,
        identityKey: signalKey(bundle.identity),
        signedPreKey: {
          keyId: bundle.signedPreKey.id,
          publicKey: signalKey(bundle.signedPreKey.value),
          signature: bundle.signedPreKey.signature,
        },
        ...(bundle.preKey && { preKey: { keyId: bundle.preKey.id, publicKey: signalKey(bundle.preKey.value) } }),
      },
    });
  };
  return { repository, locked, write, read, answer, newSession };
}

const padded = (text: string) => Buffer.concat([Buffer.from(text), Buffer.of(1)]);
const signalKey = (key: Uint8Array) => Buffer.concat([Buffer.of(5), key]);

test("a message of an old session that comes late leaves the new one readable on both sides", async () => {
  const { write, read, answer, newSession } = await setUp();
  expect(await read(await write("hello"))).toBe("hello");
  expect(await answer("hi")).toBe("hi");
  expect(await read(await write("and so on"))).toBe("and so on");
  const late = [await write("late 1"), await write("late 2")] as const;
  await newSession();
  expect(await answer("in the new session")).toBe("in the new session");
  expect(await read(late[0])).toBe("late 1");
  expect(await answer("still the new one")).toBe("still the new one");
  const next = await write("in the new session too");
  expect(await read(late[1])).toBe("late 2");
  expect(await read(next)).toBe("in the new session too");
  expect(await answer("and back")).toBe("and back");
});

test("a message that cannot be read changes nothing", async () => {
  const { write, read, answer } = await setUp();
  await read(await write("hello"));
  await answer("hi");
  const good = await write("good");
  const spoilt = { ...good, ciphertext: Buffer.from(good.ciphertext) };
  spoilt.ciphertext[spoilt.ciphertext.length - 9] = (spoilt.ciphertext.at(-9) ?? 0) ^ 1;
  await expect(read(spoilt)).rejects.toThrow("No matching sessions");
  expect(await read(good)).toBe("good");
  await expect(read(good), "its key is used up").rejects.toThrow("No matching sessions");
  expect(await answer("fine")).toBe("fine");
});

test("what is encrypted by number while a message is decrypted by local id uses no key twice", async () => {
  const { write, read, answer } = await setUp();
  await read(await write("hello"));
  expect(await answer("first")).toBe("first");
  for (let round = 0; round < 20; round++) {
    const letters = [await write(`a ${round}`), await write(`b ${round}`)] as const;
    const done = await Promise.all([
      read(letters[0], lid),
      answer(`x ${round}`, pn),
      read(letters[1], pn),
      answer(`y ${round}`, lid),
    ]);
    expect(done).toEqual([`a ${round}`, `x ${round}`, `b ${round}`, `y ${round}`]);
  }
});

test("a session that begins while a message comes in is there afterwards, whichever is done first", async () => {
  const { locked, write, read, answer, newSession } = await setUp();
  await read(await write("hello"));
  expect(await answer("hi")).toBe("hi");
  for (let steps = 0; steps < 40; steps++) {
    const coming = await write(`coming ${steps}`);
    const sent = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    // The library wraps the whole sending of a message, waits for the platform included.
    const sending = locked.transaction(async () => {
      await newSession();
      expect(await answer(`out ${steps}`)).toBe(`out ${steps}`);
      begun.resolve();
      await sent.promise;
    }, "me@s.whatsapp.net");
    await begun.promise;
    const reading = read(coming);
    for (let step = 0; step < steps; step++) await Promise.resolve();
    sent.resolve();
    expect(await reading).toBe(`coming ${steps}`);
    await sending;
    expect(await read(await write(`back ${steps}`)), `after ${steps} steps`).toBe(`back ${steps}`);
  }
});

test("a turn that fails holds up nobody", async () => {
  const { repository, write, read } = await setUp();
  const failed = repository.encryptMessage({ jid: "15550009999@s.whatsapp.net", data: padded("nobody") });
  await expect(failed).rejects.toThrow();
  await expect(read({ type: "msg", ciphertext: Buffer.alloc(40) })).rejects.toThrow();
  expect(await read(await write("hello"))).toBe("hello");
});
