import { expect, test } from "vitest";
import { pictureOf } from "./agent-face.ts";

const agent = (avatar: string) => ({ id: "main", identity: { avatar } });

test("a picture is data or a file the gateway serves; an address elsewhere is never asked", () => {
  expect(pictureOf(agent("data:image/png;base64,QUJD"), "")).toBe("data:image/png;base64,QUJD");
  expect(pictureOf(agent("pictures/ada.png"), "/claw")).toBe("/claw/avatar/main");
  expect(pictureOf(agent("https://evil.example/ada.png"), "")).toBeUndefined();
  expect(pictureOf(agent("A"), "")).toBeUndefined();
});

test("files of a gateway the page does not come from are not asked for", () => {
  expect(pictureOf(agent("ada.png"), undefined)).toBeUndefined();
});
