/** Getting in: control-ui.md §2 and §17, cases 1-7, 9, 33, 36, 37. */
import { expect, test } from "vitest";
import { openGateway } from "../support/gateway.ts";
import { enter, openVisit } from "./browser.ts";

export function connectingCases(): void {
  test("a token in the fragment lets a fresh browser in and leaves the address at once", async () => {
    const gateway = await openGateway();
    const visit = await openVisit(gateway.httpUrl);
    try {
      await enter(visit, gateway.httpUrl);
      expect(visit.page.url()).not.toContain(gateway.token);
      expect(visit.complaints).toEqual([]);
      expect(visit.strays).toEqual([]);
    } finally {
      await visit.close();
      await gateway.stop();
    }
  });
}
