/** Two guards around the library's Signal sessions: against faults of it that end as messages nobody can read. */
import { createRequire } from "node:module";
import type { SignalKeyStore, SignalKeyStoreWithTransaction } from "baileys";
import { isPn, parseJid } from "./jid.ts";

interface SessionEntry {
  serialize(): unknown;
}
type Decrypt = (this: unknown, message: Uint8Array, session: SessionEntry | undefined) => Promise<Uint8Array>;

const patched = Symbol("sessions are kept whole");

/** A message that does not belong to a session leaves it as it was. libsignal tries a message on every session it has with a device,
 *  and a try that fails has by then turned the session's ratchet; once another session can read it, all are stored. What is said
 *  in the first one, by either side, could not be read from then on. A new session begins with each look at a person's devices,
 *  while messages of the old one are still on their way.
 *
 *  Changes the copy of libsignal that the library uses, once. Throws when it is not the one this was written for. */
export function keepSessionsWhole(): void {
  const fromLibrary = createRequire(createRequire(import.meta.url).resolve("baileys"));
  const { SessionCipher } = fromLibrary("libsignal") as { SessionCipher?: { prototype: Record<PropertyKey, unknown> } };
  const cipher = SessionCipher?.prototype;
  const decrypt = cipher?.["doDecryptWhisperMessage"] as Decrypt | undefined;
  if (!cipher || typeof decrypt !== "function")
    throw new Error("this version of libsignal is not supported: it has no doDecryptWhisperMessage");
  if (cipher[patched]) return;
  cipher[patched] = true;
  const onCopy: Decrypt = async function (message, session) {
    if (!session) return decrypt.call(this, message, session);
    const copy = copyOf(session);
    const text = await decrypt.call(this, message, copy);
    // Only an authentic message comes here. What the copy does not have any more must go as well.
    for (const name of Object.keys(session)) if (!(name in copy)) Reflect.deleteProperty(session, name);
    Object.assign(session, copy);
    return text;
  };
  cipher["doDecryptWhisperMessage"] = onCopy;
}

function copyOf(session: SessionEntry): SessionEntry {
  const { deserialize } = session.constructor as unknown as { deserialize?: (data: unknown) => SessionEntry };
  if (typeof deserialize !== "function") throw new Error("this version of libsignal is not supported: sessions differ");
  return deserialize.call(session.constructor, session.serialize());
}

/** The keys as the library's Signal part is to see them: each step on the sessions with a device reads and writes them at once, one step
 *  after another, whichever of a person's two addresses it names.
 *
 *  The library would lock by the address it was given, and would keep what a step reads and writes inside the sending of a whole
 *  message, over waits for the platform, to store it at the end. A message that came in meanwhile then undid a session that had
 *  just begun, or was undone itself. */
export function sessionKeys(keys: SignalKeyStore): SignalKeyStoreWithTransaction {
  const turns = new Map<string, Promise<unknown>>();
  const deviceOf = async (name: string): Promise<string> => {
    const jid = parseJid(name);
    if (!jid) return name;
    const { [jid.user]: lid } = isPn(name) ? await keys.get("lid-mapping", [jid.user]) : {};
    return `${lid ?? jid.user}:${jid.device}`;
  };
  return {
    get: (kind, ids) => keys.get(kind, ids),
    set: (data) => keys.set(data),
    isInTransaction: () => false,
    async transaction(act, jid) {
      const device = await deviceOf(jid);
      const done = (turns.get(device) ?? Promise.resolve()).then(act);
      const over = done.then(
        () => {},
        () => {},
      );
      turns.set(device, over);
      void over.then(() => {
        if (turns.get(device) === over) turns.delete(device);
      });
      return done;
    },
  };
}
