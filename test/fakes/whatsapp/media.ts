/** The media server: encrypted files by path, over HTTPS because the client accepts nothing else (channels.md §8.6). */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { createServer } from "node:https";
import type { Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getMediaKeys } from "baileys";
import { selfSigned } from "../../../packages/gateway/src/assembly/certificate.ts";
import type { MediaKind, Outbound } from "./api.ts";
import type { FaultState } from "./faults.ts";
import type { Records } from "./record.ts";

export const downloadableKinds: readonly MediaKind[] = ["image", "video", "audio", "document", "sticker"];

export interface MediaSource {
  kind: MediaKind;
  path: string;
  mediaKey: Uint8Array;
  facts: Omit<NonNullable<Outbound["media"]>, "sizeBytes" | "sha256">;
}

/** What a message says about its file. */
export interface MediaFields {
  url: string;
  directPath: string;
  mediaKey: Uint8Array;
  mediaKeyTimestamp: number;
  fileSha256: Uint8Array;
  fileEncSha256: Uint8Array;
  fileLength: number;
}

const macBytes = 10;
const maxUploadBytes = 128 * 1024 * 1024;
const hourMs = 3_600_000;

const sha256 = (data: Uint8Array): Buffer => createHash("sha256").update(data).digest();

export class MediaServer {
  readonly ca: string;
  private readonly files = new Map<string, Buffer>();
  /** Paths that answer a status instead of a file. */
  private readonly gone = new Map<string, number>();
  private readonly server: Server;
  private readonly faults: FaultState;
  private readonly record: Records;

  constructor(faults: FaultState, record: Records) {
    this.faults = faults;
    this.record = record;
    const now = Date.now();
    const { cert, key } = selfSigned({
      commonName: "127.0.0.1",
      names: ["127.0.0.1", "localhost"],
      notBefore: now - hourMs,
      notAfter: now + 24 * 30 * hourMs,
      serial: randomBytes(16),
    });
    this.ca = cert;
    this.server = createServer({ cert, key }, (request, response) => {
      this.handle(request, response).catch(() => response.destroy());
    });
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(0, "127.0.0.1", resolve);
    });
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** Stores a file as a phone uploads it; `gone` is the status its download answers instead. */
  async put(kind: MediaKind, data: Buffer, gone?: number): Promise<MediaFields> {
    const mediaKey = randomBytes(32);
    const { iv, cipherKey, macKey } = await getMediaKeys(mediaKey, kind);
    if (!macKey) throw new Error("The media keys have no key for the authentication code.");
    const cipher = createCipheriv("aes-256-cbc", cipherKey, iv);
    const body = Buffer.concat([cipher.update(data), cipher.final()]);
    const mac = createHmac("sha256", macKey).update(iv).update(body).digest().subarray(0, macBytes);
    const sealed = Buffer.concat([body, mac]);
    const directPath = `/v/${sha256(sealed).toString("hex")}.enc`;
    this.files.set(directPath, sealed);
    if (gone !== undefined) this.gone.set(directPath, gone);
    return {
      url: `https://${this.host}${directPath}`,
      directPath,
      mediaKey,
      mediaKeyTimestamp: Math.floor(Date.now() / 1000),
      fileSha256: sha256(data),
      fileEncSha256: sha256(sealed),
      fileLength: data.length,
    };
  }

  /** Decrypts what a client uploaded. Throws when it is not there or was changed. */
  async open(source: Pick<MediaSource, "kind" | "path" | "mediaKey">): Promise<Buffer> {
    const sealed = this.files.get(source.path.split("?")[0] ?? "");
    if (!sealed) throw new Error(`Nothing was uploaded to ${source.path}.`);
    const { iv, cipherKey, macKey } = await getMediaKeys(source.mediaKey, source.kind);
    if (!macKey) throw new Error("The media keys have no key for the authentication code.");
    const body = sealed.subarray(0, -macBytes);
    const mac = createHmac("sha256", macKey).update(iv).update(body).digest().subarray(0, macBytes);
    if (!mac.equals(sealed.subarray(-macBytes))) throw new Error("The authentication code of the file is wrong.");
    const decipher = createDecipheriv("aes-256-cbc", cipherKey, iv);
    return Buffer.concat([decipher.update(body), decipher.final()]);
  }

  /** The phone uploads a file again that is gone: its new path. Undefined when there never was one. */
  renew(path: string): string | undefined {
    const sealed = this.files.get(path);
    if (!sealed) return undefined;
    const fresh = path.replace(/\.enc$/u, "-again.enc");
    this.files.set(fresh, sealed);
    return fresh;
  }

  hash(file: Buffer): string {
    return sha256(file).toString("hex");
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "https://localhost").pathname;
    const upload = request.method === "POST";
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request) {
      size += (chunk as Buffer).length;
      if (size > maxUploadBytes) return void response.writeHead(413).end();
      chunks.push(chunk as Buffer);
    }
    const status = this.faults.mediaStatus ?? (upload ? undefined : this.gone.get(path));
    if (status !== undefined) return void response.writeHead(status).end();
    if (upload) {
      this.record.uploads++;
      this.files.set(path, Buffer.concat(chunks));
      const answer = { url: `https://${this.host}${path}`, direct_path: path };
      response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
    } else {
      const file = this.files.get(path);
      if (!file) return void response.writeHead(404).end();
      this.record.downloads++;
      response.setHeader("content-type", "application/octet-stream").end(file);
    }
    this.record.changed();
  }
}
