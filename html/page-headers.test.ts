import { describe, expect, test } from "vitest";
import { makePersonal, mayAskForPage, unconditional } from "./page-headers.ts";

test.each([
  [null, "private"],
  ["public, max-age=600, s-maxage=3600", "private, max-age=600"],
  ["max-age=0, must-revalidate, proxy-revalidate", "private, max-age=0, must-revalidate"],
  ["no-store", "private, no-store"],
  ['private="set-cookie", max-age=5, ext="a, public"', 'private, max-age=5, ext="a, public"'],
  ["PUBLIC", "private"],
])("cache-control %s becomes %s", (given, expected) => {
  const headers = new Headers(given === null ? {} : { "cache-control": given });
  makePersonal(headers, null);
  expect(headers.get("cache-control")).toBe(expected);
});

test("what is said of the origin's bytes and to shared caches goes, all else stays, every cookie too", () => {
  const headers = new Headers({
    etag: '"x"',
    "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
    "content-length": "10",
    "accept-ranges": "bytes",
    "repr-digest": "sha-256=:x:",
    "cdn-cache-control": "max-age=600",
    "surrogate-control": "max-age=600",
    expires: "Fri, 01 Jan 2027 00:00:00 GMT",
    "x-accel-expires": "600",
    "edge-control": "max-age=600",
    "cloudflare-cdn-cache-control": "max-age=600",
    "vercel-cdn-cache-control": "max-age=600",
    "netlify-cdn-cache-control": "public, durable, max-age=600",
    "fastly-cache-control": "max-age=600",
    "x-litespeed-cache-control": "public, max-age=600",
    "content-security-policy": "default-src 'self'",
    "content-type": "text/html; charset=utf-8",
    link: "</a.css>; rel=preload",
    vary: "accept-encoding",
  });
  headers.append("set-cookie", "a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT");
  headers.append("set-cookie", "b=2");
  makePersonal(headers, "edgewise_visitor=3");
  expect(headers.getSetCookie()).toEqual([
    "a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT",
    "b=2",
    "edgewise_visitor=3",
  ]);
  expect([...headers.keys()].filter((name) => name !== "set-cookie")).toEqual([
    "cache-control",
    "content-security-policy",
    "content-type",
    "link",
    "vary",
  ]);
});

describe("requests", () => {
  const asking = (headers: Record<string, string>) =>
    new Request("https://shop.example/", { headers });

  test.each([
    [{ "sec-fetch-dest": "document", accept: "text/html,*/*;q=0.8" }, true],
    [{ "sec-fetch-dest": "iframe", accept: "text/html" }, true],
    [{ "sec-fetch-dest": "empty", accept: "*/*" }, true],
    [{}, true],
    [{ accept: "*/*" }, true],
    [{ "sec-fetch-dest": "image", accept: "image/*,*/*" }, false],
    [{ "sec-fetch-dest": "script", accept: "*/*" }, false],
    [{ accept: "application/json" }, false],
  ])("%j may be for a page: %j", (headers, may) => {
    expect(mayAskForPage(asking(headers))).toBe(may);
  });

  test("a condition on a write stays", () => {
    const asked = new Request("https://site.test/", { method: "PUT", headers: { accept: "*/*" } });
    expect(mayAskForPage(asked)).toBe(false);
  });

  test("lose their conditions and nothing else", () => {
    const request = asking({
      "if-none-match": '"x"',
      "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT",
      "if-range": '"x"',
      range: "bytes=0-1",
      cookie: "a=1",
    });
    expect(Object.fromEntries(unconditional(request).headers)).toEqual({
      "if-range": '"x"',
      range: "bytes=0-1",
      cookie: "a=1",
    });
    const plain = asking({ cookie: "a=1" });
    expect(unconditional(plain)).toBe(plain);
  });
});
