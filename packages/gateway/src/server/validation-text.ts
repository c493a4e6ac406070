/** Validation errors as text (protocol.md §9.4): one part per error, joined by "; ". */

/** The fields of an AJV error that the text is made from. */
export interface ValidationError {
  instancePath: string;
  keyword: string;
  message?: string | undefined;
  params: Record<string, unknown>;
  schemaPath?: string;
}

const maxParts = 8;

const cut = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}...` : text);

function part(error: ValidationError, ofConstants: boolean): string {
  const { instancePath: path, keyword, params } = error;
  if (keyword === "additionalProperties" || keyword === "unevaluatedProperties") {
    const name = String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
    return `at ${cut(path) || "root"}: unexpected property '${cut(name)}'`;
  }
  const constant = keyword === "enum" || keyword === "const" || ofConstants;
  const message = constant ? "must be equal to one of the allowed values" : (error.message ?? "is invalid");
  return path === "" ? message : `at ${cut(path)}: ${message}`;
}

const isUnion = (e: ValidationError): boolean => e.keyword === "anyOf" || e.keyword === "oneOf";

/** A union of constants reports one error per member and one for itself; they become a single part. */
export function validationText(errors: readonly ValidationError[]): string {
  const constants = new Set<string>();
  for (const e of errors) if (e.keyword === "const") constants.add(e.instancePath);
  const unions = new Set(errors.filter(isUnion).map((e) => e.instancePath));
  const parts = new Set<string>();
  for (const error of errors) {
    const ofConstants = isUnion(error) && constants.has(error.instancePath);
    if (error.keyword === "const" && unions.has(error.instancePath)) continue;
    parts.add(part(error, ofConstants));
    if (parts.size >= maxParts) break;
  }
  return [...parts].join("; ") || "is invalid";
}
