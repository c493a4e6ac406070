/** What a file is: by its first bytes, then by what the server says, then by its name (agent.md §13.7). */

interface Kind {
  mimeType: string;
  /** With its dot. */
  extension: string;
}

const kinds: readonly (Kind & { magic?: (head: Head) => boolean; names?: readonly string[] })[] = [
  { mimeType: "image/png", extension: ".png", magic: (h) => h.hex(0, 4) === "89504e47" },
  { mimeType: "image/jpeg", extension: ".jpg", magic: (h) => h.hex(0, 3) === "ffd8ff", names: [".jpeg"] },
  { mimeType: "image/gif", extension: ".gif", magic: (h) => h.ascii(0, 4) === "GIF8" },
  { mimeType: "image/webp", extension: ".webp", magic: (h) => h.ascii(0, 4) === "RIFF" && h.ascii(8, 12) === "WEBP" },
  { mimeType: "image/heic", extension: ".heic", magic: (h) => /^ftyp(heic|heix|mif1)/u.test(h.ascii(4, 12)) },
  { mimeType: "application/pdf", extension: ".pdf", magic: (h) => h.ascii(0, 5) === "%PDF-" },
  { mimeType: "audio/ogg", extension: ".ogg", magic: (h) => h.ascii(0, 4) === "OggS", names: [".oga", ".opus"] },
  { mimeType: "audio/mpeg", extension: ".mp3", magic: (h) => h.ascii(0, 3) === "ID3" || h.hex(0, 2) === "fffb" },
  { mimeType: "audio/wav", extension: ".wav", magic: (h) => h.ascii(0, 4) === "RIFF" && h.ascii(8, 12) === "WAVE" },
  { mimeType: "audio/mp4", extension: ".m4a", magic: (h) => h.ascii(4, 11) === "ftypM4A" },
  { mimeType: "audio/flac", extension: ".flac", magic: (h) => h.ascii(0, 4) === "fLaC" },
  { mimeType: "video/quicktime", extension: ".mov", magic: (h) => h.ascii(4, 10) === "ftypqt" },
  { mimeType: "video/mp4", extension: ".mp4", magic: (h) => h.ascii(4, 8) === "ftyp" },
  { mimeType: "video/webm", extension: ".webm", magic: (h) => h.hex(0, 4) === "1a45dfa3" },
  { mimeType: "application/gzip", extension: ".gz", magic: (h) => h.hex(0, 2) === "1f8b", names: [".tgz"] },
  { mimeType: "application/json", extension: ".json" },
  { mimeType: "text/csv", extension: ".csv" },
  { mimeType: "text/html", extension: ".html", names: [".htm"] },
  { mimeType: "text/markdown", extension: ".md" },
  { mimeType: "text/plain", extension: ".txt", names: [".log"] },
];

/** Containers whose bytes say only what holds the content. */
const containers: Readonly<Record<string, string>> = {
  ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  ".epub": "application/epub+zip",
  ".zip": "application/zip",
};

export function fileKind(head: Uint8Array, fileName?: string, contentType?: string): Kind {
  const view = new Head(head);
  const named = /\.[a-z0-9]{1,8}$/iu.exec(fileName ?? "")?.[0].toLowerCase();
  const byMagic = kinds.find((kind) => kind.magic?.(view));
  if (byMagic) return { mimeType: byMagic.mimeType, extension: byMagic.extension };
  if (view.hex(0, 4) === "504b0304")
    return {
      mimeType: containers[named ?? ""] ?? "application/zip",
      extension: named && containers[named] ? named : ".zip",
    };
  // A file that says it is a picture and is none is a document.
  const claimed = contentType && !/^(image|audio|video)\//u.test(contentType) ? contentType : undefined;
  const known = kinds.find(
    (kind) =>
      !kind.magic &&
      (claimed === kind.mimeType || (named && (kind.extension === named || kind.names?.includes(named)))),
  );
  if (known) return { mimeType: known.mimeType, extension: known.extension };
  return { mimeType: claimed ?? "application/octet-stream", extension: named ?? ".bin" };
}

class Head {
  readonly #bytes: Buffer;
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes);
  }
  hex(from: number, to: number): string {
    return this.#bytes.toString("hex", from, to);
  }
  ascii(from: number, to: number): string {
    return this.#bytes.toString("latin1", from, to);
  }
}
