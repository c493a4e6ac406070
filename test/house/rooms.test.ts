import { expect, test } from "vitest";
import { catalogues, exceptions, ownedBuiltins, placeInRoom, roomOf, rooms, shared } from "./rooms.ts";
import { shipped, sources, type Import, type Source } from "./sources.ts";

/** Rooms that a bare specifier stands for. */
const workspaces: Record<string, string> = {
  "@openclaw/protocol": "protocol/index.ts",
  "@openclaw/protocol/schema": "protocol/schema.ts",
  "@openclaw/protocol/validators": "protocol/validators",
  "@openclaw/client": "client/index.ts",
  "@openclaw/client/node": "client/node.ts",
};

/** Only these may load schemas or validators: the rest of the program lives on types and constants. */
const heavyProtocol: Record<string, readonly string[]> = {
  "@openclaw/protocol/schema": ["config", "tools", "assembly", "control-ui"],
  "@openclaw/protocol/validators": ["server", "assembly"],
};

const excepted = (from: string, to: string): boolean =>
  exceptions.some((entry) => entry.from === from && entry.to === to);
const packageName = (specifier: string): string => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

/** Why `source` may not import this, or undefined. */
function objection(source: Source, entry: Import): string | undefined {
  const from = roomOf(source.path);
  const law = from === undefined ? undefined : rooms[from];
  if (from === undefined || law === undefined) return undefined;
  const { specifier } = entry;
  if (specifier.startsWith("node:")) {
    const owner = ownedBuiltins[specifier];
    return owner === undefined || owner === from || entry.typeOnly ? undefined : `${specifier} belongs to ${owner}`;
  }
  if (entry.file === undefined && !(specifier in workspaces)) {
    const name = packageName(specifier);
    if (shared.includes(name) || law.packages?.includes(name)) return undefined;
    const owner = Object.keys(rooms).find((room) => rooms[room]?.packages?.includes(name));
    return owner ? `${name} belongs to ${owner}` : `${name} belongs to no room; see rooms.ts and docs/dependencies.md`;
  }
  const heavy = heavyProtocol[specifier];
  if (heavy && !entry.typeOnly && !heavy.includes(from))
    return `${specifier} is for ${heavy.join(", ")}; use @openclaw/protocol`;
  const target = entry.file ?? "";
  const to = specifier in workspaces ? workspaces[specifier]?.split("/")[0] : roomOf(target);
  if (to === from) return undefined;
  if (excepted(source.path, entry.file ?? specifier)) return undefined;
  if (target.startsWith("packages/protocol/generated/") && from === "protocol") return undefined;
  if (to === undefined) return `${specifier} is outside of every room`;
  const only = law.only?.[to];
  if (only)
    return only.includes(placeInRoom(target)) ? undefined : `of ${to}, ${from} may import only ${only.join(", ")}`;
  if (!law.may.includes(to)) return `${from} may import ${[from, ...law.may].join(", ")}; not ${to}`;
  if (entry.file === undefined) return undefined;
  const place = placeInRoom(target);
  const contracts = rooms[to]?.contracts ?? [];
  if (place === "index.ts" || contracts.includes("*") || contracts.includes(place)) return undefined;
  return `${to} is entered through ${["index.ts", ...contracts].join(", ")}; not ${place}`;
}

test("every import obeys the law of rooms", () => {
  const objections = shipped().flatMap((source) =>
    source.imports.flatMap((entry) => {
      const reason = objection(source, entry);
      return reason === undefined ? [] : [`${source.path}:${entry.line} imports ${entry.specifier}: ${reason}`];
    }),
  );
  expect(objections).toEqual([]);
});

test("every folder of sources is a room of the law", () => {
  const unknown = new Set(
    shipped()
      .map((source) => roomOf(source.path))
      .filter((room) => room !== undefined && !(room in rooms)),
  );
  expect([...unknown]).toEqual([]);
});

test("the rooms form no cycle", () => {
  const done = new Set<string>();
  const visit = (room: string, trail: readonly string[]): void => {
    expect(trail, `${[...trail, room].join(" → ")}`).not.toContain(room);
    if (done.has(room)) return;
    for (const next of rooms[room]?.may ?? []) visit(next, [...trail, room]);
    done.add(room);
  };
  for (const room of Object.keys(rooms)) visit(room, []);
});

/** The kernel is all doors; the others are entered through the files that the law names. */
const withoutDoor = ["kernel", "main", "cli", "assembly"];

test("every room has a door that says what it owns", () => {
  const missing = [...new Set(shipped().map((source) => roomOf(source.path)))]
    .filter((room) => room !== undefined && !withoutDoor.includes(room))
    .filter(
      (room) =>
        !shipped().some(
          (source) =>
            roomOf(source.path) === room && placeInRoom(source.path) === "index.ts" && source.text.startsWith("/**"),
        ),
    );
  expect(missing).toEqual([]);
});

test("every exception is still needed", () => {
  const stale = exceptions.filter(
    ({ from, to }) =>
      !sources().some(
        (source) => source.path === from && source.imports.some((entry) => (entry.file ?? entry.specifier) === to),
      ),
  );
  expect(stale).toEqual([]);
});

test("import() stands in catalogue tables only", () => {
  const dynamic = shipped().filter((source) => source.imports.some((entry) => entry.dynamic));
  expect(dynamic.map((source) => source.path).filter((path) => !(path in catalogues))).toEqual([]);
  expect(Object.keys(catalogues).filter((path) => !dynamic.some((source) => source.path === path))).toEqual([]);
});

test("what ships imports no test and no fake", () => {
  const wrong = shipped().flatMap((source) =>
    source.imports
      .filter((entry) => sources().some((other) => other.test && other.path === entry.file))
      .map((entry) => `${source.path}:${entry.line} ${entry.specifier}`),
  );
  expect(wrong).toEqual([]);
});
