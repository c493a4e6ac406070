import { describe, expect, test } from "vitest";
import { checkUrl, isPublicAddress, type Resolver } from "./url-guard.ts";

const publicResolver: Resolver = async () => [{ address: "93.184.216.34", family: 4 }];
const check = (url: string, resolve = publicResolver, allowPrivateHosts: string[] = []) =>
  checkUrl(url, { resolve, allowPrivateHosts });

const innerV4 = [
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "10.255.255.255",
  "100.64.0.1",
  "100.100.100.200",
  "100.127.255.255",
  "127.0.0.1",
  "127.1.2.3",
  "127.255.255.254",
  "168.63.129.16",
  "169.254.0.1",
  "169.254.169.254",
  "169.254.170.2",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.0.0.192",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.1",
  "192.168.255.255",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.7",
  "203.0.113.9",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
];
const innerV6 = [
  "::",
  "::1",
  "::2",
  "::7f00:1",
  "::127.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:10.0.0.1",
  "::ffff:0:127.0.0.1",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "::ffff:8.8.8.8",
  "0:0:0:0:0:0:0:1",
  "0:0:0:0:0:ffff:127.0.0.1",
  "64:ff9b::127.0.0.1",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b::10.0.0.1",
  "64:ff9b:1::1",
  "100::1",
  "2001::1",
  "2001:0:7f00:1::",
  "2001:10::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "2002:a00:1::1",
  "2002:a9fe:a9fe::",
  "3fff::1",
  "fc00::1",
  "fd00::1",
  "fd00:ec2::254",
  "fdff:ffff::1",
  "fe80::1",
  "febf::1",
  "fec0::1",
  "ff02::1",
  "ff0e::1",
  "4000::1",
  "8000::1",
  "5f00::1",
];
/** Other ways to write 127.0.0.1, 10.0.0.1, 169.254.169.254 and the like. */
const disguised = [
  "2130706433",
  "0x7f000001",
  "0X7F000001",
  "017700000001",
  "0177.0.0.1",
  "0x7f.0.0.1",
  "127.1",
  "127.0.1",
  "0x7f.1",
  "0177.1",
  "00000177.0.0.1",
  "127.0.0.1.",
  "127.0.0.0x1",
  "%31%32%37.0.0.1",
  "127%2e0%2e0%2e1",
  "①②⑦.⓪.⓪.①",
  "127。0。0。1",
  "１２７.０.０.１",
  "167772161",
  "0xa000001",
  "10.1",
  "0xa.0.0.1",
  "012.0.0.1",
  "3232235521",
  "0xc0a80001",
  "192.168.1",
  "192.0xa8.0.1",
  "0300.0250.0.1",
  "2852039166",
  "0xa9fea9fe",
  "0251.0376.0251.0376",
  "169.254.43518",
  "0xa9.0xfe.0xa9.0xfe",
  "169.16689662",
  "0",
  "0x0",
  "00",
  "1",
  "4294967295",
  "2886729729",
  "1681915905",
];
const names = [
  "localhost",
  "LOCALHOST",
  "localhost.",
  "a.localhost",
  "a.b.localhost.",
  "localhost.localdomain",
  "printer.local",
  "nas.lan",
  "router.home",
  "box.home.arpa",
  "metadata.google.internal",
  "metadata.google.internal.",
  "svc.cluster.local",
  "db.internal",
  "intranet",
  "router",
  "x.intranet",
  "x.corp",
  "x.private",
  "hidden.onion",
];
const malformed = [
  "",
  " ",
  "x",
  "//host/path",
  "http://",
  "https://",
  "http:///",
  "http://[",
  "http://[::1",
  "http://[fe80::1%25eth0]/",
  "http://[fe80::1%eth0]/",
  "http://[::ffff:127.0.0.1%lo]/",
  "http://256.256.256.256/",
  "http://1.2.3.4.5/",
  "http://0x100000000/",
  "http://4294967296/",
  "http://a b/",
  "http://host:99999/",
  "http://exa\u0000mple.com/",
  "http://%00/",
  "file:///etc/passwd",
  "ftp://example.com/",
  "gopher://example.com/",
  "data:text/plain,x",
  "javascript:alert(1)",
  "about:blank",
  "blob:http://example.com/x",
  "ws://example.com/",
  "view-source:http://example.com/",
  "unix:/var/run/docker.sock",
  "dict://example.com/",
  "ldap://example.com/",
  "jar:http://example.com!/",
  "http+unix://%2fvar%2frun/",
  "mailto:a@b.c",
  "http://user@example.com/",
  "http://user:pass@example.com/",
  "http://:pass@example.com/",
  "http://example.com@127.0.0.1/",
  "https://127.0.0.1\\@example.com/",
  `http://example.com/${"a".repeat(5_000)}`,
];

describe("url guard", () => {
  const literal = [...innerV4, ...disguised].flatMap((host) => [`http://${host}/`, `https://${host}:8443/x?y=z`]);
  const forms = [
    ...literal,
    ...innerV6.map((host) => `http://[${host}]/`),
    ...names.map((host) => `http://${host}/`),
    ...malformed,
  ];

  test("the table holds at least 200 forms", () => {
    expect(new Set(forms).size).toBeGreaterThanOrEqual(200);
  });

  test.each(forms)("refuses %j", async (url) => {
    await expect(check(url)).rejects.toThrow(/./u);
  });

  test.each([...innerV4, ...innerV6])("refuses a public name that resolves to %s", async (address) => {
    const family = address.includes(":") ? 6 : 4;
    await expect(check("http://example.com/", async () => [{ address, family }])).rejects.toThrow("allowPrivateHosts");
    const mixed: Resolver = async () => [
      { address: "93.184.216.34", family: 4 },
      { address, family },
    ];
    await expect(check("http://example.com/", mixed)).rejects.toThrow("allowPrivateHosts");
  });

  test.each(["fe80::1%eth0", "::1%lo", "2606:4700::1111%1", "", "example.com", "1.2.3", "1.2.3.4.5"])(
    "takes %j for no public address",
    (address) => {
      expect(isPublicAddress(address)).toBe(false);
    },
  );

  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "64:ff9b::8.8.8.8",
  ])("takes %s for a public address", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  test("resolves once and hands out the checked addresses, so a changed answer gains nothing", async () => {
    let asked = 0;
    const rebinding: Resolver = async () => [{ address: asked++ === 0 ? "93.184.216.34" : "127.0.0.1", family: 4 }];
    const target = await check("https://example.com/x", rebinding);
    expect(asked).toBe(1);
    expect(target.addresses).toEqual([{ address: "93.184.216.34", family: 4 }]);
  });

  test("a name without address or that is not found is told", async () => {
    await expect(check("http://example.com/", async () => [])).rejects.toThrow("has no address");
    await expect(check("http://example.com/", () => Promise.reject(new Error("ENOTFOUND")))).rejects.toThrow(
      "was not found",
    );
  });

  test("a listed host is allowed, with its port only when the list names one", async () => {
    const inner: Resolver = async () => [{ address: "192.168.1.9", family: 4 }];
    await expect(check("http://nas.local:81/", inner, ["nas.local"])).resolves.toBeTruthy();
    await expect(check("http://127.0.0.1:8080/", inner, ["127.0.0.1:8080"])).resolves.toBeTruthy();
    await expect(check("http://[::1]:8080/", inner, ["[::1]:8080"])).resolves.toBeTruthy();
    await expect(check("http://127.0.0.1:8081/", inner, ["127.0.0.1:8080"])).rejects.toThrow("allowPrivateHosts");
    await expect(check("http://x.nas.local/", inner, ["nas.local"])).rejects.toThrow("allowPrivateHosts");
  });
});
