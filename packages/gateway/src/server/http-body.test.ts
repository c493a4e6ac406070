import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { BodyBudget, readBody } from "./http-body.ts";

const request = (...parts: string[]) => {
  const stream = new PassThrough();
  for (const part of parts) stream.write(part);
  return Object.assign(stream, { headers: {} }) as PassThrough & IncomingMessage;
};

test("bodies of all requests together are bounded, and an answer makes room again", async () => {
  const world = fakeWorld();
  const budget = new BodyBudget(10);
  const [first, second, third] = [budget.share(), budget.share(), budget.share()];
  const body = request("12345678");
  body.end();
  expect((await readBody(body, 100, world, first)).toString()).toBe("12345678");
  await expect(readBody(request("1234"), 100, world, second)).rejects.toMatchObject({
    status: 503,
    headers: { "Retry-After": "5" },
  });
  second.release();
  expect(budget.held).toBe(8);
  first.release();
  first.release();
  const next = request("1234");
  next.end();
  expect((await readBody(next, 100, world, third)).toString()).toBe("1234");
  expect([budget.held, first.take(1)]).toEqual([4, false]);
  expect(world.clock.pending()).toBe(0);
});
