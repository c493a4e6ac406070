/** S11 of the attack table (reliability.md §5) and http.md R15: what is fetched by URL never leads into this machine or its network,
 *  whatever the address looks like, where it redirects to, and what its name resolves to the next time. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ImageReader } from "../../packages/gateway/src/features/openai/image-reader.ts";
import { webFiles } from "../../packages/gateway/src/features/tools/index.ts";
import { jumpWorld } from "../support/jump-world.ts";
import { errorOf } from "./http-client.ts";
import { user, useResponsesGateway } from "./http-responses-rig.ts";

/** Stands for the web: its port is on the owner's list. */
let web: Server;
/** Stands for a service inside. */
let inner: Server;
let innerConnections = 0;
let redirect = "";
const allowPrivateHosts: string[] = [];
const portOf = (server: Server) => (server.address() as AddressInfo).port;
const listen = (server: Server, port = 0, host = "127.0.0.1") =>
  new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

beforeAll(async () => {
  web = createServer((_, res) => res.writeHead(302, { location: redirect }).end());
  inner = createServer((_, res) => res.writeHead(200, { "content-type": "image/png" }).end(png)).on(
    "connection",
    () => (innerConnections += 1),
  );
  await Promise.all([listen(web), listen(inner)]);
  allowPrivateHosts.push(`127.0.0.1:${portOf(web)}`);
});
const rig = useResponsesGateway({ config: { tools: { web: { fetch: { allowPrivateHosts } } } } });
afterAll(() => {
  for (const server of [web, inner]) server.close();
});

const hosts = [
  ..."127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0X7F000001 0x7f.1 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0177.0.0.1".split(
    " ",
  ),
  ..."0177.1 017700000001 00000177.0.0.1 127.0.0.0x1 127.0.0.1. 127.0.0.2 127.255.255.254 0 00 0x0 0.0.0.0".split(" "),
  ..."%31%32%37.0.0.1 127%2e0%2e0%2e1 ①②⑦.⓪.⓪.① 127。0。0。1 １２７.０.０.１".split(" "),
  ..."[::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [64:ff9b::7f00:1]".split(" "),
  ..."[64:ff9b::127.0.0.1] [2002:7f00:1::] [2001::1] [fe80::1] [fc00::1] [fd00:ec2::254] [fec0::1] [ff02::1]".split(
    " ",
  ),
  ..."localhost LOCALHOST localhost. foo.localhost a.b.localhost. localhost.localdomain printer.local nas.lan".split(
    " ",
  ),
  ..."metadata.google.internal metadata.google.internal. db.internal intranet router box.home.arpa".split(" "),
  ..."169.254.169.254 2852039166 0xa9fea9fe 10.0.0.1 10.1 192.168.1.1 172.16.0.1 100.64.0.1 198.18.0.1".split(" "),
  ..."192.0.0.192 224.0.0.1 240.0.0.1 255.255.255.255".split(" "),
];
const shapes: readonly ((host: string, port: number) => string)[] = [
  (host, port) => `http://${host}:${port}/x.png`,
  (host, port) => `https://${host}:${port}/`,
  (host, port) => `HTTP://${host}:${port}/x?u=http://example.com/`,
  (host, port) => `http://example.com@${host}:${port}/`,
  (host, port) => `http://user:pass@${host}:${port}/#example.com`,
  (host, port) => `  http://${host}:${port}/x.png  `,
  (host, port) => `http:\\\\${host}:${port}\\x.png`,
];
const forms = (): string[] => hosts.flatMap((host) => shapes.map((shape) => shape(host, portOf(inner))));

const part = (url: string, index: number) =>
  [
    { type: "input_image", image_url: url },
    { type: "input_image", source: { type: "url", url } },
    { type: "input_file", file_url: url, filename: "x.txt" },
    { type: "input_file", source: { type: "url", url } },
  ][index % 4];
const refused = ["Invalid image in `input`.", "The file at this URL could not be read."];

test("S11: of four hundred forms of an inner address none is connected to", async () => {
  const all = forms();
  expect(new Set(all).size).toBeGreaterThanOrEqual(400);
  const asked = rig.gateway.provider.requests.length;
  for (let at = 0; at < all.length; at += 20) {
    const batch = all.slice(at, at + 20);
    const answers = await Promise.all(batch.map((url, index) => rig.respond({ input: [user([part(url, index)])] })));
    const odd = answers.map((answer, index) => [
      batch[index],
      answer.status,
      refused.includes(errorOf(answer).message),
    ]);
    expect(odd).toEqual(batch.map((url) => [url, 400, true]));
  }
  expect([innerConnections, rig.gateway.provider.requests.length - asked]).toEqual([0, 0]);
});

test("S11: nor is one that a public address redirects to", async () => {
  const url = `http://127.0.0.1:${portOf(web)}/`;
  for (const [index, host] of [...hosts, `user:pass@127.0.0.1`].entries()) {
    for (const location of [`http://${host}:${portOf(inner)}/`, `//${host}:${portOf(inner)}/x`]) {
      redirect = encodeURI(location);
      const answer = await rig.respond({ input: [user([part(url, index)])] });
      expect([location, answer.status, refused.includes(errorOf(answer).message)]).toEqual([location, 400, true]);
    }
  }
  for (const location of [
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:1/",
    "data:image/png,x",
    "http://",
  ]) {
    redirect = location;
    expect([location, (await rig.respond({ input: [user([part(url, 0)])] })).status]).toEqual([location, 400]);
  }
  expect(innerConnections).toBe(0);
});

/** Reads an image as the API does, with names that resolve as the test says. */
async function read(url: string, answers: readonly (readonly string[])[], allowed: readonly string[] = []) {
  let asked = 0;
  const fetch = webFiles({
    world: jumpWorld({}),
    config: { current: { tools: { web: { fetch: { allowPrivateHosts: allowed } } } } as never },
    resolve: async () =>
      (answers[Math.min(asked++, answers.length - 1)] ?? []).map((address) => ({
        address,
        family: address.includes(":") ? 6 : 4,
      })),
  });
  const reader = new ImageReader({
    fetch,
    rules: () => ({ allowed: ["image/png"], maxBytes: 1_000_000, allowUrl: true, maxRedirects: 3, timeoutMs: 10_000 }),
    refusal: "Invalid image in `input`.",
  });
  const images = await reader.readAll([{ url, param: "input" }], new AbortController().signal).then(
    (found) => ({ status: 200, text: Buffer.from(found[0]?.data ?? "", "base64").toString("latin1") }),
    (error: { status: number; message: string }) => ({ status: error.status, text: error.message }),
  );
  return { ...images, asked };
}

test("R15: a name with one public and one inner address is refused, in either order", async () => {
  for (const address of ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"]) {
    for (const both of [
      ["93.184.216.34", address],
      [address, "93.184.216.34"],
      ["93.184.216.34", "93.184.216.35", "2606:4700::1111", address],
    ])
      expect(await read(`http://both.example:${portOf(inner)}/x.png`, [both])).toEqual({
        status: 400,
        text: "Invalid image in `input`.",
        asked: 1,
      });
  }
  expect(innerConnections).toBe(0);
});

test.runIf(process.platform === "linux")(
  "R15: a name that changes between the check and the connection is connected to at the checked address",
  async () => {
    let reached = 0;
    const checked = createServer((_, res) => {
      reached += 1;
      res.writeHead(200, { "content-type": "image/png" }).end(png);
    });
    // The same port at two addresses of this machine: only the address tells which one is reached.
    await listen(checked, portOf(inner), "127.0.0.2");
    const name = `changing.example:${portOf(inner)}`;
    for (let round = 0; round < 100; round++) {
      const found = await read(`http://${name}/x.png`, [["127.0.0.2"], ["127.0.0.1"]], [name]);
      expect(found).toEqual({ status: 200, text: png.toString("latin1"), asked: 1 });
    }
    expect([reached, innerConnections]).toEqual([100, 0]);
    await new Promise((resolve) => {
      checked.close(resolve);
      checked.closeAllConnections();
    });
  },
);

test("the addresses of these tests are such that a connection would have been seen", async () => {
  expect((await fetch(`http://127.0.0.1:${portOf(inner)}/`)).status).toBe(200);
  expect(innerConnections).toBeGreaterThan(0);
});
