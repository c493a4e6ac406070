/** A code as a picture: PNG in a data URL for browsers, blocks for terminals. */
import { deflateSync, crc32 } from "node:zlib";
import { encode, renderUnicodeCompact } from "uqr";

const scale = 6;

/** Half blocks, dark on light as phones expect it. */
export const qrBlocks = (text: string): string => renderUnicodeCompact(text, { border: 2 });

/** One bit per pixel, black on white, as a `data:` URL. */
export function qrPng(text: string): string {
  const { data, size } = encode(text, { border: 4 });
  const side = size * scale;
  const rowBytes = Math.ceil(side / 8);
  const pixels = Buffer.alloc((rowBytes + 1) * side, 0xff);
  for (let y = 0; y < side; y++) {
    const row = y * (rowBytes + 1);
    pixels[row] = 0;
    for (let x = 0; x < side; x++) {
      if (!data[Math.floor(y / scale)]?.[Math.floor(x / scale)]) continue;
      const at = row + 1 + (x >> 3);
      pixels[at] = (pixels[at] ?? 0) & ~(0x80 >> (x & 7));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  // Bit depth 1, greyscale.
  header.set([1, 0, 0, 0, 0], 8);
  const png = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(pixels)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
  return `data:image/png;base64,${png.toString("base64")}`;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
