import { piecesOf } from "./hidden-characters.ts";

/** Text exactly as it is: what cannot be seen is shown by its name, the order of characters is that of the text, blanks at the
 *  end of a line take their space. For what a person is asked to judge. */
export function Verbatim({ text, label, autofocus = false }: { text: string; label: string; autofocus?: boolean }) {
  return (
    <pre class="verbatim" dir="ltr" tabIndex={0} aria-label={label} autofocus={autofocus}>
      <VerbatimText text={text} />
    </pre>
  );
}

/** The same within a line. */
export function VerbatimText({ text }: { text: string }) {
  return (
    <bdo dir="ltr">
      {piecesOf(text).map(({ text: piece, name }, index) =>
        name === undefined ? (
          piece
        ) : (
          <span key={index}>
            <mark title={name}>{shortNames[piece] ?? name.split(" ")[0]}</mark>
            {piece === "\n" && "\n"}
          </span>
        ),
      )}
    </bdo>
  );
}

/** So common that their codes would be in the way. */
const shortNames: Record<string, string> = { "\n": "↵", "\t": "⇥" };
