/** Reserved tokens and tags (agent.md §13.2): a reply that is exactly `NO_REPLY` is not delivered, and neither tokens nor reply
 *  tags are ever shown. */
export const silentToken = "NO_REPLY";
export const heartbeatToken = "HEARTBEAT_OK";
const tokens = [silentToken, heartbeatToken];

const tags = /\[\[[ \t]{0,80}(?:reply_to_current|reply_to:[^\]\n]{1,80}|audio_as_voice)[ \t]{0,80}\]\]/g;
/** A tag that has begun and may still be completed. */
const openTag = /\[(?:\[[^\]\n]{0,100}\]?)?$/;

/** White space in front of a tag goes with it; a space stays where that would join two brackets to a new tag. */
function withoutTags(text: string): string {
  let rest = "";
  let from = 0;
  for (const { 0: tag, index } of text.matchAll(tags)) {
    const before = text.slice(from, index).trimEnd();
    rest += before + (text[from + before.length - 1] === "[" ? " " : "");
    from = index + tag.length;
  }
  return rest + text.slice(from);
}

/** What of a growing text may be shown: without white space at the ends, without a last line that could still become a token
 *  and without an unfinished tag. The result only ever grows as the text grows. */
export function showable(text: string): string {
  const rest = withoutTags(text.replace(openTag, "")).trim();
  const lineStart = rest.lastIndexOf("\n") + 1;
  const line = rest.slice(lineStart).toUpperCase();
  return tokens.some((token) => token.startsWith(line)) ? rest.slice(0, lineStart).trimEnd() : rest;
}

/** The text of a finished message as people see it: trimmed, tokens removed. Empty when nothing is to be said. */
export function spoken(text: string): string {
  let rest = withoutTags(text).trim();
  if (rest.toUpperCase() === silentToken) return "";
  for (const token of tokens) {
    if (rest === token) return "";
    const lines = rest.split("\n");
    if (lines.at(-1)?.trim() === token) rest = lines.slice(0, -1).join("\n").trimEnd();
  }
  if (rest.startsWith(`${heartbeatToken}\n`) || rest.startsWith(`${heartbeatToken} `))
    rest = rest.slice(heartbeatToken.length).trimStart();
  return rest;
}

/** Whether a reply says on purpose that there is nothing to say. */
export const isSilent = (text: string): boolean => text.trim() !== "" && spoken(text) === "";
