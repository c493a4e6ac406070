import { paramsValidators, loadAnswerValidators, type ValidateFunction } from "@openclaw/protocol/validators";
import { Ajv } from "ajv";
import { array, assert, constantFrom, nat, property } from "fast-check";
import { expect, test } from "vitest";
import { Type } from "typebox";
import { event, method } from "../../packages/protocol/src/define.ts";
import { collect, refName, type JsonSchema } from "../../scripts/protocol/definitions.ts";
import { staleFiles } from "../../scripts/protocol/files.ts";
import { generate } from "../../scripts/protocol/generate.ts";

const files = generate();

test("the generated protocol files say what the definitions say", () => {
  expect(staleFiles(files)).toEqual([]);
});

test("generating twice gives the same text", () => {
  expect(generate()).toEqual(files);
});

test("a changed, a missing and a strange file are named", () => {
  const { "table.ts": table = "", "protocol.md": _page, ...rest } = files;
  expect(staleFiles({ ...rest, "table.ts": `${table} `, "new.ts": "" })).toEqual(["new.ts", "protocol.md", "table.ts"]);
});

test("two different shapes of one name are refused", () => {
  const shape = (field: string) => Type.Object({ [field]: Type.String() }, { $id: "Thing" });
  const one = method({ name: "one", scope: "none", summary: "One.", params: shape("a"), result: shape("b") });
  expect(() => collect([one], [], {})).toThrow("two different shapes are called Thing");
});

test("a schema keyword the generator does not know is refused", () => {
  const one = event({
    name: "one",
    audience: "all",
    whenSlow: "drop",
    summary: "One.",
    payload: Type.Object({ a: Type.String({ format: "email" }) }),
  });
  expect(() => collect([], [one], {})).toThrow('keyword "format"');
});

interface SchemaFile {
  methods: Record<string, { params: JsonSchema; result: JsonSchema }>;
  definitions: Record<string, JsonSchema>;
}

/** A value that fits, with every optional field. */
function sample(schema: JsonSchema, definitions: Record<string, JsonSchema>): unknown {
  if (schema.$ref !== undefined) return sample(definitions[refName(schema.$ref)] ?? {}, definitions);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.anyOf !== undefined) return sample(schema.anyOf[0] ?? {}, definitions);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "string") return schema.pattern === undefined ? "text" : "2026-02-13";
  if (type === "integer" || type === "number") return Math.max(schema.minimum ?? 0, 1);
  if (type === "boolean") return true;
  if (type === "array") {
    return Array.from({ length: schema.minItems ?? 1 }, () => sample(schema.items ?? {}, definitions));
  }
  if (type !== "object") return { free: 1 };
  if (typeof schema.additionalProperties === "object") return { key: sample(schema.additionalProperties, definitions) };
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([key, inner]) => [key, sample(inner, definitions)]),
  );
}

const odd = [null, "", "x".repeat(200), 0, -1, 1.5, 1e9, true, [], [7], {}, { zzz: 1 }, ["a", "", null]];

/** The value with one thing inside it replaced, removed or added; `path` chooses where. */
function damaged(value: unknown, path: number[], replacement: unknown, how: "replace" | "remove" | "add"): unknown {
  const [step, ...rest] = path;
  if (typeof value !== "object" || value === null || step === undefined) return how === "add" ? value : replacement;
  const entries = Object.entries(value);
  const at = entries.length === 0 ? 0 : step % entries.length;
  if (rest.length === 0 && how === "add") entries.push(["zzz", replacement]);
  else if (rest.length === 0 && how === "remove") entries.splice(at, 1);
  else
    entries.splice(
      at,
      1,
      ...entries
        .slice(at, at + 1)
        .map(([key, inner]): [string, unknown] => [key, damaged(inner, rest, replacement, how)]),
    );
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

test("the shortened validators judge as AJV does, error by error", async () => {
  const file: SchemaFile = JSON.parse(files["protocol.schema.json"] ?? "");
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strictTypes: false });
  ajv.addSchema({ $id: "file", definitions: file.definitions });
  const { resultValidators } = await loadAnswerValidators();
  const said = (validate: ValidateFunction, value: unknown): unknown =>
    validate(value)
      ? []
      : (validate.errors ?? [])
          .map(({ instancePath, keyword, message, params }) => JSON.stringify([instancePath, keyword, message, params]))
          .toSorted();
  const cases = Object.entries(file.methods).flatMap(([name, { params, result }]) => [
    { schema: params, short: paramsValidators[name] },
    { schema: result, short: resultValidators[name] },
  ]);
  for (const { schema, short } of cases) {
    const full = ajv.compile({ $ref: `file${schema.$ref ?? ""}` });
    const good = sample(schema, file.definitions);
    if (short === undefined) throw new Error("a method has no validators");
    expect(said(short, good), schema.$ref ?? "").toEqual([]);
    assert(
      property(
        array(nat(40), { minLength: 1, maxLength: 5 }),
        constantFrom(...odd),
        constantFrom("replace" as const, "remove" as const, "add" as const),
        (path, replacement, how) => {
          const value = damaged(good, path, replacement, how);
          expect(said(short, value)).toEqual(said(full as ValidateFunction, value));
        },
      ),
      { numRuns: 25 },
    );
  }
});
