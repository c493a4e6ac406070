/** Writes the AJV standalone validators. What the gateway needs on every request goes into `validators.js`; validators of what
 *  it sends itself go into `answers.js`, which tests and `--verbose` load. Both are plain ES modules without dependencies. */
import { Ajv } from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import { refName, type Definitions, type JsonSchema } from "./definitions.ts";

/** Errors after which a validator stops looking. Bounds time and memory for hostile input; `allErrors` alone does not. */
const maxErrors = 64;

type Groups = Record<string, Record<string, string> | string>;

/** A copy without texts, in which references name schemas directly, each of which is added to AJV by its own name. */
function forAjv(schema: JsonSchema): object {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => {
    if (typeof value !== "string") return value;
    if (key === "description") return undefined;
    return key === "$ref" ? refName(value) : value;
  });
}

/** One module exporting `groups`: a validator, or a record of validators by wire name. */
function moduleFor(
  shapes: Map<string, JsonSchema>,
  groups: Groups,
  options: { allErrors: boolean; header: string },
): string {
  const ajv = new Ajv({
    allErrors: options.allErrors,
    inlineRefs: false,
    allowUnionTypes: true,
    strictTypes: false,
    code: { source: true, esm: true, lines: true },
  });
  // Equal shapes share one validator, whatever they are called.
  const first = new Map<string, string>();
  const shared = (name: string): string => {
    const text = JSON.stringify(forAjv(shapes.get(name) ?? {}));
    const known = first.get(text) ?? name;
    first.set(text, known);
    return known;
  };
  for (const [name, shape] of shapes) ajv.addSchema({ $id: name, ...forAjv(shape) });
  const wanted = new Set<string>();
  for (const group of Object.values(groups)) {
    for (const name of typeof group === "string" ? [group] : Object.values(group)) wanted.add(shared(name));
  }
  const code = standalone.default(ajv, Object.fromEntries([...wanted].map((name) => [name, name])));
  return `${options.header}\n${runtime}${polish(code, options.allErrors)}\n${Object.entries(groups)
    .map(([name, group]) => exported(name, group, shared))
    .join("\n")}`;
}

function exported(name: string, group: Record<string, string> | string, shared: (name: string) => string): string {
  if (typeof group === "string") return `export const ${name} = $${shared(group)};\n`;
  const lines = Object.entries(group).map(([key, target]) => `  ${JSON.stringify(key)}: $${shared(target)},\n`);
  // Keys come from the wire: no prototype to stumble over.
  return `export const ${name} = {\n  __proto__: null,\n${lines.join("")}};\n`;
}

const runtime = `
/** Whether a text has more code points than \`limit\`. */
function longer(text, limit) {
  if (text.length <= limit) return false;
  if (text.length > limit * 2) return true;
  let points = 0;
  for (const _ of text) if (++points > limit) return true;
  return false;
}

function add(errors, instancePath, keyword, params, message) {
  const error = { instancePath, keyword, params, message };
  if (errors === null) return [error];
  errors.push(error);
  return errors;
}

/** Says that a validator gave up. */
const tooMany = (errors, instancePath) =>
  add(errors, instancePath, "maxErrors", { limit: ${maxErrors} }, "must NOT have more than ${maxErrors} errors");
`;

/** Makes AJV's output self-contained, smaller and bounded. Throws when AJV's code no longer looks as expected. */
function polish(source: string, allErrors: boolean): string {
  const schemas = new Map<string, unknown>();
  let code = source
    .replace(/^"use strict";/, "")
    .replace(/^export default [^;]+;/m, "")
    .replaceAll(/^export const (\w+) = (validate\d+);/gm, "const $$$1 = $2;")
    .replaceAll(
      /^const func\d+ = (?:require\("ajv\/dist\/runtime\/ucs2length"\)\.default|Object\.prototype\.hasOwnProperty);\n/gm,
      "",
    )
    .replaceAll(/^const (schema\d+) = (\{.*\});\n/gm, (_, name: string, text: string) => {
      schemas.set(name, JSON.parse(text));
      return "";
    })
    .replaceAll(/func\d+\((\w+)\) < 1\b/g, "$1.length < 1")
    .replaceAll(/func\d+\((\w+)\) > (\d+)/g, "longer($1, $2)")
    .replaceAll(/func\d+\.call\((schema\d+\.properties), (\w+)\)/g, (_, path: string, key: string) => {
      const keys = Object.keys(Object(at(schemas, path)));
      return `(${keys.map((name) => `${key} === ${JSON.stringify(name)}`).join(" || ")})`;
    })
    .replaceAll(/\bschema\d+(?:\.\w+|\[\d+\])+/g, (path) => JSON.stringify(at(schemas, path)))
    .replaceAll(
      /if\(vErrors === null\)\{\nvErrors = \[(err\d+)\];\n\}\nelse \{\nvErrors\.push\(\1\);\n\}/g,
      "vErrors = add(vErrors, $1);",
    )
    .replaceAll(/schemaPath:"(?:[^"\\]|\\.)*",/g, "")
    .replaceAll(
      /const (err\d+) = \{instancePath(?::(.*?))?,keyword:("\w+"),params:(.*),message:(.*)\};\nvErrors = add\(vErrors, \1\);\nerrors\+\+;/g,
      (_, _name, path: string | undefined, keyword: string, params: string, message: string) =>
        `vErrors = add(vErrors, ${path ?? "instancePath"}, ${keyword}, ${params}, ${message.replaceAll('"+"', "")});errors++;`,
    )
    .replaceAll(/^\/\*# sourceURL="\w+" \*\/;\n/gm, "")
    .replaceAll("let vErrors = null;\nlet errors = 0;", "let vErrors = null, errors = 0;")
    .replaceAll(/, parentData, parentDataProperty, rootData=data\}=\{\}/g, "}={}")
    .replaceAll(/,parentData(?::[^,]*)?,parentDataProperty(?::[^,]*)?,rootData\}/g, "}")
    .replaceAll(/\n(?:\}\n)+/g, (braces) => `\n${braces.replaceAll("\n", "")}\n`)
    .replaceAll(/\n{2,}/g, "\n");
  if (allErrors) {
    code = code.replaceAll(
      /^(for\(.*\)\{)$/gm,
      `$1\nif(errors >= ${maxErrors}){vErrors = tooMany(vErrors, instancePath);errors++;break;}`,
    );
    if (/for\([^\n]*\)\{(?!\nif\(errors >=)/.test(code)) throw new Error("a loop of the validators is not bounded");
  }
  const left = /\brequire\(.*|\bfunc\d+.*|\bschema\d+.*|\b(?:parent|root)Data.*/.exec(code);
  if (left) throw new Error(`the validators still need parts of AJV: ${left[0].slice(0, 80)}`);
  return code;
}

/** The value behind `schema12.properties.mode.enum`. */
function at(schemas: Map<string, unknown>, path: string): unknown {
  const [name, ...steps] = path.split(/[.[\]]+/).filter((step) => step !== "");
  let value = schemas.get(name ?? "");
  for (const step of steps) value = Object(value)[step];
  if (value === undefined) throw new Error(`no ${path} in the schemas`);
  return value;
}

export function validatorFiles(definitions: Definitions, header: string): Record<string, string> {
  const { shapes, methods, events } = definitions;
  const perMethod = (part: "params" | "result" | "ack"): Record<string, string> =>
    Object.fromEntries(
      [...methods].flatMap(([name, names]) => (names[part] === undefined ? [] : [[name, names[part]]])),
    );
  return {
    "validators.js":
      moduleFor(
        shapes,
        {
          frameValidators: { request: "RequestFrame", response: "ResponseFrame", event: "EventFrame" },
          connectParams: "ConnectParams",
          paramsValidators: perMethod("params"),
        },
        { allErrors: true, header },
      ) + '\nexport const loadAnswerValidators = () => import("./answers.js");\n',
    "answers.js": moduleFor(
      shapes,
      {
        helloOk: "HelloOk",
        resultValidators: perMethod("result"),
        ackValidators: perMethod("ack"),
        eventValidators: Object.fromEntries(events),
      },
      { allErrors: true, header },
    ),
    "validators.d.ts": `${header}
export interface ValidationError {
  /** JSON pointer, "" at the root. */
  instancePath: string;
  keyword: string;
  params: Record<string, unknown>;
  message?: string;
}
/** Whether the value fits. After a false answer \`errors\` lists why, at most about ${maxErrors}; the next call replaces it.
 *  A list with keyword \`maxErrors\` is not complete. */
export interface ValidateFunction {
  (data: unknown): boolean;
  errors?: ValidationError[] | null;
}
/** The closed envelopes of protocol 3. */
export declare const frameValidators: { readonly request: ValidateFunction; readonly response: ValidateFunction; readonly event: ValidateFunction };
export declare const connectParams: ValidateFunction;
/** By method name, planned methods included. Has no prototype. */
export declare const paramsValidators: Readonly<Record<string, ValidateFunction>>;
/** Validators of what the gateway itself sends: for tests and verbose runs. They report the first error only. */
export declare const loadAnswerValidators: () => Promise<typeof import("./answers.js")>;
`,
    "answers.d.ts": `${header}
import type { ValidateFunction } from "./validators.js";
export declare const helloOk: ValidateFunction;
export declare const resultValidators: Readonly<Record<string, ValidateFunction>>;
export declare const ackValidators: Readonly<Record<string, ValidateFunction>>;
export declare const eventValidators: Readonly<Record<string, ValidateFunction>>;
`,
  };
}
