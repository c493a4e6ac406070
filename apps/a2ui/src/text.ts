/** Text as people read it: a tiny part of Markdown, made of elements, never of HTML. */
const inline = /(\*\*([^*\n]{1,500})\*\*|`([^`\n]{1,500})`|\*([^*\n]{1,500})\*)/g;
const heading = /^(#{1,5})\s+(.*)$/;

export function fillText(element: HTMLElement, text: string): void {
  const nodes: Node[] = [];
  for (const [index, line] of text.slice(0, 100_000).split("\n").entries()) {
    if (index > 0) nodes.push(document.createElement("br"));
    const title = heading.exec(line)?.[2];
    if (title === undefined) nodes.push(...spans(line));
    else {
      const strong = document.createElement("strong");
      strong.append(...spans(title));
      nodes.push(strong);
    }
  }
  element.replaceChildren(...nodes);
}

function spans(line: string): Node[] {
  const nodes: Node[] = [];
  let at = 0;
  for (const match of line.matchAll(inline)) {
    if (match.index > at) nodes.push(document.createTextNode(line.slice(at, match.index)));
    const [all, , strong, code, em] = match;
    const element = document.createElement(strong === undefined ? (code === undefined ? "em" : "code") : "strong");
    element.textContent = strong ?? code ?? em ?? all;
    nodes.push(element);
    at = match.index + all.length;
  }
  if (at < line.length) nodes.push(document.createTextNode(line.slice(at)));
  return nodes;
}
