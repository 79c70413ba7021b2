import { describe, expect, test } from "vitest";
import { visitorOf } from "./visitor.ts";

const minted = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const known = "0f6a1c3e-5b7d-4e8f-9a0b-1c2d3e4f5a6b";
const asking = (headers: Record<string, string> = {}) =>
  new Request("https://shop.example/", { headers });

describe("the cookie that is minted here", () => {
  test("a new visitor gets one for 400 days", async () => {
    const visitor = await visitorOf(asking());
    expect(visitor?.unit).toMatch(minted);
    expect(visitor?.setCookie).toBe(
      `edgewise_visitor=${visitor?.unit}; Max-Age=34560000; Path=/; Secure; SameSite=Lax`,
    );
  });

  test("a known visitor keeps it", async () => {
    const visitor = await visitorOf(asking({ cookie: `a=1; edgewise_visitor=${known}; b=2` }));
    expect(visitor).toEqual({ unit: known, setCookie: null });
  });

  test("under a name of the site's own", async () => {
    const source = { cookieName: "shop_visitor" };
    const request = asking({ cookie: `shop_visitor=${known}` });
    expect(await visitorOf(request, source)).toEqual({ unit: known, setCookie: null });
    expect((await visitorOf(asking(), source))?.setCookie).toMatch(/^shop_visitor=/);
  });

  test.each([
    ["edited by hand", "edgewise_visitor=admin"],
    ["empty", "edgewise_visitor="],
    ["too long", `edgewise_visitor=${known}${"0".repeat(5_000)}`],
    ["another's script", `edgewise_visitor="><script>`],
    ["not decodable", "edgewise_visitor=%E0%A4%A"],
    ["of another version", `edgewise_visitor=${known.replace("-4", "-1")}`],
  ])("%s: replaced by a new one", async (_name, cookie) => {
    const visitor = await visitorOf(asking({ cookie }));
    expect(visitor?.unit).toMatch(minted);
    expect(visitor?.setCookie).toContain(visitor?.unit);
  });

  test("of several of the name, one that was minted is believed", async () => {
    const request = asking({ cookie: `edgewise_visitor=x; edgewise_visitor=${known}` });
    expect(await visitorOf(request)).toEqual({ unit: known, setCookie: null });
  });
});

describe("the site's own id", () => {
  test.each([
    [{ cookie: "sid" }, { cookie: "sid=abc%20d" }, "abc d"],
    [{ header: "x-user" }, { "x-user": "u-7" }, "u-7"],
    [{ id: async (request: Request) => request.headers.get("x-user") }, { "x-user": "u-8" }, "u-8"],
  ])("by %j", async (source, headers, unit) => {
    expect(await visitorOf(asking(headers), source)).toEqual({ unit, setCookie: null });
  });

  test.each([
    ["missing", null],
    ["empty", ""],
    ["too long", "x".repeat(257)],
    ["ill-formed", "\ud800"],
  ])("%s: nobody", async (_name, id) => {
    expect(await visitorOf(asking(), { id: () => id })).toBeNull();
  });
});

test("without consent nobody is recognised or given a cookie", async () => {
  const request = asking({ cookie: `edgewise_visitor=${known}` });
  expect(await visitorOf(request, undefined, async () => false)).toBeNull();
  expect(await visitorOf(request, undefined, async () => true)).not.toBeNull();
});

test("automated traffic is nobody, and is asked nothing", async () => {
  const request = asking({ "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)" });
  const consent = () => {
    throw new Error("asked");
  };
  expect(await visitorOf(request, undefined, consent)).toBeNull();
});
