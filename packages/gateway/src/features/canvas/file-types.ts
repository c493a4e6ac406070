/** Content types by extension, for what has none by its first bytes. */
const text = "; charset=utf-8";
const types: Readonly<Record<string, string>> = {
  html: `text/html${text}`,
  htm: `text/html${text}`,
  css: `text/css${text}`,
  js: `text/javascript${text}`,
  mjs: `text/javascript${text}`,
  json: `application/json${text}`,
  map: `application/json${text}`,
  webmanifest: `application/manifest+json${text}`,
  txt: `text/plain${text}`,
  md: `text/markdown${text}`,
  csv: `text/csv${text}`,
  xml: `application/xml${text}`,
  svg: `image/svg+xml${text}`,
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  ico: "image/x-icon",
  mp4: "video/mp4",
  webm: "video/webm",
  mov: "video/quicktime",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  ogg: "audio/ogg",
  wav: "audio/wav",
  woff: "font/woff",
  woff2: "font/woff2",
  ttf: "font/ttf",
  otf: "font/otf",
  wasm: "application/wasm",
  pdf: "application/pdf",
};

const starts: readonly (readonly [string, string])[] = [
  ["89504e470d0a1a0a", "image/png"],
  ["ffd8ff", "image/jpeg"],
  ["47494638", "image/gif"],
  ["25504446", "application/pdf"],
];

export const sniffBytes = 16;

export function fileType(name: string, head: Uint8Array): string {
  const extension = /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  if (Object.hasOwn(types, extension)) return types[extension] ?? "";
  const hex = Buffer.from(head).toString("hex");
  return starts.find(([start]) => hex.startsWith(start))?.[1] ?? "application/octet-stream";
}

export const isPage = (name: string): boolean => /\.html?$/i.test(name);
