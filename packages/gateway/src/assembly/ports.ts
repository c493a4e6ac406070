/** The ports of the helpers, derived from the gateway's own (lifecycle.md §3.3), so that two gateways twenty ports apart never meet. */

export interface DerivedPorts {
  /** The retired bridge; kept free. */
  bridge: number;
  browserControl: number;
  browserRelay: number;
  canvas: number;
  /** First and last port for browsers that are driven; one is kept per browser profile. */
  cdp: readonly [first: number, last: number];
}

const usable = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;

/** `base`: the port the gateway runs on, wherever it came from. `canvas`: OPENCLAW_CANVAS_HOST_PORT, else `canvasHost.port`.
 *  What would fall outside 1 to 65535 takes the value it has beside port 18789. */
export function derivePorts(base: number, canvas?: number): DerivedPorts {
  const beside = (offset: number): number => (usable(base) && usable(base + offset) ? base + offset : 18_789 + offset);
  const browserControl = beside(2);
  const wide = usable(browserControl + 108);
  return {
    bridge: beside(1),
    browserControl,
    browserRelay: beside(3),
    canvas: canvas !== undefined && usable(canvas) ? canvas : beside(4),
    cdp: wide ? [browserControl + 9, browserControl + 108] : [18_800, 18_899],
  };
}
