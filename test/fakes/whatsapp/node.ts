/** Stanzas, written short and read safely. */
import type { BinaryNode } from "baileys";

export type { BinaryNode } from "baileys";

export const server = "s.whatsapp.net";

/** Attributes that are undefined are left out. */
export function el(
  tag: string,
  attrs: Record<string, string | number | undefined> = {},
  content?: string | Uint8Array | readonly (BinaryNode | undefined)[],
): BinaryNode {
  const node: BinaryNode = { tag, attrs: {} };
  for (const [name, value] of Object.entries(attrs)) if (value !== undefined) node.attrs[name] = String(value);
  if (content === undefined) return node;
  const plain = typeof content === "string" || content instanceof Uint8Array;
  node.content = plain ? content : content.filter((child) => child !== undefined);
  return node;
}

export const children = (node: BinaryNode | undefined): BinaryNode[] =>
  Array.isArray(node?.content) ? node.content : [];

/** The first node below `node` along the tags of `path`. */
export function at(node: BinaryNode | undefined, ...path: string[]): BinaryNode | undefined {
  return path.reduce((found, tag) => children(found).find((child) => child.tag === tag), node);
}

/** Content as bytes; empty when there is none. */
export function bytes(node: BinaryNode | undefined): Buffer {
  const content = node?.content;
  if (typeof content === "string") return Buffer.from(content, "utf8");
  return content instanceof Uint8Array ? Buffer.from(content) : Buffer.alloc(0);
}

export const text = (node: BinaryNode | undefined): string => bytes(node).toString("utf8");

/** Big-endian. */
export const uint = (node: BinaryNode | undefined): number =>
  bytes(node).reduce((value, byte) => value * 256 + byte, 0);

/** Seconds, as stanzas carry time. */
export const seconds = (ms: number): string => String(Math.floor(ms / 1000));

/** The answer to a query. */
export const result = (query: BinaryNode, content?: (BinaryNode | undefined)[]): BinaryNode =>
  el("iq", { id: query.attrs["id"], type: "result", from: `@${server}` }, content);
