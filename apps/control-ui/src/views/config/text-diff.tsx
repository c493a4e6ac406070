import { useMemo } from "preact/hooks";
import { lineDiff, withoutSecrets } from "./line-diff.ts";

const marks = { same: " ", gone: "−", new: "+", skip: "…" };
const words = { same: "", gone: "Gone: ", new: "New: ", skip: "" };

/** Changed lines with a few around them. Secrets are never written out. */
export function TextDiff({ before, after }: { before: string; after: string }) {
  const lines = useMemo(() => lineDiff(before, after), [before, after]);
  return (
    <div class="diff" role="region" aria-label="Changed lines" tabIndex={0}>
      {lines.map((line, index) => (
        <div key={index} class={`diff-line ${line.kind}`}>
          <span aria-hidden="true">{marks[line.kind]}</span>
          <span class="sr-only">{words[line.kind]}</span>
          <span>{withoutSecrets(line.text)}</span>
        </div>
      ))}
    </div>
  );
}
