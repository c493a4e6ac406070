import { WrapText } from "lucide-preact";
import { memo } from "preact/compat";
import { useEffect, useState } from "preact/hooks";
import { CopyButton, IconButton } from "../ui/index.ts";
import { loadHighlighter } from "./lazy.ts";
import { toBlocks, type Block } from "./markdown.ts";

/** `live`: the text still grows; its last block is not coloured yet. */
export function Markdown({ text, live = false }: { text: string; live?: boolean }) {
  const blocks = toBlocks(text);
  return (
    <div class="markdown">
      {blocks.map((block, index) => (
        <BlockView key={index} block={block} growing={live && index === blocks.length - 1} />
      ))}
    </div>
  );
}

function BlockView({ block, growing }: { block: Block; growing: boolean }) {
  if (block.kind === "code") return <CodeBlock language={block.language} text={block.text} growing={growing} />;
  if (block.kind === "plain") return <pre class="plain-text">{block.text}</pre>;
  return <Html html={block.html} wide={block.wide} />;
}

/** Drawn again only when its markup changes. */
const Html = memo(({ html, wide }: { html: string; wide: boolean }) => (
  <div
    class={wide ? "wide" : "block"}
    {...(wide ? { tabIndex: 0, role: "region", "aria-label": "Table" } : {})}
    dangerouslySetInnerHTML={{ __html: html }}
  />
));

const CodeBlock = memo(({ language, text, growing }: { language: string; text: string; growing: boolean }) => {
  const [wrap, setWrap] = useState(false);
  const [coloured, setColoured] = useState<{ text: string; html: string }>();
  useEffect(() => {
    if (growing || language === "") return;
    let current = true;
    loadHighlighter().then(
      ({ highlight }) => {
        const html = highlight(text, language);
        if (current && html !== undefined) setColoured({ text, html });
      },
      () => undefined, // Without colours code reads as well.
    );
    return () => {
      current = false;
    };
  }, [text, language, growing]);
  const html = coloured?.text === text ? coloured.html : undefined;
  return (
    <figure class={`code ${wrap ? "wrapped" : ""}`}>
      <figcaption>
        <span>{language === "" ? "text" : language}</span>
        <IconButton icon={WrapText} label="Wrap long lines" aria-pressed={wrap} onClick={() => setWrap(!wrap)} />
        <CopyButton text={text} label="Copy the code" />
      </figcaption>
      <pre tabIndex={0}>
        {html === undefined ? <code>{text}</code> : <code dangerouslySetInnerHTML={{ __html: html }} />}
      </pre>
    </figure>
  );
});
