/** What a terminal sends for named keys: `enter`, `ctrl-c`, `alt-x`, `shift-tab`, `f5` (agent.md §4.3). */
const named: Readonly<Record<string, string>> = {
  enter: "\r",
  return: "\r",
  tab: "\t",
  "shift-tab": "\u001B[Z",
  backtab: "\u001B[Z",
  esc: "\u001B",
  escape: "\u001B",
  space: " ",
  backspace: "\u007F",
  delete: "\u001B[3~",
  del: "\u001B[3~",
  insert: "\u001B[2~",
  up: "\u001B[A",
  down: "\u001B[B",
  right: "\u001B[C",
  left: "\u001B[D",
  home: "\u001B[H",
  end: "\u001B[F",
  pageup: "\u001B[5~",
  pagedown: "\u001B[6~",
  f1: "\u001BOP",
  f2: "\u001BOQ",
  f3: "\u001BOR",
  f4: "\u001BOS",
  f5: "\u001B[15~",
  f6: "\u001B[17~",
  f7: "\u001B[18~",
  f8: "\u001B[19~",
  f9: "\u001B[20~",
  f10: "\u001B[21~",
  f11: "\u001B[23~",
  f12: "\u001B[24~",
};

/** The characters for one token. Throws for a name that is no key, so that a typo is not typed into the program. */
export function keySequence(token: string): string {
  const name = token.trim().toLowerCase().replaceAll("+", "-").replaceAll("arrow", "");
  const plain = Object.hasOwn(named, name) ? named[name] : undefined;
  if (plain !== undefined) return plain;
  const control = /^(?:ctrl-|c-|\^)([a-z@[\\\]^_? ])$/u.exec(name)?.[1];
  if (control !== undefined)
    return control === "?" ? "\u007F" : String.fromCharCode(control.toUpperCase().charCodeAt(0) & 0x1f);
  const alt = /^(?:alt-|m-|meta-)(.+)$/u.exec(name)?.[1];
  if (alt !== undefined) return `\u001B${[...alt].length === 1 ? token.trim().slice(-1) : keySequence(alt)}`;
  if ([...token].length === 1) return token;
  throw new Error(
    `"${token}" is no key. Known: ${Object.keys(named).join(", ")}, ctrl-x, alt-x, single characters; use literal for text.`,
  );
}
