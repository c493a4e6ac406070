/** Writes `GatewayModels.swift` (settled.md 26): structs for objects, enums for choices and unions. Values that a newer gateway
 *  may add are kept in a case `unrecognized`, so that an older app still decodes the rest. */
import { pascal, refName, type Definitions, type JsonSchema } from "./definitions.ts";

const keywords = new Set(
  "as associatedtype break case catch class continue default defer deinit do else enum extension fallthrough false for func guard if import in init inout internal is let nil operator private protocol public repeat return self static struct subscript super switch throw throws true try typealias var where while".split(
    " ",
  ),
);

/** A Swift identifier in lower camel case. */
function identifier(text: string): string {
  const name = pascal(text);
  const lower = name.charAt(0).toLowerCase() + name.slice(1);
  if (lower === "") throw new Error(`"${text}" makes no Swift name`);
  const safe = /^[0-9]/.test(lower) ? `v${lower}` : lower;
  return keywords.has(safe) ? `\`${safe}\`` : safe;
}

/** The identifiers of some values; two values must not share one. */
function identifiers(values: readonly string[]): string[] {
  const found = values.map(identifier);
  if (new Set(found).size < found.length) throw new Error(`two of ${values.join(", ")} make the same Swift name`);
  return found;
}

/** A property keeps its wire name; none of them needs a CodingKey. */
function property(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Error(`property "${name}" is no Swift name`);
  return keywords.has(name) ? `\`${name}\`` : name;
}

interface SwiftType {
  name: string;
  optional: boolean;
}

const written = (type: SwiftType): string => (type.optional ? `${type.name}?` : type.name);
const required = (name: string): SwiftType => ({ name, optional: false });

class SwiftWriter {
  private readonly shapes: Map<string, JsonSchema>;
  private readonly emitted = new Map<string, string>();

  constructor(shapes: Map<string, JsonSchema>) {
    this.shapes = shapes;
  }

  /** Declares one definition, and under names of their own the shapes inside it. */
  define(name: string, schema: JsonSchema): void {
    const type = this.type(schema, name);
    if (type.name !== name || type.optional) this.emit(name, `public typealias ${name} = ${written(type)}\n`);
  }

  alias(name: string, target: string): void {
    if (name !== target) this.emit(name, `public typealias ${name} = ${target}\n`);
  }

  text(): string {
    return [...this.emitted.values()].join("\n");
  }

  private emit(name: string, body: string): void {
    const known = this.emitted.get(name);
    if (known !== undefined && known !== body) throw new Error(`two Swift types are called ${name}`);
    this.emitted.set(name, body);
  }

  /** The type of a schema; `name` is what a shape without a name of its own is called. */
  private type(schema: JsonSchema, name: string): SwiftType {
    if (schema.$ref !== undefined) return required(refName(schema.$ref));
    if (schema.enum !== undefined) {
      const values = schema.enum.filter((value) => value !== null);
      this.emit(name, choiceEnum(name, values));
      return { name, optional: values.length < schema.enum.length };
    }
    if (schema.anyOf !== undefined) {
      const members = schema.anyOf.filter((member) => member.type !== "null");
      const optional = members.length < schema.anyOf.length;
      const [only] = members;
      if (members.length === 1 && only !== undefined) return { ...this.type(only, name), optional: true };
      this.emit(name, this.unionEnum(name, members));
      return { name, optional };
    }
    if (Array.isArray(schema.type)) {
      const types = schema.type.filter((type) => type !== "null");
      const optional = types.length < schema.type.length;
      const [only] = types;
      if (types.length === 1 && only !== undefined) return { ...this.type({ ...schema, type: only }, name), optional };
      return { name: "AnyCodable", optional };
    }
    switch (schema.type) {
      case "string":
        return required("String");
      case "integer":
        return required("Int");
      case "number":
        return required(schema.const === undefined ? "Double" : "Int");
      case "boolean":
        return required("Bool");
      case "array":
        return required(`[${written(this.type(schema.items ?? {}, `${name}Item`))}]`);
      case "object":
        return this.object(schema, name);
      default:
        return required("AnyCodable");
    }
  }

  private object(schema: JsonSchema, name: string): SwiftType {
    if (typeof schema.additionalProperties === "object") {
      return required(`[String: ${written(this.type(schema.additionalProperties, `${name}Value`))}]`);
    }
    if (schema.properties === undefined) return required("[String: AnyCodable]");
    const fields = Object.entries(schema.properties).map(([key, inner]) => {
      const type = this.type(inner, `${name}${pascal(key)}`);
      const missing = !(schema.required ?? []).includes(key);
      const clears = missing && type.optional && name.endsWith("Params");
      return {
        name: property(key),
        type: { name: clears ? `Nullable<${type.name}>` : type.name, optional: missing || type.optional },
        note: inner.description === undefined ? "" : `    /// ${inner.description}\n`,
      };
    });
    const lines = fields.map((field) => `${field.note}    public var ${field.name}: ${written(field.type)}\n`);
    const inputs = fields.map((field) => `${field.name}: ${written(field.type)}${field.type.optional ? " = nil" : ""}`);
    const sets = fields.map((field) => `        self.${field.name} = ${field.name}\n`);
    const init =
      fields.length === 0
        ? "    public init() {}\n"
        : `\n    public init(\n${inputs.map((input) => `        ${input}`).join(",\n")}\n    ) {\n${sets.join("")}    }\n`;
    this.emit(name, `public struct ${name}: Codable, Sendable {\n${lines.join("")}${init}}\n`);
    return required(name);
  }

  private unionEnum(name: string, members: JsonSchema[]): string {
    const cases = members.map((member) => {
      const type = written(this.type(member, `${name}${memberWord(member)}`));
      return { label: identifier(member.$ref === undefined ? memberWord(member) : type), type, tag: member };
    });
    const tags = this.discriminator(members);
    const decode = tags === undefined ? tryInOrder(cases) : switchOnTag(tags, cases);
    return [
      `public enum ${name}: Codable, Sendable {`,
      ...cases.map((entry) => `    case ${entry.label}(${entry.type})`),
      "    case unrecognized(AnyCodable)",
      "",
      "    public init(from decoder: Decoder) throws {",
      "        let container = try decoder.singleValueContainer()",
      ...decode,
      "    }",
      "",
      "    public func encode(to encoder: Encoder) throws {",
      "        var container = encoder.singleValueContainer()",
      "        switch self {",
      ...[...cases.map((entry) => entry.label), "unrecognized"].map(
        (label) => `        case .${label}(let value): try container.encode(value)`,
      ),
      "        }",
      "    }",
      "}",
      "",
    ].join("\n");
  }

  /** The property that tells the members apart, and its value in each; undefined when there is none. */
  private discriminator(members: JsonSchema[]): { key: string; values: string[] } | undefined {
    const shapes = members.map((member) =>
      member.$ref === undefined ? member : this.shapes.get(refName(member.$ref)),
    );
    for (const key of Object.keys(shapes[0]?.properties ?? {})) {
      const values = shapes.map((shape) => shape?.properties?.[key]?.const);
      if (values.every((value) => typeof value === "string")) return { key, values };
    }
    return undefined;
  }
}

type UnionCase = { label: string; type: string };

const memberWord = (member: JsonSchema): string =>
  member.$ref !== undefined
    ? refName(member.$ref)
    : member.type === "array"
      ? "List"
      : pascal(String(member.type ?? "Value"));

const tryInOrder = (cases: UnionCase[]): string[] => [
  ...cases.map(
    ({ label, type }) =>
      `        if let value = try? container.decode(${type}.self) { self = .${label}(value); return }`,
  ),
  "        self = .unrecognized(try container.decode(AnyCodable.self))",
];

const switchOnTag = (tags: { key: string; values: string[] }, cases: UnionCase[]): string[] => [
  `        let tag = try container.decode([String: AnyCodable].self)["${tags.key}"]?.text`,
  "        switch tag {",
  ...cases.map(
    ({ label, type }, index) =>
      `        case "${tags.values[index] ?? ""}": self = .${label}(try container.decode(${type}.self))`,
  ),
  "        default: self = .unrecognized(try container.decode(AnyCodable.self))",
  "        }",
];

function choiceEnum(name: string, values: string[]): string {
  const labels = identifiers([...values, "unrecognized"]).slice(0, -1);
  const pairs = values.map((value, index) => ({ text: JSON.stringify(value), label: labels[index] ?? "" }));
  return [
    `public enum ${name}: Codable, Sendable, Hashable {`,
    ...pairs.map(({ label }) => `    case ${label}`),
    "    case unrecognized(String)",
    "",
    "    public init(rawValue: String) {",
    "        switch rawValue {",
    ...pairs.map(({ text, label }) => `        case ${text}: self = .${label}`),
    "        default: self = .unrecognized(rawValue)",
    "        }",
    "    }",
    "",
    "    public var rawValue: String {",
    "        switch self {",
    ...pairs.map(({ text, label }) => `        case .${label}: return ${text}`),
    "        case .unrecognized(let value): return value",
    "        }",
    "    }",
    "",
    "    public init(from decoder: Decoder) throws {",
    "        self.init(rawValue: try decoder.singleValueContainer().decode(String.self))",
    "    }",
    "",
    "    public func encode(to encoder: Encoder) throws {",
    "        var container = encoder.singleValueContainer()",
    "        try container.encode(rawValue)",
    "    }",
    "}",
    "",
  ].join("\n");
}

function nameEnum(name: string, values: string[]): string {
  const labels = identifiers(values);
  const cases = values.map((value, index) => `    case ${labels[index] ?? ""} = ${JSON.stringify(value)}\n`);
  return `public enum ${name}: String, Codable, Sendable, CaseIterable {\n${cases.join("")}}\n`;
}

const anyCodable = `/// Any JSON value.
public enum AnyCodable: Codable, Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([AnyCodable])
    case object([String: AnyCodable])

    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() { self = .null; return }
        if let value = try? container.decode(Bool.self) { self = .bool(value); return }
        if let value = try? container.decode(Int.self) { self = .int(value); return }
        if let value = try? container.decode(Double.self) { self = .double(value); return }
        if let value = try? container.decode(String.self) { self = .string(value); return }
        if let value = try? container.decode([AnyCodable].self) { self = .array(value); return }
        self = .object(try container.decode([String: AnyCodable].self))
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The text, if this is one.
    public var text: String? {
        if case .string(let value) = self { return value }
        return nil
    }
}
`;

const nullable = `/// A param that may be sent as null, which clears something; leaving it out changes nothing.
public enum Nullable<Value: Codable & Sendable>: Codable, Sendable {
    case null
    case value(Value)

    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = container.decodeNil() ? .null : .value(try container.decode(Value.self))
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .value(let value): try container.encode(value)
        }
    }
}
`;

/** The whole file. `versions` are the protocol versions a client may ask for. */
export function swiftFile({ shapes, methods, events }: Definitions, versions: readonly number[]): string {
  const writer = new SwiftWriter(shapes);
  for (const [name, schema] of shapes) writer.define(name, schema);
  for (const [name, names] of methods) {
    writer.alias(`${pascal(name)}Params`, names.params);
    writer.alias(`${pascal(name)}Result`, names.result);
    if (names.ack !== undefined) writer.alias(`${pascal(name)}Ack`, names.ack);
  }
  for (const [name, payload] of events) writer.alias(`${pascal(name)}Event`, payload);
  return [
    "// Generated by `npm run protocol:gen:swift`. Do not edit.",
    "// Models of the OpenClaw Gateway protocol.",
    "import Foundation",
    "",
    `public let gatewayProtocolVersions: [Int] = [${versions.join(", ")}]`,
    "",
    anyCodable,
    nullable,
    nameEnum("GatewayMethodName", [...methods.keys()]),
    nameEnum("GatewayEventName", [...events.keys()]),
    writer.text(),
  ].join("\n");
}
