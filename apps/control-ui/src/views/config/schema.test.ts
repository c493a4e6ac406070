import { expect, test } from "vitest";
import { controlOf, hintAt, isSensitive, parsePath, pathText, redacted, schemaAt, type Schema } from "./schema.ts";
import { search, settingsIn } from "./search.ts";
import { validate } from "./validate.ts";

const schema: Schema = {
  type: "object",
  properties: {
    gateway: {
      type: "object",
      properties: {
        mode: {
          anyOf: [
            { type: "string", const: "local" },
            { type: "string", const: "remote" },
          ],
        },
        port: { type: "integer", minimum: 1, maximum: 65_535, description: "Port of WebSocket and HTTP." },
        on: { type: "boolean" },
      },
      additionalProperties: false,
    },
    ids: { type: "array", items: { anyOf: [{ type: "string" }, { type: "number" }] } },
    providers: {
      type: "object",
      patternProperties: {
        "^.+$": { type: "object", properties: { apiKey: { type: "string", minLength: 1 } }, required: ["apiKey"] },
      },
    },
    odd: { anyOf: [{ type: "string" }, { type: "object", properties: {} }] },
    maybe: { anyOf: [{ type: "integer" }, { type: "null" }] },
  },
  additionalProperties: false,
};
const kind = (path: string, value?: unknown) => {
  const node = schemaAt(schema, path.split("."));
  return node && controlOf(node, value).kind;
};
const told = (document: unknown) =>
  validate(schema, document).map(({ path, message }) => `${pathText(path)}: ${message}`);

test("each kind of setting gets its control", () => {
  expect(kind("gateway")).toBe("object");
  expect(kind("gateway.mode")).toBe("choice");
  expect(kind("gateway.port")).toBe("number");
  expect(kind("gateway.on")).toBe("switch");
  expect(kind("ids")).toBe("list");
  expect(kind("providers")).toBe("map");
  expect(kind("providers.any.apiKey")).toBe("text");
  expect(kind("maybe")).toBe("number");
});

test("what no control can show is left alone", () => {
  expect(kind("odd")).toBe("unsupported");
  expect(kind("gateway.port", "${PORT}")).toBe("unsupported");
  expect(kind("gateway.port", 18_789)).toBe("number");
  expect(kind("nowhere")).toBeUndefined();
});

test("problems are told with the path they are at", () => {
  expect(told({ gateway: { mode: "here", port: 70_000, prt: 1 }, ids: ["a", 1, true] })).toEqual([
    'gateway.mode: must be "local" or "remote"',
    "gateway.port: must be at most 65535",
    "gateway.prt: is not a setting",
    "ids[2]: must be text or a number",
  ]);
  expect(told({ providers: { mock: {} } })).toEqual(["providers.mock: apiKey is missing"]);
  expect(told([])).toEqual([": must be an object, not a list"]);
});

test("secrets, references to the environment and includes are not judged here", () => {
  expect(
    told({ gateway: { port: "${PORT}", $include: "x.json5" }, providers: { mock: { apiKey: redacted } } }),
  ).toEqual([]);
});

test("hints with a star stand for any name; a name alone may be a secret", () => {
  const hints = {
    "providers.*.apiKey": { label: "Key", sensitive: true },
    "gateway.port": { label: "Port", sensitive: false },
  };
  expect(hintAt(hints, ["providers", "mock", "apiKey"]).label).toBe("Key");
  expect(hintAt(hints, ["gateway", "port"]).label).toBe("Port");
  expect(isSensitive(hints, ["x", "botToken"])).toBe(true);
  expect(isSensitive(hints, ["x", "name"])).toBe(false);
});

test("paths are read as the gateway writes them, dots in names included", () => {
  const document = { list: [{ id: "a" }], map: { "a.b": { c: 1 } } };
  expect(parsePath("list[0].id", document)).toEqual(["list", 0, "id"]);
  expect(parsePath("list.0.id", document)).toEqual(["list", 0, "id"]);
  expect(parsePath("map.a.b.c", document)).toEqual(["map", "a.b", "c"]);
  expect(pathText(["list", 0, "id"])).toBe("list[0].id");
});

test("settings are found by every word, those in the path first", () => {
  const all = settingsIn(schema, { "gateway.on": { help: "A port is not here." } });
  expect(search(all, "port").map(({ path }) => path.join("."))).toEqual(["gateway.port", "gateway.on"]);
  expect(search(all, "websocket http").map(({ path }) => path.join("."))).toEqual(["gateway.port"]);
  expect(search(all, "nothing")).toEqual([]);
});
