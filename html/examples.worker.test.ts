/** The examples' own parts; what experiments do to their pages is seen in test/html-chromium.test.ts. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import examples from "../examples/index.ts";
import { recordOutcome } from "../examples/outcome.ts";
import { visitorId } from "../test/worker-pages.ts";

/** Keeps what is sent to Edgewise. */
function bindings() {
  const sent: { events: { unit: string }[] }[] = [];
  const service = {
    async fetch(_url: string, { body }: { body: string }) {
      sent.push(JSON.parse(body));
      return new Response("{}");
    },
  };
  return { sent, bindings: { ...env, EDGEWISE: service, EDGEWISE_KEY: "ew_server_test" } as never };
}

test.each([
  ["https://shop.example/examples/blog?x", "/examples/blog"],
  ["https://evil.example//evil.example/examples/shop", "/examples/shop"],
  ["https://evil.example/\\\\evil.example", "/examples/shop"],
  ["https://evil.example/elsewhere", "/examples/shop"],
  ["nonsense", "/examples/shop"],
])("from %s another visitor is sent to %s", async (referer, location) => {
  const request = new Request("https://shop.example/examples/another-visitor", {
    headers: { referer },
  });
  const { bindings: given } = bindings();
  const response = await examples.fetch(request as never, given, createExecutionContext());
  expect(response.headers.get("location")).toBe(location);
  expect(response.headers.get("set-cookie")).toContain("Max-Age=0");
});

test.each([
  [`edgewise_visitor=${visitorId(1)}`, [visitorId(1)]],
  ["edgewise_visitor=somebody", []],
  [`edgewise_visitor=; edgewise_visitor=${visitorId(2)}`, [visitorId(2)]],
  ["edgewise_visitor=%00", []],
  ["", []],
])("with the cookie %j an outcome is told of %j", async (cookie, units) => {
  const { sent, bindings: given } = bindings();
  const request = new Request("https://shop.example/examples/shop/buy", { headers: { cookie } });
  await recordOutcome(request, given, "purchase");
  expect(sent.flatMap(({ events }) => events.map(({ unit }) => unit))).toEqual(units);
});
