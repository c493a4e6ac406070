import { expect, test } from "vitest";
import { VERSION } from "../kernel/version.ts";
import { cli, withHome } from "./fake-terminal.ts";

withHome();

test("update status tells version, kind and the way to a newer one", async () => {
  const { code, out, err } = await cli("update status");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain(`Version: ${VERSION}\nInstalled as: `);
  const json = await cli("update status --json");
  expect(JSON.parse(json.out)).toMatchObject({ status: "skipped", program: VERSION, kind: expect.any(String) });
});

test.each(["update", "--update"])("%s changes nothing, and its exit code says so", async (words) => {
  const { code, out } = await cli(words);
  expect(code).toBe(1);
  expect(out).toContain(`openclaw ${VERSION} was not updated.`);
});
