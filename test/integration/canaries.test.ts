import { expect, test } from "vitest";
import { Canaries } from "./canaries.ts";

test.each(["plain", "odd"] as const)(
  "a %s secret is recognised in every encoding, in part, and not where it is masked",
  (shape) => {
    const canaries = new Canaries();
    canaries.fresh("another");
    const secret = canaries.fresh("here", shape);
    const inside = (pad: string) => Buffer.from(`${pad}${secret}:and more`).toString("base64");
    const texts = [
      secret,
      JSON.stringify({ deep: JSON.stringify([secret]) }),
      `https://host/?key=${encodeURIComponent(secret)}`,
      `https://user:${secret}@host`,
      inside(""),
      inside("a"),
      inside("ab"),
      Buffer.from(secret).toString("base64url"),
      Buffer.from(secret).toString("hex"),
      `${secret.slice(0, 10)}…`,
      `…${secret.slice(-10)}`,
    ];
    for (const text of texts)
      expect({ text, found: canaries.leaks(`before ${text} after`) }).toEqual({ text, found: ["here"] });
    expect(canaries.leaks(`*** ${secret.slice(0, 4)}…${secret.slice(-4)}`)).toEqual([]);
    expect(canaries.count).toBe(2);
  },
);
