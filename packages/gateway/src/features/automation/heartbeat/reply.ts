/** What a heartbeat's answer means: nothing due, or something a person should read (agent.md §11.2). Pure. */
const token = "HEARTBEAT_OK";
const silent = "NO_REPLY";

/** The token with the marks models put around it: emphasis, code, simple tags, a full stop. */
const marks = String.raw`(?:</?[a-z]{1,10}>|[*_\x60~\s])`;
const atStart = new RegExp(String.raw`^${marks}{0,20}${token}${marks}{0,20}[.!]?(?=\W|$)\s*`, "i");
const atEnd = new RegExp(String.raw`${marks}{0,20}(?<=^|\W)${token}[.!]?${marks}{0,20}$`, "i");
const mediaLine = /^[ \t]*`?MEDIA:/m;

export interface Verdict {
  /** `empty`: nothing was said. `token`: said that nothing is due. `alert`: `texts` are for a person. */
  kind: "empty" | "token" | "alert";
  texts: string[];
}

/** Without the token at either end; in the middle it is text like any other. */
export function stripToken(text: string): { text: string; had: boolean } {
  let rest = text.trim();
  let had = false;
  for (const edge of [atStart, atEnd]) {
    const cut = rest.replace(edge, "").trim();
    if (cut === rest) continue;
    rest = cut;
    had = true;
  }
  return { text: rest, had };
}

/** `texts`: the messages of the run in order. With the token, up to `ackMaxChars` beside it still mean that nothing is due. */
export function judgeReply(texts: readonly string[], ackMaxChars: number): Verdict {
  const read = texts.map(stripToken);
  const had = read.some((one) => one.had);
  const said = read.map(({ text }) => text).filter((text) => text !== "" && text.toUpperCase() !== silent);
  if (said.length === 0) return { kind: had ? "token" : "empty", texts: [] };
  const chars = said.reduce((sum, text) => sum + text.length, 0);
  if (had && chars <= ackMaxChars && !said.some((text) => mediaLine.test(text))) return { kind: "token", texts: [] };
  return { kind: "alert", texts: said };
}
