import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import * as fc from "fast-check";
import { Type } from "typebox";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { applyDefaults, expandPaths } from "./defaults.ts";
import { describeIssues, readConfig, type Declared } from "./read.ts";
import { redactedSentinel, redactRaw, redactValues, secretsOf } from "./redact.ts";
import { section } from "./section.ts";
import { asNode, validate } from "./validate.ts";
import { editConfigFile } from "./write.ts";

const demo = section(
  "demo",
  { reload: "live", description: "Demo." },
  {
    port: Type.Integer({ default: 18_789, minimum: 1, maximum: 65_535 }),
    token: Type.Optional(Type.String({ minLength: 1, sensitive: true })),
    mode: Type.Union([Type.Literal("a"), Type.Literal("b")], { default: "a" }),
    nested: Type.Object(
      { deep: Type.Boolean({ default: true }), dir: Type.Optional(Type.String()) },
      { additionalProperties: false },
    ),
    list: Type.Array(
      Type.Object({ id: Type.String(), size: Type.Integer({ default: 3 }) }, { additionalProperties: false }),
      { default: [] },
    ),
    map: Type.Record(Type.String(), Type.Integer(), { default: {} }),
  },
);
const open = { type: "object", properties: {} } as never;
const declared: Declared = {
  sections: [demo, ...["env", "channels", "agents"].map((path) => ({ path, reload: "live", schema: open }))],
};

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-"));
  file = join(folder, "openclaw.json");
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const read = (text: string, env: Record<string, string> = {}) => {
  writeFileSync(file, text);
  return readConfig(file, { ...fakeWorld(), env }, declared);
};

test("a missing file is legal and equals an empty document with defaults", () => {
  const snapshot = readConfig(file, fakeWorld(), declared);
  expect(snapshot.verdict).toBe("missing");
  expect(snapshot.config).toMatchObject({
    demo: { port: 18_789, mode: "a", nested: { deep: true }, list: [], map: {} },
  });
});

test("JSON5 with comments, trailing commas and a byte order mark is read", () => {
  const snapshot = read("\uFEFF{ // note\n demo: { port: 0x10, },\n}");
  expect(snapshot.verdict).toBe("ok");
  expect(snapshot.config).toMatchObject({ demo: { port: 16 } });
});

test("unreadable, unparsable and invalid are three verdicts, and none of them means empty", () => {
  expect(read("{ demo: ").verdict).toBe("unparsable");
  expect(read("[1]").verdict).toBe("unparsable");
  expect(read("{ demo: { port: 0 } }").verdict).toBe("invalid");
  const asFolder = readConfig(folder, fakeWorld(), declared);
  expect(asFolder.verdict).toBe("unreadable");
  expect(asFolder.config).toBeUndefined();
});

test("every issue is named at once with its path, and a mistyped key gets a suggestion", () => {
  const snapshot = read('{ demo: { prot: 1, port: "x", nested: { deep: 1 }, list: [{}] }, zzz: 1 }');
  const text = describeIssues(snapshot);
  expect(text).toContain('demo: Unrecognized key: "prot" (did you mean "port"?)');
  expect(text).toContain("demo.port: expected a number, got string");
  expect(text).toContain("demo.nested.deep: expected true or false, got number");
  expect(text).toContain("demo.list[0].id: is required");
  expect(text).toContain('<root>: Unrecognized key: "zzz"');
});

test("references are replaced from the environment and the env block, a missing one is an issue", () => {
  expect(read('{ demo: { token: "x-${A_B}-$${A_B}" } }', { A_B: "v" }).config).toMatchObject({
    demo: { token: "x-v-${A_B}" },
  });
  expect(read('{ env: { vars: { Q: "from-file" } }, demo: { token: "${Q}" } }').config).toMatchObject({
    demo: { token: "from-file" },
  });
  const missing = read('{ demo: { list: [{ id: "${NOPE}" }] } }');
  expect(missing.issues[0]?.message).toBe('Missing env var "NOPE" referenced at config path: demo.list[0].id');
});

test("includes merge, and cycles, escapes and missing files are refused", () => {
  writeFileSync(join(folder, "a.json5"), "{ port: 5, list: [{ id: 'x' }] }");
  expect(read("{ demo: { $include: './a.json5', mode: 'b', list: [{ id: 'y' }] } }").config).toMatchObject({
    demo: {
      port: 5,
      mode: "b",
      list: [
        { id: "x", size: 3 },
        { id: "y", size: 3 },
      ],
    },
  });
  writeFileSync(join(folder, "loop.json5"), "{ $include: './loop.json5' }");
  expect(read("{ demo: { $include: './loop.json5' } }").issues[0]?.message).toContain("Circular include detected");
  expect(read("{ demo: { $include: './none.json5' } }").issues[0]?.message).toContain("Failed to read include file");
  const outside = mkdtempSync(join(tmpdir(), "outside-"));
  writeFileSync(join(outside, "o.json5"), "{}");
  symlinkSync(join(outside, "o.json5"), join(folder, "link.json5"));
  expect(read("{ demo: { $include: './link.json5' } }").issues[0]?.message).toContain("outside the config directory");
  rmSync(outside, { recursive: true });
});

test("a tilde becomes the home directory in keys that name paths", () => {
  expect(expandPaths({ workspace: "~/w", name: "~/n", paths: ["~/p"] }, "/home/u")).toEqual({
    workspace: "/home/u/w",
    name: "~/n",
    paths: ["/home/u/p"],
  });
});

test("prototype keys are refused and change nothing", () => {
  const snapshot = read('{ "demo": { "__proto__": { "polluted": 1 }, "map": { "constructor": 1 } } }');
  expect(snapshot.verdict).toBe("invalid");
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("the verdict equals a second validator's on generated documents", () => {
  const schema = asNode(demo.schema);
  const closed = JSON.parse(JSON.stringify(demo.schema)) as {
    required?: string[];
    properties: { nested: { required?: string[] }; list: { items: { required?: string[] } } };
  };
  // The second validator must not demand what defaults fill in.
  delete closed.required;
  delete closed.properties.nested.required;
  closed.properties.list.items.required = ["id"];
  const ajv = new Ajv({ strict: false }).compile(closed);
  const value = fc.oneof(
    fc.integer({ min: -5, max: 70_000 }),
    fc.string({ maxLength: 3 }),
    fc.boolean(),
    fc.constant(null),
    fc.constant("a"),
  );
  const document = fc.record(
    {
      port: value,
      token: value,
      mode: value,
      nested: fc.oneof(value, fc.record({ deep: value, dir: value, other: value }, { requiredKeys: [] })),
      list: fc.oneof(
        value,
        fc.array(fc.oneof(value, fc.record({ id: value, size: value, more: value }, { requiredKeys: [] })), {
          maxLength: 2,
        }),
      ),
      map: fc.oneof(
        value,
        fc.dictionary(
          fc.string({ maxLength: 3 }).filter((k) => k !== "__proto__"),
          value,
          { maxKeys: 2 },
        ),
      ),
      zzz: value,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(document, (doc) => (validate(schema, doc).length === 0) === ajv(doc)),
    { numRuns: 1_000 },
  );
});

test("defaults do not touch the authored document", () => {
  const authored = { nested: {} };
  applyDefaults(asNode(demo.schema), authored);
  expect(authored).toEqual({ nested: {} });
});

test("an edit whose result is invalid writes nothing", async () => {
  writeFileSync(file, "{ demo: { port: 1 } }");
  const edit = () => editConfigFile(file, [{ path: ["demo", "port"], value: -1 }], fakeWorld(), declared);
  await expect(edit()).rejects.toThrow(/Nothing was written/u);
  expect(readFileSync(file, "utf8")).toBe("{ demo: { port: 1 } }");
});

test("a written file is private, backed up, and a link is written through", async () => {
  const target = join(folder, "real.json");
  writeFileSync(target, "{}");
  symlinkSync(target, file);
  await editConfigFile(file, [{ path: ["demo", "port"], value: 7 }], fakeWorld(), declared);
  expect(JSON.parse(readFileSync(target, "utf8"))).toEqual({ demo: { port: 7 } });
  expect(readFileSync(`${target}.bak`, "utf8")).toBe("{}");
  expect(statSync(target).mode & 0o777).toBe(0o600);
});

test("declared and name-like secrets are redacted, references and counts are not", () => {
  const value = {
    demo: { token: "s3cret-value" },
    channels: { telegram: { botToken: "123:abc", apiKey: "${KEY}" } },
    maxTokens: 5,
  };
  const schema = { type: "object", properties: { demo: asNode(demo.schema) } };
  expect(redactValues(value, schema)).toEqual({
    demo: { token: redactedSentinel },
    channels: { telegram: { botToken: redactedSentinel, apiKey: "${KEY}" } },
    maxTokens: 5,
  });
  const raw = JSON.stringify(value);
  const cleaned = redactRaw(raw, schema, secretsOf(value, schema));
  expect(cleaned).not.toContain("s3cret-value");
  expect(cleaned).not.toContain("123:abc");
});
