/** Makes text from chats, models and logs safe to print (R-CLI-6): control characters and the sequences they start vanish;
 *  line breaks and tabs stay. */

type State = "text" | "escape" | "escapeMore" | "csi" | "string" | "stringEscape";

/** For text that arrives in pieces: a sequence cut in two is still recognised. */
export class ControlFilter {
  #state: State = "text";
  /** Inside a string sequence: how much was swallowed. An unfinished one must not eat the rest of a reply. */
  #swallowed = 0;

  push(text: string): string {
    let clean = "";
    for (const letter of text) {
      const code = letter.codePointAt(0) ?? 0;
      switch (this.#state) {
        case "text":
          if (code === 0x1b) this.#state = "escape";
          else if (code === 0x9b) this.#state = "csi";
          else if (code === 0x90 || code === 0x98 || (code >= 0x9d && code <= 0x9f)) this.#startString();
          else if (code === 0x09 || code === 0x0a || (code >= 0x20 && code !== 0x7f && (code < 0x80 || code > 0x9f))) {
            clean += letter;
          }
          break;
        case "escape":
          if (letter === "[") this.#state = "csi";
          else if ("]PX^_".includes(letter)) this.#startString();
          else if (code >= 0x20 && code <= 0x2f) this.#state = "escapeMore";
          else if (code !== 0x1b) {
            this.#state = "text";
            if (letter === "\n") clean += letter;
          }
          break;
        case "escapeMore":
          if (code < 0x20 || code > 0x2f) this.#state = "text";
          break;
        case "csi":
          if (code === 0x1b) this.#state = "escape";
          else if ((code >= 0x40 && code <= 0x7e) || code === 0x0a) this.#state = "text";
          break;
        case "string":
        case "stringEscape":
          this.#swallowed += 1;
          if (code === 0x07 || code === 0x9c || code === 0x0a || this.#swallowed > 4096) this.#state = "text";
          else if (this.#state === "stringEscape") this.#state = letter === "\\" ? "text" : "string";
          else if (code === 0x1b) this.#state = "stringEscape";
          break;
      }
    }
    return clean;
  }

  #startString(): void {
    this.#state = "string";
    this.#swallowed = 0;
  }
}

/** A whole text at once. */
export const clean = (text: string): string => new ControlFilter().push(text);

/** For table cells and single lines: line breaks and tabs become spaces. */
export const cleanLine = (text: string): string => clean(text).replace(/\s+/g, " ").trim();
