import { expect, test } from "vitest";
import { completeContext } from "./complete-context.ts";

const cf = {
  country: "DE",
  region: "Hesse",
  city: "Frankfurt",
  continent: "EU",
  timezone: "Europe/Berlin",
  asn: 3320,
  colo: "FRA",
  tlsVersion: "TLSv1.3",
};
const iphone =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1";
const headers = new Headers({ "user-agent": iphone });

test("country, region, city, continent, timezone, asn, colo, device and bot are added, nothing else", () => {
  const { tlsVersion: _tlsVersion, ...known } = cf;
  expect(completeContext({ targetingKey: "u" }, { headers, cf })).toEqual({
    targetingKey: "u",
    ...known,
    device: "mobile",
    bot: false,
  });
});

test("what the caller supplied stands, whatever it is", () => {
  const supplied = { country: "FR", city: null, device: "kiosk", bot: true, asn: false };
  expect(completeContext(supplied, { headers, cf })).toMatchObject({ ...supplied, colo: "FRA" });
});

test("without cf the country may come from a header", () => {
  const from = { headers: new Headers({ "cf-ipcountry": "JP" }) };
  expect(completeContext({}, from)).toEqual({ country: "JP", device: "desktop", bot: false });
});

test("the given context is not changed, and a prototype key stays an attribute", () => {
  const given = JSON.parse('{"__proto__": {"country": "XX"}}') as Record<string, unknown>;
  const completed = completeContext(given, { headers, cf });
  expect(Object.keys(given)).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(completed)).toBe(Object.prototype);
  expect(Object.hasOwn(completed, "__proto__")).toBe(true);
  expect(completed["country"]).toBe("DE");
});
