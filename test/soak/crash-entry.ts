/** A gateway process that dies at a named crash point: `crash-entry.ts <port> <point> <nth>`. The product knows nothing of it:
 *  only the World of this entry makes a mark deadly (reliability.md §4.0). */
import { Host } from "../../packages/gateway/src/assembly/host.ts";
import { systemWorld } from "../../packages/gateway/src/kernel/world.ts";

const [port = "0", point = "", nth = "1"] = process.argv.slice(2);
let left = Number(nth);
const world = {
  ...systemWorld(),
  mark: (name: string) => {
    if (name === point && --left <= 0) process.kill(process.pid, "SIGKILL");
  },
};
const host = await Host.start({ world, flags: { port: Number(port) }, version: "test", verbose: false, sinks: [] });
process.on("SIGTERM", () => {
  void host.stop().then(() => process.exit(0));
});
process.stdout.write(`listening on ws://127.0.0.1:${port}\n`);
setInterval(() => {}, 1_000_000);
