/** Keys of the link as JSON, bytes as base64. The form is the one of the multi-file directories other programs keep, so that
 *  those can be read (channels.md §6.2). */

/** Bytes of a value as it is stored. */
export function encodeKey(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value, replaceBytes), "utf8");
}

/** Throws SyntaxError when it is no JSON. */
export function decodeKey(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString("utf8"), reviveBytes) as unknown;
}

// A Buffer reaches a replacer as what its `toJSON` made of it.
function replaceBytes(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { type: "Buffer", data: Buffer.from(value).toString("base64") };
  if (isJsonBuffer(value) && Array.isArray(value.data)) {
    return { type: "Buffer", data: Buffer.from(value.data as number[]).toString("base64") };
  }
  return value;
}

function reviveBytes(_key: string, value: unknown): unknown {
  if (!isJsonBuffer(value)) return value;
  const { data } = value;
  if (typeof data === "string") return Buffer.from(data, "base64");
  return Array.isArray(data) ? Buffer.from(data as number[]) : value;
}

function isJsonBuffer(value: unknown): value is { type: "Buffer"; data: unknown } {
  return typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value;
}
