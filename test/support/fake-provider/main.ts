/** The fake provider as a process of its own, for benchmarks: prints its URL and runs until it is ended.
 *  `node main.ts [--port 0] [--text "…"] [--pieces 20] [--delay-ms 0]` */
import { parseArgs } from "node:util";
import type { Step } from "./index.ts";
import { startFakeProvider } from "./index.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    text: { type: "string", default: "word " },
    pieces: { type: "string", default: "20" },
    "delay-ms": { type: "string", default: "0" },
  },
});
const delayMs = Number(values["delay-ms"]);
const pieces = Array.from({ length: Number(values.pieces) }, (): Step[] =>
  delayMs > 0 ? [values.text, { delayMs }] : [values.text],
);
const provider = await startFakeProvider({ port: Number(values.port), script: [pieces.flat()] });
console.log(provider.url);
