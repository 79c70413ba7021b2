import { expect, test } from "vitest";
import { contentSecurityPolicy } from "./csp.ts";

test.each([
  [null, { nonce: null }, true],
  ["style-src-elem 'nonce-x'; style-src 'none'", { nonce: "x" }, false],
  ["style-src-attr 'unsafe-inline'; style-src 'self'", null, true],
  ["STYLE-SRC 'UNSAFE-INLINE'; style-src 'none'", { nonce: null }, true],
  ["style-src 'unsafe-inline' 'nonce-x'", { nonce: "x" }, false],
  ["style-src 'unsafe-inline' 'sha256-abc'", null, false],
  ["default-src 'none'; img-src *", null, false],
])("%s: style sheets %j, style attributes %j", (header, stylesheet, attribute) => {
  const csp = contentSecurityPolicy(header);
  expect(csp.stylesheet()).toEqual(stylesheet);
  expect(csp.styleAttribute()).toBe(attribute);
});

test("a policy that is added later only forbids more", () => {
  const csp = contentSecurityPolicy("script-src 'nonce-x'");
  expect(csp.script()).toEqual({ nonce: "x" });
  csp.add("script-src 'unsafe-inline'");
  expect(csp.script()).toEqual({ nonce: "x" });
  csp.add("script-src 'self'");
  expect(csp.script()).toBeNull();
});
