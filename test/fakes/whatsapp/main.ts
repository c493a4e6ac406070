/** The fake as a process: prints its address as one line of JSON and runs until its standard input ends.
 *  `node main.ts [--port 0] [--number +15550001000] [--name Owner] [--refs 6] [--history false] [--preKeys false]` */
import { parseArgs } from "node:util";
import { start } from "./index.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    number: { type: "string" },
    name: { type: "string" },
    refs: { type: "string" },
    history: { type: "string", default: "true" },
    preKeys: { type: "string", default: "true" },
  },
});

// libsignal tells about sessions by console; standard output belongs to the address.
for (const method of ["log", "info", "warn", "error", "debug"] as const) console[method] = () => {};

const fake = await start({
  port: Number(values.port),
  history: values.history !== "false",
  preKeys: values.preKeys !== "false",
  ...(values.number !== undefined && { number: values.number }),
  ...(values.name !== undefined && { name: values.name }),
  ...(values.refs !== undefined && { refs: Number(values.refs) }),
});
const { url, port, controlUrl, mediaUrl, certKey, ca, caFile } = fake;
process.stdout.write(`${JSON.stringify({ url, port, controlUrl, mediaUrl, certKey, ca, caFile })}\n`);
process.stdin.resume();
process.stdin.once("end", () => void fake.close());
