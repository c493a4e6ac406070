/** Parses a Swift file named on the command line and prints where the grammar disagrees, one line each; nothing when it is
 *  fine. Run with `node --liftoff-only`: optimising this grammar's WebAssembly exhausts V8's memory for compilers. */
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import Parser from "web-tree-sitter";

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("name the Swift file");

await Parser.init();
const parser = new Parser();
const grammar = createRequire(import.meta.url).resolve("tree-sitter-wasms/out/tree-sitter-swift.wasm");
parser.setLanguage(await Parser.Language.load(grammar));
const tree = parser.parse(readFileSync(file, "utf8"));

const complaints: string[] = [];
const visit = (node: Parser.SyntaxNode): void => {
  if (!node.hasError) return;
  if (node.isError || node.isMissing) {
    complaints.push(`${node.startPosition.row + 1}: ${node.text.slice(0, 80).replaceAll("\n", " ")}`);
  } else for (const child of node.children) visit(child);
};
visit(tree.rootNode);
writeSync(1, complaints.map((complaint) => `${complaint}\n`).join(""));
// Leaving now spares the wait for background compilation.
process.exit(complaints.length === 0 ? 0 : 1);
