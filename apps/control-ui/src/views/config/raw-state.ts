/** What can be said about the raw text: where it cannot be read, and where it does not fit the schema. */
import { useMemo } from "preact/hooks";
import { isRecord } from "../../gateway/index.ts";
import type { Desk } from "./desk.ts";
import { Json5Error, lineAndColumn, parseJson5, pathKey, type Parsed } from "./json5.ts";
import { parsePath, pathText, type Path, type Schema } from "./schema.ts";
import { validate } from "./validate.ts";

export interface RawIssue {
  /** Of the text; the editor selects it. */
  start: number;
  end: number;
  line: number;
  column: number;
  message: string;
  /** The text cannot be saved. */
  fatal: boolean;
}

export interface RawState {
  issues: readonly RawIssue[];
  /** The first one that stands in the way of saving. */
  problem: RawIssue | undefined;
}

type Refused = Desk["refused"];

export function useRawState(desk: Desk): RawState {
  const { snapshot, schema } = desk.base;
  const text = desk.raw ?? snapshot.raw ?? "";
  // Of an untouched file the gateway's own judgement counts; of a changed text what it said when it refused it.
  const said = desk.raw === undefined ? snapshot.issues : desk.refused;
  return useMemo(() => rawState(text, schema, said), [text, schema, said]);
}

export function rawState(text: string, schema: Schema, said: Refused): RawState {
  let parsed: Parsed;
  try {
    parsed = parseJson5(text);
  } catch (error) {
    if (!(error instanceof Json5Error)) throw error;
    const issue = issueAt(text, error.offset, error.offset + 1, error.message, true);
    return { issues: [issue], problem: issue };
  }
  const own = validate(schema, parsed.value).map(({ path, message }) =>
    issueOf(text, parsed, path, message, message.endsWith("is not a setting")),
  );
  const theirs = said.map(({ path, message }) =>
    issueOf(text, parsed, parsePath(path, parsed.value), message, /unknown|unrecognized/i.test(message)),
  );
  // The same place twice says the same thing in other words; the gateway's words stay.
  const places = new Set(theirs.map(({ start }) => start));
  const issues = [...theirs, ...own.filter(({ start }) => !places.has(start))].sort((a, b) => a.start - b.start);
  return { issues, problem: isRecord(parsed.value) ? undefined : noObject(text) };
}

const noObject = (text: string): RawIssue => issueAt(text, 0, text.length, "the config must be an object", true);

/** At the key when the key itself is wrong; where nothing stands, at the nearest thing around it. */
function issueOf(text: string, parsed: Parsed, path: Path, message: string, ofKey: boolean): RawIssue {
  for (let length = path.length; length >= 0; length--) {
    const place = parsed.places.get(pathKey(path.slice(0, length)));
    if (!place) continue;
    const whole = path.length === 0 ? message : `${pathText(path)} ${message}`;
    const start = ofKey && place.key !== undefined ? place.key : place.start;
    // Of an object or a list only the first line: selecting all of it would say nothing.
    const lineEnd = text.indexOf("\n", start);
    const end = lineEnd === -1 ? place.end : Math.min(place.end, lineEnd);
    return issueAt(text, start, end, whole, false);
  }
  return issueAt(text, 0, 0, message, false);
}

function issueAt(text: string, start: number, end: number, message: string, fatal: boolean): RawIssue {
  return { start, end: Math.min(end, text.length), ...lineAndColumn(text, start), message, fatal };
}
