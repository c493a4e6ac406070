/** Child of load.test.ts: a whole gateway that reports its memory and jumps its clock when told. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { openGateway } from "../support/gateway.ts";

export type Order = { do: "measure" } | { do: "jump"; ms: number } | { do: "stop" };
export interface Answer {
  url?: string;
  bytes?: number;
  gone?: true;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const gateway = await openGateway();
const tell = (answer: Answer) => process.send?.(answer);

process.on("message", (order: Order) => {
  void obey(order);
});
tell({ url: gateway.url });

async function obey(order: Order): Promise<void> {
  if (order.do === "measure") {
    collect();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    tell({ bytes: heapUsed + external });
  } else if (order.do === "jump") {
    await gateway.world.jump(order.ms);
    tell({});
  } else {
    await gateway.stop();
    process.disconnect();
  }
}
