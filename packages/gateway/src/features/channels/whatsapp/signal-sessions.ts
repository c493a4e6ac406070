/** Two guards around the library's Signal sessions: against faults of it that end as messages nobody can read. */
import { createRequire } from "node:module";
import type { SignalRepositoryWithLIDStore } from "baileys";
import { isPn, parseJid } from "./jid.ts";
import type { LinkKeys } from "./link-keys.ts";

type TurnTaking = Pick<SignalRepositoryWithLIDStore, "decryptMessage" | "encryptMessage" | "injectE2ESession">;

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

/** What is done to the sessions with a device is done one thing after another. The library locks them by the address it was given,
 *  and a person has two: a message that is encrypted by number while one is decrypted by local id would undo the other's step, and
 *  a key would be used twice. */
export function takeTurns<R extends TurnTaking>(repository: R, keys: Pick<LinkKeys, "get">): R {
  const turns = new Map<string, Promise<unknown>>();
  const deviceOf = (jid: string): string => {
    const { user, device } = parseJid(jid) ?? { user: jid, device: 0 };
    const lid = isPn(jid) ? keys.get("lid-mapping", [user])[user] : undefined;
    return `${typeof lid === "string" ? lid : user}:${device}`;
  };
  const inTurn =
    <P extends { jid: string }, T>(act: (parameters: P) => Promise<T>) =>
    (parameters: P): Promise<T> => {
      const name = deviceOf(parameters.jid);
      const done = (turns.get(name) ?? Promise.resolve()).then(() => act(parameters));
      const over = done.then(
        () => {},
        () => {},
      );
      turns.set(name, over);
      void over.then(() => {
        if (turns.get(name) === over) turns.delete(name);
      });
      return done;
    };
  repository.decryptMessage = inTurn(repository.decryptMessage.bind(repository));
  repository.encryptMessage = inTurn(repository.encryptMessage.bind(repository));
  repository.injectE2ESession = inTurn(repository.injectE2ESession.bind(repository));
  return repository;
}
