/** The objects of a PDF file: found by looking for them, so that a broken table of contents does not matter, and unpacked within a
 *  budget, so that a small file cannot become a large one. */
import { isDict, nameOf, type PdfDict, PdfReader, type PdfValue } from "./pdf-syntax.ts";

/** Of one document, in bytes and pieces. */
export const pdfLimits = { unpackedBytes: 32 * 1024 * 1024, streamBytes: 8 * 1024 * 1024, objects: 200_000 } as const;

export class PdfRefused extends Error {
  override readonly name = "PdfRefused";
}

interface Place {
  text: string;
  at: number;
}

export class PdfDocument {
  readonly #places = new Map<number, Place>();
  readonly #read = new Map<number, PdfValue>();
  readonly #text: string;
  readonly #bytes: Buffer;
  #budget: number = pdfLimits.unpackedBytes;
  #root: PdfDict | undefined;

  /** Throws PdfRefused for a file that is encrypted, or too large inside. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#text = bytes.toString("latin1");
    this.#find();
  }

  /** Follows references; bounded, since they may lead in circles. */
  resolve(value: PdfValue | undefined): PdfValue | undefined {
    let found = value;
    for (let hops = 0; hops < 16; hops++) {
      if (typeof found !== "object" || found === null || !("ref" in found)) return found;
      found = this.#object(found.ref);
    }
    return undefined;
  }

  dict(value: PdfValue | undefined): PdfDict["dict"] | undefined {
    const found = this.resolve(value);
    return isDict(found) ? found.dict : undefined;
  }

  /** The first pages in reading order, with what they inherit. */
  pages(limit: number): PdfDict["dict"][] {
    const pages: PdfDict["dict"][] = [];
    const seen = new Set<PdfDict["dict"]>();
    const visit = (node: PdfDict["dict"] | undefined, inherited: PdfValue | undefined): void => {
      if (!node || seen.has(node) || seen.size > 10_000 || pages.length >= limit) return;
      seen.add(node);
      const resources = node.get("Resources") ?? inherited;
      const kids = this.resolve(node.get("Kids"));
      if (Array.isArray(kids)) {
        for (const kid of kids) {
          if (pages.length >= limit) return;
          visit(this.dict(kid), resources);
        }
      } else pages.push(resources === undefined ? node : new Map([...node, ["Resources", resources]]));
    };
    visit(this.dict(this.#root?.dict.get("Pages")), undefined);
    if (pages.length > 0) return pages;
    for (const id of this.#places.keys()) {
      const found = this.dict({ ref: id });
      if (found && nameOf(found.get("Type")) === "Page") pages.push(found);
      if (pages.length >= limit) break;
    }
    return pages;
  }

  /** Unpacked content of a stream, as latin1; undefined when there is none or its packing is not one for text. */
  stream(value: PdfValue | undefined): string | undefined {
    if (typeof value !== "object" || value === null || !("ref" in value)) return undefined;
    const place = this.#places.get(value.ref);
    const dict = this.dict(value);
    if (!place || !dict || place.text !== this.#text) return undefined;
    const raw = this.#rawStream(place.at, dict);
    return raw && this.#unpacked(raw, dict);
  }

  #find(): void {
    const pattern = /(?<![\w.])(\d{1,9})[ \t\r\n]{1,4}\d{1,5}[ \t\r\n]{1,4}obj\b/g;
    for (let match = pattern.exec(this.#text); match; match = pattern.exec(this.#text)) {
      if (this.#places.size >= pdfLimits.objects) throw new PdfRefused("The PDF has too many objects.");
      // The last definition counts: that is how files are updated.
      this.#places.set(Number(match[1]), { text: this.#text, at: pattern.lastIndex });
    }
    this.#trailers();
    // More are found on the way, in packed streams; those hold no further ones.
    for (const id of Array.from(this.#places.keys())) {
      const place = this.#places.get(id);
      // A cheap look first: most objects are neither kind.
      const head = place?.text.slice(place.at, place.at + 400) ?? "";
      if (/\/XRef\b/.test(head)) this.#trailer(this.dict({ ref: id }));
      if (/\/ObjStm\b/.test(head)) this.#objectStream(id);
    }
    if (!this.#root) this.#root = this.#catalog();
  }

  #catalog(): PdfDict | undefined {
    for (const id of this.#places.keys()) {
      const place = this.#places.get(id);
      if (!place || !/\/Catalog\b/.test(place.text.slice(place.at, place.at + 400))) continue;
      const found = this.resolve({ ref: id });
      if (isDict(found)) return found;
    }
    return undefined;
  }

  #trailers(): void {
    let at = this.#text.indexOf("trailer");
    for (let count = 0; at !== -1 && count < 64; count++) {
      const value = new PdfReader(this.#text, at + 7).next();
      if (isDict(value)) this.#trailer(value.dict);
      at = this.#text.indexOf("trailer", at + 7);
    }
  }

  #trailer(dict: PdfDict["dict"] | undefined): void {
    if (dict?.has("Encrypt")) throw new PdfRefused("The PDF is encrypted.");
    const root = this.resolve(dict?.get("Root"));
    if (isDict(root)) this.#root = root;
  }

  #objectStream(id: number): void {
    const dict = this.dict({ ref: id });
    const text = this.stream({ ref: id });
    const first = dict?.get("First");
    const count = dict?.get("N");
    if (text === undefined || typeof first !== "number" || typeof count !== "number") return;
    const numbers = new PdfReader(text.slice(0, first));
    for (let index = 0; index < count; index++) {
      const object = numbers.next();
      const offset = numbers.next();
      if (typeof object !== "number" || typeof offset !== "number") return;
      if (this.#places.size >= pdfLimits.objects) throw new PdfRefused("The PDF has too many objects.");
      if (!this.#places.has(object)) this.#places.set(object, { text, at: first + offset });
    }
  }

  #object(id: number): PdfValue | undefined {
    const known = this.#read.get(id);
    if (known !== undefined) return known;
    const place = this.#places.get(id);
    if (!place) return undefined;
    const value = new PdfReader(place.text, place.at).next() ?? null;
    this.#read.set(id, value);
    return value;
  }

  #rawStream(from: number, dict: PdfDict["dict"]): Buffer | undefined {
    const reader = new PdfReader(this.#text, from);
    reader.next();
    const start = /^\s{0,8}stream(?:\r\n|\n|\r)/.exec(this.#text.slice(reader.at, reader.at + 32));
    if (!start) return undefined;
    const at = reader.at + start[0].length;
    const length = this.resolve(dict.get("Length"));
    const declared = typeof length === "number" && length >= 0 ? at + length : -1;
    const fits = declared >= 0 && /^\s{0,4}endstream/.test(this.#text.slice(declared, declared + 16));
    const stop = fits ? declared : this.#text.indexOf("endstream", at);
    return this.#bytes.subarray(at, stop === -1 ? undefined : stop);
  }

  #unpacked(raw: Buffer, dict: PdfDict["dict"]): string | undefined {
    const filter = this.resolve(dict.get("Filter"));
    const filters = (Array.isArray(filter) ? filter : filter === undefined ? [] : [filter]).map((one) =>
      nameOf(this.resolve(one)),
    );
    let bytes = raw;
    for (const name of filters) {
      if (name === "FlateDecode" || name === "Fl") bytes = this.#inflated(bytes);
      else if (name === "ASCIIHexDecode" || name === "AHx")
        bytes = Buffer.from(
          bytes
            .toString("latin1")
            .split(">")[0]
            ?.replace(/[^0-9a-f]/gi, "") ?? "",
          "hex",
        );
      else if (name === "ASCII85Decode" || name === "A85") bytes = ascii85(bytes.toString("latin1"));
      else return undefined;
    }
    const parameters = this.dict(dict.get("DecodeParms"));
    const predictor = parameters?.get("Predictor");
    // Only cross-reference tables use one, and those are not read.
    if (typeof predictor === "number" && predictor > 1) return undefined;
    return bytes.toString("latin1");
  }

  #inflated(bytes: Buffer): Buffer {
    const zlib = process.getBuiltinModule("node:zlib");
    const maxOutputLength = Math.max(1, Math.min(pdfLimits.streamBytes, this.#budget));
    try {
      const found = zlib.inflateSync(bytes, { maxOutputLength, finishFlush: zlib.constants.Z_SYNC_FLUSH });
      this.#budget -= found.length;
      return found;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" || this.#budget <= 1)
        throw new PdfRefused("The PDF is too large once it is unpacked.");
      // A damaged stream has no text; the others may.
      return Buffer.alloc(0);
    }
  }
}

function ascii85(text: string): Buffer {
  const out: number[] = [];
  let group: number[] = [];
  const flush = () => {
    const given = group.length;
    if (given < 2) return;
    while (group.length < 5) group.push(84);
    const value = group.reduce((sum, digit) => sum * 85 + digit, 0);
    for (let index = 0; index < given - 1; index++) out.push(Math.floor(value / 256 ** (3 - index)) & 255);
    group = [];
  };
  for (const char of text) {
    if (char === "~") break;
    if (char === "z" && group.length === 0) out.push(0, 0, 0, 0);
    const code = char.charCodeAt(0) - 33;
    if (code < 0 || code > 84) continue;
    group.push(code);
    if (group.length === 5) flush();
  }
  flush();
  return Buffer.from(out);
}
